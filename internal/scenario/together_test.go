package scenario_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

const shirt = `body: { description: "cotton t-shirt", countryOfDestination: US }`

// listed writes n items of a YAML list in one line; # in an item is its number.
func listed(n int, item string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(item, "#", fmt.Sprint(i)) + ", ")
	}
	return b.String()
}

// TestTextsOfAStepHaveALimitTogether: each may have 32 MB, and thousands of them fit into one
// file, whose headers, words or path were hundreds of gigabytes.
func TestTextsOfAStepHaveALimitTogether(t *testing.T) { //nolint:paralleltest // it takes memory
	for name, of := range map[string]struct{ steps, says string }{
		"headers": {"request: POST /hscode/classify\n    " + shirt + "\n    headers: { " + listed(40, `h#: "{{ repeat(repeat('x', 1000), 1000) }}"`) + "}",
			"x.yaml:4:5 (step 1): the header h33: more than 32 MB together, the most that one step may send or start"},
		"a path": {`request: "POST /hscode/classify?a=` + strings.Repeat("{{ repeat(repeat('x', 1000), 1000) }}", 40) + `"` + "\n    " + shirt,
			"x.yaml:4:5 (step 1): its templates make more than 32 MB"},
		"a path that is escaped": {`request: "POST /hscode/classify?a=` + strings.Repeat("{{ repeat(repeat('/', 1000), 1000) }}", 12) + `"` + "\n    " + shirt,
			"x.yaml:4:5 (step 1): its templates make more than 32 MB"},
		"a body that is escaped": {"request: POST /hscode/classify\n    body: { d: \"{{ repeat(repeat('<', 1000), 6000) }}\" }",
			"x.yaml:4:5 (step 1): body: more than 32 MB together"},
		"names in a body": {"request: POST /hscode/classify\n    body: { d: \"{{ {'a': repeat(repeat('\\\\u0001', 1000), 6000)} }}\" }",
			"x.yaml:4:5 (step 1): body: more than 32 MB together"},
		"words of a command": {"exec: { command: [ \"true\", " + listed(40, `"{{ repeat(repeat('x', 1000), 1000) }}"`) + "] }",
			"x.yaml:4:5 (step 1): the command: more than 32 MB together, the most that one step may send or start"},
	} {
		got := run(t, scenario.Runner{AllowExec: true}, "steps:\n  - "+of.steps+"\n")
		if failures := got.Failures(); assert.Len(t, failures, 1, name) {
			assert.Contains(t, failures[0].String(), of.says, name)
		}
	}
	got := run(t, scenario.Runner{}, "steps:\n  - request: POST /hscode/classify\n    body: { description: shirt, countryOfDestination: US, d: \"{{ repeat(repeat('<', 1000), 100) }}\" }\n")
	assert.Empty(t, got.Failures())
}

// TestAPathHasALimitWhereItIsPriced: lint made the whole of it too, for each case.
func TestAPathHasALimitWhereItIsPriced(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nvars: { a: \""+strings.Repeat("x", 50_000)+"\" }\nmatrix: { i: ["+listed(100, "#")+"] }\nsteps:\n  - request: \"POST /hscode/classify?a="+strings.Repeat("{{ vars.a }}", 1000)+"\"\n"))
	require.NoError(t, err)
	var found []string
	took := made(func() {
		for _, f := range scenario.Lint(s, cost) {
			found = append(found, f.Rule)
		}
	})
	assert.Contains(t, found, "too-many-steps")
	assert.Less(t, took, uint64(8<<30))
}

// TestExpressionsOfACaseHaveALimitTogether: each may take ten million steps, and ten thousand
// of them fit into one file.
func TestExpressionsOfACaseHaveALimitTogether(t *testing.T) {
	t.Parallel()
	got := run(t, scenario.Runner{}, "steps:\n  - request: POST /hscode/classify\n    "+shirt+"\n    expect:\n      assert: [ "+listed(60, `"all(1..190000, # >= 0) and # >= 0"`)+"]\n")
	failures := got.Failures()
	require.NotEmpty(t, failures)
	assert.Contains(t, failures[0].Got, "what was looked at so far took more than 100000000 steps, the most that one case may take: let its expressions do less, or make two scenarios")
	assert.Equal(t, 7, failures[0].Line)

	got = run(t, scenario.Runner{}, "steps:"+classify+"    expect:\n      assert: [ "+listed(20, `"all(1..190000, # >= 0) and # >= 0"`)+"]\n")
	assert.Empty(t, got.Failures(), "twenty that are long")
}

