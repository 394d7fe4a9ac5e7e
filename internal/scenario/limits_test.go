package scenario_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// head begins a file; its steps are in line 4.
const head = "version: 1\nname: x\nsteps:\n"

func asserting(text string) string {
	return head + "  - request: GET /x\n    expect:\n      assert:\n        - '" + strings.ReplaceAll(text, "'", "''") + "'\n"
}

// axes is a matrix of so many axes of one value each, and one of so many values.
func axes(n, values int) string {
	var b strings.Builder
	b.WriteString("version: 1\nname: x\nmatrix:\n")
	for i := range n {
		fmt.Fprintf(&b, "  a%d: [x]\n", i)
	}
	b.WriteString("  last: [" + strings.Repeat("x,", 0))
	for i := range values {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String() + "x]\nsteps:\n  - request: GET /x\n"
}

// TestFilesHaveLimits: each of these took gigabytes, or minutes, where it was taken at
// all. The error has the place, the line and a caret, and both numbers.
func TestFilesHaveLimits(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct{ src, want string }{
		"a long expression":           {asserting("1 == " + strings.Repeat("1+", 5000) + "1"), "x.yaml:7:8204: the expression has 10006 bytes, and may have 8192"},
		"a nested expression":         {asserting(strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000)), "x.yaml:7:8204: the expression has 200001 bytes, and may have 8192"},
		"many nodes":                  {asserting("1 == " + strings.Repeat("1+", 3000) + "1"), "x.yaml:7:2018: the expression has more than 2000 names, values and operators, the most that it may have"},
		"a pattern of an expression":  {asserting(`res.body matches "(a{30}b{30}){30}(c{30}d{30}){30}(e{30}f{30}){30}(g{30}h{30}){30}(i{30}j{30}){30}(k{30}l{30}){30}"`), "x.yaml:7:29: expression: the regular expression has 11162 states, and may have 10000: its repetitions are multiplied"},
		"a long pattern":              {asserting(`res.body matches "` + strings.Repeat("a", 2000) + `"`), "x.yaml:7:29: expression: the regular expression has 2000 bytes, and may have 1000"},
		"a pattern of an expectation": {head + "  - request: GET /x\n    expect:\n      json: { a: '/" + strings.Repeat("(ab?){900}", 12) + "/' }\n", "x.yaml:6:18: bad regular expression: the regular expression has 54002 states, and may have 10000: its repetitions are multiplied"},
		"many axes":                   {axes(100, 1000), "x.yaml:24:3: the matrix has 101 axes, and may have 20"},
		"many cases":                  {axes(1, 10_000), "x.yaml:4:3: the matrix has more than 10000 cases"},
		"many excludes":               {"version: 1\nname: x\nmatrix:\n  a: [x]\n  exclude: [" + strings.Repeat("{a: x},", 1000) + "\n    {a: x}]\nsteps:\n  - request: GET /x\n", "x.yaml:6:5: matrix.exclude has 1001 entries, and may have 1000"},
		"a long name":                 {"version: 1\nname: x\nmatrix: { " + strings.Repeat("a", 1000) + ": [1] }\nsteps:\n  - request: GET /x\n", "x.yaml:3:11: matrix: a name of 1000 letters; it may have 100"},
		"a clock":                     {head + "  - clock: +800000h\n  - clock: +76001h\n", "x.yaml:5:12: clock: the clock is 800000h0m0s away from the real time, and 76001h0m0s more would take it further than it may be, 876000h0m0s (100 years)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			_, err := scenario.Parse("x.yaml", []byte(one.src))
			assert.Less(t, time.Since(begun), 10*time.Second)
			require.Error(t, err)
			first, rest, _ := strings.Cut(err.Error(), "\n")
			assert.Equal(t, one.want, first)
			assert.Contains(t, rest, "^")
		})
	}
}

// A value of a matrix that is long is not repeated in the name of each case.
func TestNamesOfCasesAreShort(t *testing.T) {
	t.Parallel()
	s, err := scenario.Parse("x.yaml", []byte(axes(0, 100)[:len("version: 1\nname: x\nmatrix:\n")]+"  long: ['"+strings.Repeat("a", 50_000)+"1', '"+strings.Repeat("a", 50_000)+"2']\nsteps:\n  - request: GET /x\n"))
	require.NoError(t, err)
	cases := s.Cases()
	require.Len(t, cases, 2)
	assert.Equal(t, "long="+strings.Repeat("a", 80)+"…#1", cases[0].Name)
	assert.Equal(t, "long="+strings.Repeat("a", 80)+"…#2", cases[1].Name)
}

// What templates make together has a limit, though each has little.
func TestTemplatesHaveALimitTogether(t *testing.T) {
	t.Parallel()
	items := strings.Repeat(`"{{ vars.text }}", `, 100) + `""`
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nvars: { text: x }\nsteps:\n  - request: POST /x\n    headers: { x: '"+strings.Repeat("{{ vars.text }}", 100)+"' }\n    body: ["+items+"]\n"))
	require.NoError(t, err)
	env := scenario.Env{Vars: map[string]any{"text": strings.Repeat("x", 1<<20)}}
	_, err = s.Steps[0].Request.Body.Render(env)
	assert.EqualError(t, err, "its templates make more than 32 MB, the most that one text or value may hold")
	_, err = s.Steps[0].Request.Headers[0].Value.Render(env)
	assert.EqualError(t, err, "its templates make more than 32 MB, the most that one text or value may hold")
}

// A step has as many faults as a mock keeps, which is known before the step is run.
func TestFaultsOfAStepHaveALimit(t *testing.T) {
	t.Parallel()
	step := func(n int) string {
		return "version: 1\nname: x\nwhy: x\nsteps:\n  - token: {}\n    faults:\n" + strings.Repeat("      - { on: token, status: 500 }\n", n)
	}
	_, err := scenario.Parse("x.yaml", []byte(step(1000)))
	require.NoError(t, err)
	_, err = scenario.Parse("x.yaml", []byte(step(1001)))
	require.ErrorContains(t, err, "x.yaml:1007:9: too much for one step, spread the faults over several: 1000 faults are there")
}

// Each of 100,000 rows has the values of all axes: 200 kB of a table with 20 axes of one value
// took lint 2.5 GB, and a minute.
func TestAxesOfManyRowsHaveALimit(t *testing.T) {
	t.Parallel()
	parse := func(axes int) error {
		src := "version: 1\nname: x\nmatrix:\n  from: t.csv\n"
		for i := range axes {
			src += fmt.Sprintf("  a%d: [x]\n", i)
		}
		_, err := scenario.ParseWith("x.yaml", []byte(src+"steps:\n  - request: GET /x\n"), func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("c\n" + strings.Repeat("1\n", 100_000))), nil
		})
		return err
	}
	require.NoError(t, parse(5))
	assert.ErrorContains(t, parse(6), "x.yaml:5:3: the matrix has 100000 cases of 6 axes, which are 600000 values, and may have 500000: take fewer rows")
}
