package scenario

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// One value after the other, a case is left out that has all of an entry.
func TestExcludeLeavesOutWhatHasAllOfAnEntry(t *testing.T) {
	t.Parallel()
	has := func(values, all map[string]any) bool {
		for name, v := range all {
			if !equal(values[name], v) {
				return false
			}
		}
		return true
	}
	alike := [][]string{{"0", "-0", "0.0"}, {"1", "1.0", "1e0", "10e-1"}, {"-1", "-1.0"}, {"0.1", "1e-1"}, {"999999999", "999999999.0"}, {"1000000000", "1e9", "1E+9"}, {"-1000000000", "-1e9"}, {"10000000000", "1e10"}, {"1e99", "10e98"}}
	scalar := rapid.OneOf(rapid.SampledFrom([]any{nil, true, false, "", "1", "true", "null", "a", `"a"`, "[]"}),
		rapid.Map(rapid.SampledFrom(slices.Concat(alike...)), numberOf))
	value := rapid.OneOf(scalar, rapid.Map(rapid.SliceOfN(scalar, 0, 2), func(all []any) any { return all }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "row"}), scalar, 0, 2), func(all map[string]any) any { return all }))
	names := func(prefix string, n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprint(prefix, i)
		}
		return out
	}
	some := func(rt *rapid.T, names []string, of *rapid.Generator[any]) map[string]any {
		out := map[string]any{}
		for _, name := range names {
			if rapid.Bool().Draw(rt, name) {
				out[name] = of.Draw(rt, name+" is")
			}
		}
		return out
	}
	left := 0
	rapid.Check(t, func(rt *rapid.T) {
		few := rapid.OneOf(rapid.SampledFrom(rapid.SliceOfN(value, 1, 4).Draw(rt, "values")),
			rapid.Map(rapid.SampledFrom(rapid.SampledFrom(alike).Draw(rt, "alike")), numberOf))
		axes, columns := names("axis", rapid.IntRange(0, 3).Draw(rt, "axes")), names("column", rapid.IntRange(0, 3).Draw(rt, "columns"))
		var m Matrix
		for _, name := range axes {
			m.Axes = append(m.Axes, Axis{Name: name, Values: rapid.SliceOfN(few, 1, 3).Draw(rt, name)})
		}
		if len(columns) > 0 {
			m.Data = &Data{}
			for range rapid.IntRange(0, 4).Draw(rt, "rows") {
				m.Data.Rows = append(m.Data.Rows, DataRow{Values: some(rt, columns, few)})
			}
		}
		var want []Case
		all := m.cases()
		for range rapid.IntRange(0, 70).Draw(rt, "entries") {
			e := some(rt, axes, few)
			if row := some(rt, columns, few); len(row) > 0 {
				e[ofRow] = row
			}
			if len(e) > 0 {
				m.Exclude = append(m.Exclude, e)
			}
		}
		for _, c := range all {
			if !slices.ContainsFunc(m.Exclude, func(e map[string]any) bool {
				row, _ := e[ofRow].(map[string]any)
				ofAxes := maps.Clone(e)
				delete(ofAxes, ofRow)
				return has(c.Values, ofAxes) && has(c.Row, row)
			}) {
				want = append(want, c)
			}
		}
		got := m.cases()
		left += len(all) - len(got)
		require.Len(rt, got, len(want))
		for i := range got {
			require.Equal(rt, want[i], got[i])
		}
	})
	require.NotZero(t, left, "some were left out")
}

// A value of a row may be as large as a file of data.
func TestExcludeLooksIntoNoLargeValue(t *testing.T) {
	large := make([]any, 100_000)
	for i := range large {
		large[i] = i
	}
	m := Matrix{Data: &Data{Rows: []DataRow{{Values: map[string]any{"a": large}}}}, Exclude: []map[string]any{{ofRow: map[string]any{"a": []any{0, 1}}}}}
	if n := testing.AllocsPerRun(10, func() { require.Len(t, m.cases(), 1) }); n > 100 {
		t.Errorf("%v allocations", n)
	}
}
