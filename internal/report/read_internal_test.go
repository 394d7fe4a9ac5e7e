package report

import (
	"bufio"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRunsJSONHasBounds: what is read of an earlier run is counted before any value is made
// of it.
func TestRunsJSONHasBounds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text string
		most bounds
		want string
	}{
		"a line":            {"{}\n" + strings.Repeat("x", 100), bounds{line: 99, bytes: 999, objects: 9, values: 9}, "x.json:2:1: the line has more than 99 bytes, the most that are read of a run's JSON"},
		"lines":             {strings.Repeat("{}\n", 33), bounds{line: 99, bytes: 98, objects: 99, values: 9}, "x.json:33:1: the file has more than 98 bytes, the most that are read of a run's JSON"},
		"objects":           {"{}\n[{},{}]\n", bounds{line: 99, bytes: 999, objects: 2, values: 9}, "x.json:2:1: the file has more than 2 objects and items of lists, the most that are read of a run's JSON"},
		"items":             {`[null,"",{}]`, bounds{line: 99, bytes: 999, objects: 2, values: 9}, "x.json:1:1: the file has more than 2 objects and items of lists, the most that are read of a run's JSON"},
		"what is in items":  {`{"a":[[0],{"b":1,"c":2}]}` + "\n]}{}", bounds{line: 99, bytes: 999, objects: 5, values: 4}, ""},
		"values":            {`["a","b"]`, bounds{line: 99, bytes: 999, objects: 2, values: 1}, "x.json:1:1: the file has more than 1 values, the most that are read of a run's JSON"},
		"what stands in it": {`["{,[","\",{["]` + "\n{}", bounds{line: 16, bytes: 99, objects: 3, values: 2}, ""},
	} {
		l := lines{name: "x.json", from: bufio.NewReaderSize(strings.NewReader(row.text), 16), most: row.most}
		var err error
		for err == nil {
			_, err = l.next()
		}
		if row.want == "" {
			assert.ErrorIs(t, err, io.EOF, name)
		} else {
			assert.EqualError(t, err, row.want, name)
		}
	}
}

// TestShortValuesAreBounded: objects of two bytes, and whatever stands where an object was
// wanted, are made into gigabytes of values.
func TestShortValuesAreBounded(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	for _, item := range []string{"{}", "null", "0", `""`, "[]"} {
		text := `{"file":"a","cases":[` + strings.Repeat(item+",", widest.objects) + item + "]}"
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := ReadJSON("x.json", strings.NewReader(text))
		runtime.ReadMemStats(&after)
		require.EqualError(t, err, "x.json:1:1: the file has more than 2000000 objects and items of lists, the most that are read of a run's JSON", item)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(96<<20), item)
	}
}
