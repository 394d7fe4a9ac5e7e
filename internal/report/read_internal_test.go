package report

import (
	"bufio"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inParts is what to do about too large a run.
const inParts = ": run it in parts (shards), each with a JSON of its own"

// TestRunsJSONHasBounds: what is read of an earlier run is counted before any value is made
// of it.
func TestRunsJSONHasBounds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text string
		most bounds
		want string
	}{
		"a line":            {"{}\n{" + strings.Repeat("x", 100), bounds{line: 99, bytes: 999, objects: 9, values: 9}, "x.json:2:1: the line has more than 99 bytes, the most that are read of a run's JSON"},
		"lines":             {strings.Repeat("{}\n", 33), bounds{line: 99, bytes: 98, objects: 99, values: 9}, "x.json:33:1: the file has more than 98 bytes, the most that are read of a run's JSON"},
		"objects":           {"{}\n[{},{}]\n", bounds{line: 99, bytes: 999, objects: 2, values: 9}, "x.json:2:1: the file has more than 2 objects and items of lists, the most that are read of a run's JSON"},
		"items":             {`[null,"",{}]`, bounds{line: 99, bytes: 999, objects: 2, values: 9}, "x.json:1:1: the file has more than 2 objects and items of lists, the most that are read of a run's JSON"},
		"what is in items":  {`{"a":[[0],{"b":1,"c":2}]}` + "\n]}{}", bounds{line: 99, bytes: 999, objects: 5, values: 4}, ""},
		"values":            {`["a","b"]`, bounds{line: 99, bytes: 999, objects: 2, values: 1}, "x.json:1:1: the file has more than 1 values, the most that are read of a run's JSON"},
		"what stands in it": {`["{,[","\",{["]` + "\n{}", bounds{line: 16, bytes: 99, objects: 3, values: 2}, ""},
	} {
		l := lines{name: "x.json", from: bufio.NewReaderSize(strings.NewReader(row.text), 16), most: row.most, all: combined}
		var err error
		for err == nil {
			_, err = l.next()
		}
		if row.want == "" {
			assert.ErrorIs(t, err, io.EOF, name)
		} else {
			assert.EqualError(t, err, row.want+inParts, name)
		}
	}
}

// TestAFailedRunOfManyRowsIsWithinTheBounds: who mistypes an expectation has all rows fail,
// and the run's JSON is read all the same.
func TestAFailedRunOfManyRowsIsWithinTheBounds(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	failure := Failure{
		File: "scenarios/a.yaml", Line: 7, Column: 31, Case: "titles.csv:100001", Row: "scenarios/titles.csv:100001", Step: "classify",
		Message: "json.hsCode is not as expected", Want: `"610910"`, Got: `"610990"`, Exchange: strings.Repeat("< what came\n", 50),
	}
	one := Case{
		Name: failure.Case, Row: failure.Row, Verdict: Failed, Spend: 1, Calls: 1, ElapsedMS: 1000, Failures: []Failure{failure, failure},
		Scores: []ScoreRow{{
			Step: "classify", Request: strings.Repeat("0", 64), Group: "knitwear", Want: "610910", Got: []string{"610990", "610910", "620520"},
			Right: map[string]bool{"heading": true, "six": false, "among3": true, "legal": true, "confidence": true},
		}},
	}
	of := func(cases int) (had bounds) {
		var text strings.Builder
		require.NoError(t, JSON(&text, Run{Scenarios: []Scenario{{File: "a.yaml", Cases: slices.Repeat([]Case{one}, cases)}}}))
		l := lines{from: bufio.NewReader(strings.NewReader(text.String())), most: widest, all: combined}
		line, err := l.next()
		require.NoError(t, err)
		l.had.line = len(line)
		return l.had
	}
	few, more := of(10), of(20)
	assert.Less(t, (more.line-few.line)/10*rows, widest.line)
	assert.Less(t, (more.bytes-few.bytes)/10*rows, widest.bytes)
	assert.Less(t, (more.objects-few.objects)/10*rows, widest.objects)
	assert.Less(t, (more.values-few.values)/10*rows, widest.values)
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
		require.EqualError(t, err, "x.json:1:1: the file has more than 2000000 objects and items of lists, the most that are read of a run's JSON"+inParts, item)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(96<<20), item)
	}
}

// Files of one run are in memory at once: what they have together has bounds too.
func TestPartsHaveBoundsTogether(t *testing.T) {
	t.Parallel()
	const text = `{"file":"a.yaml","cases":[{"name":"x"}]}` + "\n" + `{"run":"","exit":0}` + "\n"
	var parts Parts
	_, bills, err := parts.ReadJSON("a.json", strings.NewReader(text))
	require.NoError(t, err)
	assert.Len(t, bills, 1)
	one := parts.had
	assert.Equal(t, bounds{bytes: len(text), objects: 3, values: 3}, one)
	for name, had := range map[string]bounds{
		"bytes": {bytes: combined.bytes - one.bytes}, "objects": {objects: combined.objects - one.objects}, "values": {values: combined.values - one.values},
	} {
		parts.had = had
		_, _, err = parts.ReadJSON("a.json", strings.NewReader(text))
		require.NoError(t, err, name)
		_, _, err = parts.ReadJSON("b.json", strings.NewReader(text))
		require.EqualError(t, err, "b.json:1:1: with the files before it, more than 1024 MB, 4000000 objects and items of lists, or 20000000 values, the most that are put together: put fewer together", name)
	}
}

// TestALongLineThatIsNoRunIsNotCollected: whatever else is large is refused at its beginning.
func TestALongLineThatIsNoRunIsNotCollected(t *testing.T) {
	t.Parallel()
	from := strings.NewReader(" \t" + strings.Repeat("x", 1<<20))
	_, _, err := ReadJSON("x.json", from)
	assert.EqualError(t, err, "x.json:1:1: no line of a run's JSON: it is long, and does not begin with {")
	assert.Greater(t, from.Len(), 900<<10, "the rest is not read")
}
