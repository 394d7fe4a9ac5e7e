package check_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/check"
	"github.com/hsharness/hsharness/internal/recording"
)

// TestAnAnswerOfManyCodes: the country of each code in one object, or of a request with many
// items, is found in the time of their number. No other test allocates meanwhile.
func TestAnAnswerOfManyCodes(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	const n = 3000
	var members, items []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"hsCode%d":"6109100012"`, i))
		items = append(items, `{"title":"a","country":"US"}`)
	}
	for _, one := range []*recording.Recording{
		bought(`{"country":"US"}`, `{`+strings.Join(members, ",")+`}`),
		bought(`{"goods":[`+strings.Join(items, ",")+`]}`, `{`+strings.Join(members, ",")+`}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := check.Legal(slices.Values([]*recording.Recording{one}), nil)
		runtime.ReadMemStats(&after)
		assert.Equal(t, n, r.Codes)
		assert.Empty(t, r.Illegal)
		assert.Empty(t, r.Unjudged)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20)) // the detector takes four times as much; a search for each code took gigabytes
	}
}
