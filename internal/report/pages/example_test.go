package pages_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

// What a ledger says becomes a page.
func ExampleBudget() {
	b := report.NewBudget(quota.Status{Allowance: "sandbox", Granted: 1000, Available: 1000, Usable: 1000}, quota.Statement{}, time.Now())
	var out bytes.Buffer
	if err := pages.Budget(&out, b); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(out.String(), "<dt>granted</dt><dd>1000</dd>"))
	// Output: true
}
