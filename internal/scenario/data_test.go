package scenario_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
)

// goods is a table of five rows, of which two say the same.
const goods = "title,code,country\nwool scarf,6214200000,US\n\"shirt, knitted\",6109100012,CA\nlaptop,8471300100,US\nlaptop,8471300100,US\ntea,0902100000,GB\n"

// with parses a file whose matrix this is, beside tables.
func with(matrix, step string, tables map[string]string) (*scenario.Scenario, error) {
	src := "version: 1\nname: x\nmatrix: " + matrix + "\nsteps:\n  - request: GET /x\n" + step
	return scenario.ParseWith("dir/x.yaml", []byte(src), func(name string) (io.ReadCloser, error) {
		text, ok := tables[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	})
}

func names(s *scenario.Scenario) []string {
	var out []string
	for _, c := range s.Cases() {
		out = append(out, c.Name)
	}
	return out
}

func TestDataRowsAreCases(t *testing.T) {
	t.Parallel()
	tables := map[string]string{
		"dir/goods.csv": goods, "up.tsv": "title\nx\n", "/abs/goods.csv": goods,
		"dir/one_line.json": `[{"n": 1}, {"n": 2}, {"n": 9007199254740993}]`, "dir/lines.jsonl": "{\"n\": 1}\n{\"n\": 2}\n",
	}
	for matrix, want := range map[string]string{
		"{ from: goods.csv }":                                                                   "goods.csv:2|goods.csv:3|goods.csv:4|goods.csv:5|goods.csv:6",
		"{ from: ../up.tsv }":                                                                   "../up.tsv:2",
		"{ from: /abs/goods.csv, limit: 2 }":                                                    "/abs/goods.csv:2|/abs/goods.csv:3",
		"{ from: goods.csv, limit: 9, country: [US, CA] }":                                      "goods.csv:2, country=US|goods.csv:2, country=CA|goods.csv:3, country=US|goods.csv:3, country=CA|goods.csv:4, country=US|goods.csv:4, country=CA|goods.csv:5, country=US|goods.csv:5, country=CA|goods.csv:6, country=US|goods.csv:6, country=CA",
		`{ from: goods.csv, where: 'row.country == "US"' }`:                                     "goods.csv:2|goods.csv:4|goods.csv:5",
		`{ from: goods.csv, where: 'row.country == "US"', limit: 2 }`:                           "goods.csv:2|goods.csv:4",
		`{ from: goods.csv, where: 'row.country == "US"', sample: { n: 3 } }`:                   "goods.csv:2|goods.csv:4|goods.csv:5",
		`{ from: goods.csv, exclude: [ { row: { title: laptop } } ] }`:                          "goods.csv:2|goods.csv:3|goods.csv:6",
		`{ from: goods.csv, a: [1, 2], exclude: [ { a: 1, row: { country: US } }, { a: 2 } ] }`: "goods.csv:3, a=1|goods.csv:6, a=1",
		"{ from: one_line.json }":                                                               "one_line.json:1:2|one_line.json:1:12|one_line.json:1:22",
		"{ from: one_line.json, limit: 1 }":                                                     "one_line.json:1:2",
		"{ from: one_line.json, where: row.n > 9007199254740992 }":                              "one_line.json:1:22",
		"{ from: lines.jsonl, where: row.n > 1 }":                                               "lines.jsonl:2",
	} {
		s, err := with(matrix, "", tables)
		require.NoError(t, err, matrix)
		assert.Equal(t, want, strings.Join(names(s), "|"), matrix)
	}
	s, err := with("{ from: goods.csv, sample: { n: 3, seed: 2 } }", "", tables)
	require.NoError(t, err)
	again, err := with("{ from: goods.csv, sample: { seed: 2, n: 3 } }", "", tables)
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 3)
	assert.Equal(t, names(s), names(again))
	seeds := map[string]bool{}
	for _, seed := range []string{"0", "1", "2", "3", "4", "5", "6"} {
		s, err := with("{ from: goods.csv, sample: { n: 2, seed: "+seed+" } }", "", tables)
		require.NoError(t, err)
		seeds[strings.Join(names(s), "|")] = true
	}
	assert.Greater(t, len(seeds), 2, "another seed draws other rows")
}

