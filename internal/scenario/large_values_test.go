package scenario_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// made is how many bytes of memory f takes, those that are given back counted.
func made(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// tableOf is a scenario with a table, which excludes a row.
func tableOf(table string) (*scenario.Scenario, error) {
	return scenario.ParseWith("x.yaml", []byte(`version: 1
name: x
matrix:
  from: t.json
  exclude: [ { row: { a: 17 } }, { row: { a: none } } ]
steps:
  - request: POST /hscode/classify
    body: { description: x }
`), func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(table)), nil })
}

// A table of a megabyte takes memory, and with it time, in proportion to that.
func TestLargeTablesTakeTheirShare(t *testing.T) {
	keys := func(n int, name string) string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf(`"%s%d":1`, name, i)
		}
		return strings.Join(out, ",")
	}
	long := strings.Repeat("n", 900)
	wide := `[{"a":1,` + keys(500, long) + `},{"a":1,` + keys(500, "k"+long) + `}]`

	var err error
	assert.Less(t, made(func() { _, err = tableOf(wide) }), uint64(40<<20), "500 unknown columns beside 500 known ones")
	require.Error(t, err)
	text := ""
	assert.Less(t, made(func() { text = err.Error() }), uint64(20<<20), "errors in one line of a megabyte")
	assert.Contains(t, text, "which the first one has not: its columns are a, n")

	var s *scenario.Scenario
	assert.Less(t, made(func() { s, err = tableOf(`[{"a":{` + keys(80_000, "k") + `}}]`) }), uint64(40<<20), "an object of 80,000 members that is compared with a number and a text")
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 1)
}