// TestManyFailuresOfOneExchange: each was told with all of a value, and with the exchange made
// anew: 3000 assertions about 15 MB took minutes, and a long header was in each.
func TestManyFailuresOfOneExchange(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	fault := "\n    faults: [ { on: api, status: 200, body: '{\"a\":[" + strings.Repeat("1,", 1999) + "1]}', headers: { x-long: \"" + strings.Repeat("h", 100_000) + "\" } } ]"
	for name, of := range map[string]struct {
		expect, says string
		failures     int
	}{
		"assertions about a long text": {"assert: [ " + listed(2000, `"capture.a == '#'"`) + "]", `false, where capture.a = "xxx`, 501},
		"assertions":                   {"assert: [ " + listed(2000, `"1 == #+2"`) + "]", "false", 501},
		"long texts that are expected": {"json: { a: [ " + listed(2000, `"$eq {{ capture.a }}"`) + "] }", "1", 501},
		"values that are long":         {"json: { a: [ " + listed(2000, `"{{ capture.a }}"`) + "] }", "1", 501},
		"a number that is a long text": {"json: { a: [ " + listed(2000, `">= {{ capture.a }}"`) + "] }", "1", 501},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := run(t, scenario.Runner{}, "steps:"+classify+"    capture: { a: \"repeat(repeat('x', 1000), 5000)\" }"+classify+fault[1:]+"\n    expect: { "+of.expect+" }\n")
		runtime.ReadMemStats(&after)
		failures := got.Failures()
		if !assert.Len(t, failures, of.failures, name) {
			continue
		}
		assert.Contains(t, failures[0].Got, of.says, name)
		assert.Equal(t, "and 1500 more of it is not as expected", failures[500].Message, name)
		assert.Less(t, len(failures[0].String()), 6000, name)
		assert.Contains(t, failures[0].Exchange, "< X-Long: hhh", name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), name)
	}
}

// TestAShownExchangeIsShort: of many headers the first, and of a long URL the beginning.
func TestAShownExchangeIsShort(t *testing.T) {
	t.Parallel()
	headers := listed(100, `x-#: "`+strings.Repeat("h", 500)+`"`)
	got := run(t, scenario.Runner{}, "steps:"+classify+"    faults: [ { on: api, status: 200, body: '{}', headers: { "+headers+"} } ]\n    expect: { status: 418 }\n  - request: GET /a?"+strings.Repeat("q", 3000)+"\n")
	require.Len(t, got.Failures(), 1)
	text := got.Failures()[0].Exchange
	assert.Less(t, len(text), 12_000)
	assert.Regexp(t, `\n< … and \d\d more headers\n`, text)
	got = run(t, scenario.Runner{}, "steps:\n  - request: GET /a?"+strings.Repeat("q", 3000)+"\n")
	require.Len(t, got.Failures(), 1)
	assert.Regexp(t, `qqq…\n`, got.Failures()[0].Exchange)
	assert.Less(t, len(got.Failures()[0].Exchange), 4000)
}

// TestSoManyCodesOfAnAnswer: all codes of an answer were kept for each place that names them.
func TestSoManyCodesOfAnAnswer(t *testing.T) {
	t.Parallel()
	got := run(t, scenario.Runner{}, "steps:"+classify+"    faults: [ { on: api, status: 200, body: '{\"a\":["+strings.Repeat("610910,", 9999)+"610910]}' } ]\n    score: { want: \"610910\", six: \">= 1%\", at: [ "+listed(500, "/a")+listed(5000, "/b")+"] }\n")
	require.Empty(t, got.Failures())
	row := got.Cases[0].Scores[0]
	assert.Len(t, row.Got, 100)
	assert.True(t, row.Right["six"])
	assert.Less(t, len(row.Why), 2100)
}

// TestVariablesOfTheEnvironmentTogether: one that is named thousands of times is as long as it
// is each time, and was looked for in the report as often.
func TestVariablesOfTheEnvironmentTogether(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("long-value-", 1000)
	lookup := func(string) (string, bool) { return value, true }
	start := time.Now()
	got := run(t, scenario.Runner{LookupEnv: lookup}, "vars: { a: \""+strings.Repeat("${A}", 2500)+"\" }\nsteps:"+classify)
	assert.Empty(t, got.Failures())
	assert.Less(t, time.Since(start), 2*time.Minute)
	got = run(t, scenario.Runner{LookupEnv: lookup}, "vars: { a: \""+strings.Repeat("${A}", 5000)+"\" }\nsteps:"+classify)
	require.Len(t, got.Failures(), 1)
	assert.Contains(t, got.Failures()[0].Message, "x.yaml:3:9: vars.a: what it names of the environment has more than 32 MB: name less of it")
}

// TestManyCapturesThatAreNotMadeYet: the names of those that are were put in order for each.
func TestManyCapturesThatAreNotMadeYet(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	took := func(n int) uint64 {
		src := []byte("version: 1\nname: x\nsteps:\n  - { request: GET /a, capture: { " + listed(n, "c#: res") + "} }\n" +
			"  - request: POST /a\n    body: [ " + listed(n, `"{{capture.z}}"`) + "]\n  - { request: GET /a, capture: { z: res } }\n")
		return made(func() {
			_, err := scenario.Parse("x.yaml", src)
			require.ErrorContains(t, err, `capture "z" is not made yet`)
		})
	}
	few, most := took(950), took(3800)
	assert.Less(t, most, 6*few, "four times as many")
}