// TestDataValues: a value of JSON keeps its kind and its digits, one of CSV is a text.
func TestDataValues(t *testing.T) {
	t.Parallel()
	body := "    body: { a: '{{ row.n }}', b: 'x{{ row.n }}' }\n"
	for table, want := range map[string]string{
		`[{"n": 9007199254740993}]`: `{"a":9007199254740993,"b":"x9007199254740993"}`, `[{"n": 6109.10}]`: `{"a":6109.10,"b":"x6109.10"}`, `[{"n": "0901"}]`: `{"a":"0901","b":"x0901"}`, `[{"n": [1.0, {"m": 1e3}]}]`: `{"a":[1.0,{"m":1e3}],"b":"x[1.0,{\"m\":1e3}]"}`,
	} {
		s, err := with("{ from: t.json }", body, map[string]string{"dir/t.json": table})
		require.NoError(t, err)
		got, err := s.Steps[0].Request.Body.Render(scenario.Env{Row: s.Cases()[0].Row})
		require.NoError(t, err)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	sum, err := with("{ from: t.json }", "    body: '{{ row.n + 1 }}'\n", map[string]string{"dir/t.json": `[{"n": 41}]`})
	require.NoError(t, err)
	got, err := sum.Steps[0].Request.Body.Render(scenario.Env{Row: sum.Cases()[0].Row})
	require.NoError(t, err)
	assert.Equal(t, 42, got)
	s, err := with("{ from: t.csv }", body, map[string]string{"dir/t.csv": "n\n0901\n"})
	require.NoError(t, err)
	got, err = s.Steps[0].Request.Body.Render(scenario.Env{Row: s.Cases()[0].Row})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": "0901", "b": "x0901"}, got)
}

func TestWrongData(t *testing.T) {
	t.Parallel()
	tables := map[string]string{"dir/goods.csv": goods, "dir/bad.csv": "a,b\n1,2\n3\n", "dir/n.jsonl": "{\"n\":1}\n{\"n\":null}\n{\"n\":3}\n", "dir/many.jsonl": strings.Repeat("{\"n\":null}\n", 60), "dir/odd.csv": "HS code\n6109\n"}
	for _, tt := range []struct{ matrix, step, want string }{
		{"{ from: none.csv }", "", "dir/x.yaml:3:17: there is no file dir/none.csv"},
		{"{ from: goods.txt }", "", "dir/x.yaml:3:17: goods.txt is no table that can be read: want .csv, .tsv, .json, .jsonl or .ndjson, or one of these with .gz"},
		{"{ from: [goods.csv] }", "", "dir/x.yaml:3:17: matrix.from must be a text, not a list"},
		{"{ limit: 3 }", "", "dir/x.yaml:3:11: matrix.limit chooses among the rows of a file: there is no matrix.from"},
		{"{ from: goods.csv, row: [1] }", "", "dir/x.yaml:3:28: an axis can't be called row: that is a row of matrix.from"},
		{"{ from: goods.csv, limit: 0 }", "", "dir/x.yaml:3:35: matrix.limit must be a whole number of at least 1, not 0"},
		{"{ from: goods.csv, limit: 1, sample: { n: 1 } }", "", "dir/x.yaml:3:28: limit takes the first rows and sample any: choose one"},
		{"{ from: goods.csv, sample: { seed: 1 } }", "", `dir/x.yaml:3:28: sample: missing key "n": how many rows`},
		{"{ from: bad.csv }", "", "dir/bad.csv:3:1: the row has 1 cell, and the first line names 2 columns (a, b)"},
		{"{ from: goods.csv, where: 'row.contry == 1' }", "", `dir/x.yaml:3:40: undefined column "contry" (did you mean "country"?)`},
		{"{ from: goods.csv, where: 'country == 1' }", "", `dir/x.yaml:3:36: unknown name "country" (did you mean "row.country"?)`},
		{"{ from: goods.csv, where: 'vars.country' }", "", `dir/x.yaml:3:36: unknown name "vars": an expression here may use row`},
		{"{ from: goods.csv, where: 'row.code > 5' }", "", `dir/x.yaml:3:45: expression: invalid operation: > (mismatched types string and int)`},
		{"{ from: goods.csv, where: row.code }", "", `dir/x.yaml:3:35: matrix.where must be true or false, not a value of type string`},
		{"{ from: goods.csv, where: 'row.code == \"1\"' }", "", `dir/x.yaml:3:35: where leaves none of the 5 rows of goods.csv`},
		{"{ from: n.jsonl, where: row.n }", "", "dir/n.jsonl:1:1: where can't tell of this row: row.n is 1, neither true nor false"},
		{"{ from: goods.csv, exclude: [ { row: { contry: US } } ] }", "", `dir/x.yaml:3:48: undefined column "contry" (did you mean "country"?)`},
		{"{ from: goods.csv, exclude: [ { row: {} } ] }", "", `dir/x.yaml:3:46: an empty row would leave out every case`},
		{"{ from: goods.csv, exclude: [ { row: { country: US } }, { row: { country: CA } }, { row: { country: GB } } ] }", "", `dir/x.yaml:3:37: matrix.exclude leaves no case`},
		{"{ from: goods.csv }", "    body: '{{ row.titel }}'\n", `dir/x.yaml:6:19: undefined column "titel" (did you mean "title"?)`},
		{"{ from: goods.csv }", "    body: '{{ title }}'\n", `dir/x.yaml:6:15: unknown name "title" (did you mean "row.title"?)`},
		{"{ from: goods.csv }", "    body: '{{ row }}'\n", `dir/x.yaml:6:15: row must be followed by a dot and a name`},
		{"{ from: odd.csv }", "    body: '{{ row[\"HS cde\"] }}'\n", `dir/x.yaml:6:20: undefined column "HS cde" (did you mean "HS code"?)`},
		{"{ a: [1] }", "    body: '{{ row.title }}'\n", `dir/x.yaml:6:15: row is known only where matrix.from names a file of data`},
	} {
		_, err := with(tt.matrix, tt.step, tables)
		var errs scenario.Errors
		require.ErrorAs(t, err, &errs, tt.matrix)
		first, _, _ := strings.Cut(err.Error(), "\n")
		assert.Equal(t, tt.want, first, "%s\n%s", tt.matrix, tt.step)
	}
	_, err := with("{ from: odd.csv }", "    body: '{{ row[\"HS code\"] }}'\n", tables)
	require.NoError(t, err)
	_, err = with("{ from: many.jsonl, where: row.n > 1 }", "", tables)
	var errs scenario.Errors
	require.ErrorAs(t, err, &errs)
	assert.Len(t, errs, 20)
	_, err = with("{ from: bad.csv, b: [1] }", "    body: '{{ row.whatever }}'\n    bdy: 1\n", tables)
	require.ErrorContains(t, err, "dir/bad.csv:3:1", "what is wrong with the data and with the file is said at once")
	require.ErrorContains(t, err, `unknown key "bdy"`)
	assert.NotContains(t, err.Error(), "whatever", "nobody knows the columns")
	_, err = scenario.Parse("x.yaml", []byte("version: 1\nname: x\nmatrix: { from: a.csv }\nsteps: [ { token: {} } ]\n"))
	assert.ErrorContains(t, err, "x.yaml:3:17: a file of data is read beside a scenario on the disk")
}

func TestDataHasManyRows(t *testing.T) {
	t.Parallel()
	table := "n\n" + strings.Repeat("1\n", 30_000)
	s, err := with("{ from: t.csv, a: [1, 2, 3] }", "", map[string]string{"dir/t.csv": table})
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 90_000)
	_, err = with("{ from: t.csv, a: [1, 2, 3, 4] }", "", map[string]string{"dir/t.csv": table})
	require.ErrorContains(t, err, "the matrix has more than 100000 cases")
	// What where can't tell of a row near the end is pointed at, as anything else is.
	lines := strings.Repeat("{\"n\":1}\n", 99_998) + "{\"n\":null}\n{\"n\":1}\n"
	_, err = with("{ from: t.jsonl, where: row.n > 0 }", "", map[string]string{"dir/t.jsonl": lines})
	assert.ErrorContains(t, err, "dir/t.jsonl:99999:1: where can't tell of this row: ")
}

