package check_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// TestAnAnswerBelowALongName: the place of each of its codes has that name, and all of them
// were kept.
func TestAnAnswerBelowALongName(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	answer := `{"` + strings.Repeat("n", 200_000) + `":[` + strings.Repeat(`"6109.10.0012",`, 2000) + `"6109.10.0012"]}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all := slices.Values([]*recording.Recording{bought(`{"country":"US"}`, answer), bought(`{"country":"US"}`, `{"hsCode":"6109100012"}`)})
	r := check.Legal(all, nil)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(400<<20))
	assert.Equal(t, 1, r.Codes, "that of the other recording")
	assert.Empty(t, r.Illegal)
	assert.Len(t, r.Unjudged, 1)
	var out strings.Builder
	r.Print(&out)
	assert.Contains(t, out.String(), "0123456789ab.json: the answer can't be judged: the places of its values have more than 64 MB\n")
	table, err := check.ReadCorrelation("t.csv", strings.NewReader("HS 2022,HS 2028,Remarks\n610910,610911,\n"))
	require.NoError(t, err)
	assert.Len(t, table.Changes(all, nil).Changed, 1)
}
