// Package shoes_test is one of two suites that one hsharness exec runs at the
// same time; clients_test.go of the command starts them.
package shoes_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/mockidp/control"
)

// TestEachAlone has many tests at the same time, each with a fault, a clock and
// counts of its own.
func TestEachAlone(t *testing.T) {
	for i := range 15 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			h := harness.Start(t, harness.Options{})
			client, body := h.Client(), fmt.Sprintf(`{"description":"shoes number %d","countryOfDestination":"US"}`, i)
			ask := func() int {
				resp, err := client.Post(h.APIURL()+"/hscode/classify", "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Fatal(err)
				}
				return resp.StatusCode
			}
			h.Fault(control.Fault{On: "api", Status: http.StatusServiceUnavailable, Times: 1})
			if got := ask(); got != http.StatusServiceUnavailable {
				t.Fatalf("the fault did not strike its own test: %d", got)
			}
			before := h.Clock().Now()
			h.Clock().Advance(time.Duration(66+i) * time.Minute)
			if got := ask(); got != http.StatusOK {
				t.Fatalf("the client did not renew its token: %d", got)
			}
			if moved := h.Clock().Now().Sub(before).Round(time.Minute); moved != time.Duration(66+i)*time.Minute {
				t.Errorf("the clock moved %s: somebody else's, too", moved)
			}
			h.ExpectSpend(1)
			h.ExpectCalls(2)
		})
	}
}