// TestDataFailuresNameTheirRow: in the case's name, and where its row can be opened.
func TestDataFailuresNameTheirRow(t *testing.T) {
	t.Parallel()
	s, err := with("{ from: goods.csv, limit: 2 }", "", map[string]string{"dir/goods.csv": goods})
	require.NoError(t, err)
	s.Steps[0].Expect = parse(t, "version: 1\nname: x\nsteps: [ { request: GET /x, expect: { status: 200 } } ]\n").Steps[0].Expect
	runner := scenario.Runner{NewServices: newServices}
	run := runner.Run(t.Context(), []*scenario.Scenario{s})
	require.Len(t, run.Scenarios[0].Cases, 2)
	for i, row := range []string{"goods.csv:2", "goods.csv:3"} {
		c := run.Scenarios[0].Cases[i]
		assert.Equal(t, row, c.Name)
		assert.Equal(t, "dir/"+row, c.Row)
		require.Len(t, c.Failures, 1)
		assert.Equal(t, "dir/"+row, c.Failures[0].Row)
		assert.Contains(t, c.Failures[0].Place(), "("+row+", step 1)")
	}
}

// TestPart: what is said of all cases is not asked of some; what bounds them holds.
func TestPart(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "right", "data.yaml")
	s, err := scenario.ParseFile(filepath.ToSlash(name), read(t, name))
	require.NoError(t, err)
	require.Len(t, s.Cases(), 3)
	assert.Same(t, s, s.Part("all", func(scenario.Case) bool { return true }))
	part := s.Part("shard 1/3", func(c scenario.Case) bool { return c.Name == s.Cases()[0].Name })
	require.Len(t, part.Cases(), 1)
	runner := scenario.Runner{NewServices: newServices}
	run := runner.Run(t.Context(), []*scenario.Scenario{part, s})
	assert.Equal(t, report.Mocked, run.Scenarios[0].Verdict, "%v", run.Scenarios[0].Failures())
	assert.Equal(t, "shard 1/3", run.Scenarios[0].Part)
	assert.Equal(t, 1, run.Scenarios[0].Spend)
	assert.Equal(t, report.Mocked, run.Scenarios[1].Verdict, "%v", run.Scenarios[1].Failures())
	assert.Equal(t, 1, part.Price(nil, cost).Expected)
	assert.Equal(t, 3, s.Price(nil, cost).Expected)
	twice := part.Part("--filter x", func(scenario.Case) bool { return false })
	assert.Equal(t, "shard 1/3, --filter x", twice.Partial)
	assert.Empty(t, twice.Cases())
}

// TestLintOfData: rows that nobody reads are found.
func TestLintOfData(t *testing.T) {
	t.Parallel()
	tables := map[string]string{"dir/goods.csv": goods}
	rules := func(step string) []string {
		s, err := with("{ from: goods.csv }", step, tables)
		require.NoError(t, err)
		var out []string
		for _, f := range scenario.Lint(s, cost) {
			out = append(out, f.Rule)
		}
		return out
	}
	assert.True(t, slices.Contains(rules(""), "unused-axis"))
	assert.False(t, slices.Contains(rules("    body: '{{ row.code }}'\n"), "unused-axis"))
}
