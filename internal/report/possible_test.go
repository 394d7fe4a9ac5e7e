package report_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// What no run can have found is no line of a run's JSON: a word that is no verdict would count
// as passed, and figures that are added up would wrap around.
func TestARunsJSONIsPossible(t *testing.T) {
	t.Parallel()
	read := func(line string) error {
		_, _, err := report.ReadJSON("x.json", strings.NewReader(line+"\n"+`{"run":"R","exit":0}`+"\n"))
		return err
	}
	for line, want := range map[string]string{
		`{"file":"a.yaml","verdict":"Failed"}`:                                                 `the verdict "Failed" is none of [skipped mocked `,
		`{"file":"a.yaml","verdict":"mocked","cases":[{"verdict":"mocked"},{"verdict":"no"}]}`: `the verdict "no" is none of `,
		`{"file":"a.yaml","verdict":"\u001b[2J"}`:                                              `the verdict "\x1b[2J" is none of `,
		fmt.Sprintf(`{"file":"a.yaml","verdict":"mocked","spend":%d}`, math.MaxInt64):          "spend is 9223372036854775807, want 0 to 1000000000000",
		`{"file":"a.yaml","verdict":"mocked","calls":-1}`:                                      "calls is -1, want 0 to ",
		`{"file":"a.yaml","verdict":"mocked","elapsed_ms":9000000000000000000}`:                "elapsed_ms is 9000000000000000000, want 0 to ",
		`{"file":"a.yaml","verdict":"mocked","elapsed_ms":-1}`:                                 "elapsed_ms is -1, want 0 to ",
		`{"exit":0,"spent":-1}`:                                                                "spent is -1, want 0 to ",
		fmt.Sprintf(`{"exit":0,"max_spend":%d}`, math.MaxInt64):                                "max_spend is 9223372036854775807, want 0 to ",
	} {
		assert.ErrorContains(t, read(line), "x.json:1:1: no line of a run's JSON: "+want, line)
	}
	for _, v := range []report.Verdict{report.Mocked, report.Replayed, report.Bought, report.Stale, report.Unbought, report.Skipped, report.Missed, report.Blocked, report.Failed} {
		assert.NoError(t, read(fmt.Sprintf(`{"file":"a.yaml","verdict":%q,"cases":[{"verdict":%q}],"spend":1000000000000}`, v, v)), v)
	}
}

// A report without a verdict tells nothing, and is no part of a run that passed.
func TestMergeOfNoVerdict(t *testing.T) {
	t.Parallel()
	for _, s := range []report.Scenario{
		{File: "a.yaml", Part: "shard 1/1", Of: 1, Cases: []report.Case{{Name: "1", Verdict: report.Mocked}}},
		{File: "a.yaml", Part: "shard 1/1", Of: 1, Verdict: report.Mocked, Cases: []report.Case{{Name: "1"}}},
	} {
		_, err := report.Merge([]report.Scenario{s}, nil)
		assert.ErrorContains(t, err, "a.yaml shard 1/1 has no verdict, or one of its cases has none, and would count as passed")
	}
}

// A case that is there twice is noticed, however many digits its name has: no integer holds
// twenty.
func TestMergeOfCasesWithLongNumbers(t *testing.T) {
	t.Parallel()
	number := func(last string) string { return strings.Repeat("9", 24) + last }
	part := func(part string, of int, names ...string) report.Scenario {
		s := report.Scenario{File: "a.yaml", Part: part, Of: of, Verdict: report.Mocked}
		for _, name := range names {
			s.Cases = append(s.Cases, report.Case{Name: name, Verdict: report.Mocked})
		}
		return s
	}
	_, err := report.Merge([]report.Scenario{part("shard 1/2", 3, number("1"), number("2")), part("shard 2/2", 3, number("1"))}, nil)
	require.ErrorContains(t, err, "case "+number("1")+" is there twice")

	run, err := report.Merge([]report.Scenario{part("shard 1/2", 5, number("10"), number("2"), "007"), part("shard 2/2", 5, number("1"), "7")}, nil)
	require.NoError(t, err)
	var names []string
	for _, c := range run.Scenarios[0].Cases {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{"7", "007", number("1"), number("2"), number("10")}, names)
}

// Shards of two versions of a file are not one run, though as many cases are there as one of
// them says.
func TestMergeOfTwoVersions(t *testing.T) {
	t.Parallel()
	one, two := shard("shard 1/2", map[string]byte{"2": 'r', "10": 'r'}), shard("shard 2/2", map[string]byte{"9": 'r', "11": 'w'})
	two.Of = 5
	for _, both := range [][]report.Scenario{{one, two}, {two, one}} {
		_, err := report.Merge(both, nil)
		assert.ErrorContains(t, err, "name the JSON of shards of one run")
	}
}

// What others wrote in the JSON of a shard commands no terminal and no CI system.
func TestScoresOfOthersAreNoCommands(t *testing.T) {
	t.Parallel()
	const bad = "x\x1b[2J\n::error::x"
	run := scoredRun()
	s := &run.Scenarios[0]
	s.Cases = append(s.Cases, report.Case{Name: bad, Verdict: report.Skipped, Why: bad})
	score := &s.Scores[0]
	score.Step, score.By, score.NotJudged = bad, bad, bad
	score.Groups[0].Metrics[0].Name, score.Groups[0].Metrics[0].Gate = bad, bad
	score.Compared = &report.Comparison{Baseline: bad, NotJudged: bad, Changed: []report.Change{{Case: bad, Was: bad, Is: bad, Want: bad, What: "worse"}}}
	for _, style := range []report.Style{{}, {Verbose: true}} {
		var b strings.Builder
		require.NoError(t, report.Text(&b, run, style))
		assert.NotContains(t, b.String(), "\x1b")
		assert.NotContains(t, b.String(), "\n::error")
	}
	var b strings.Builder
	require.NoError(t, report.Markdown(&b, run))
	assert.NotContains(t, b.String(), "\x1b")
	assert.NotContains(t, b.String(), "\n::error")
}

// No cell of a table of rows is a formula, whatever it begins with.
func TestNoCellOfAScoreIsAFormula(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"=", "+", "-", "@", "\t", "\r"} {
		run := scoredRun()
		run.Scenarios[0].Cases[1].Scores[0].Want = begin + "cmd()"
		var b strings.Builder
		require.NoError(t, report.ScoreCSV(&b, run))
		assert.Contains(t, b.String(), "'"+begin+"cmd()", "%q", begin)
	}
}

// TestFailuresOfBackticks: a summary of many answers that are backticks takes no more room than
// they do. No other test allocates meanwhile.
func TestFailuresOfBackticks(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	r := report.Run{Scenarios: []report.Scenario{{Name: "a", Verdict: report.Failed, Cases: []report.Case{{Verdict: report.Failed}}}}}
	c := &r.Scenarios[0].Cases[0]
	for range 20 {
		c.Failures = append(c.Failures, report.Failure{File: "a.yaml", Message: "m", Exchange: strings.Repeat("`", 15<<10)})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var b strings.Builder
	require.NoError(t, report.Markdown(&b, r))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	assert.Contains(t, b.String(), "\n"+strings.Repeat("`", 15<<10+1)+"text\n")
}

// The time of many shards that is possible for each is a time still: it wrapped around, and was
// below zero.
func TestMergeOfLongTimes(t *testing.T) {
	t.Parallel()
	var all []report.Scenario
	for i := range 20 {
		all = append(all, report.Scenario{File: fmt.Sprintf("%d.yaml", i), Verdict: report.Mocked, ElapsedMS: 1_000_000_000_000})
	}
	run, err := report.Merge(all, nil)
	require.NoError(t, err)
	assert.Greater(t, run.Elapsed.Hours(), 290*365*24.0)
}

// Thousands of failures of one case are written in the time of their length: each was put
// behind a copy of all before it.
func TestJUnitOfManyFailures(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	one := report.Case{Verdict: report.Failed, Failures: make([]report.Failure, 2000)}
	for i := range one.Failures {
		one.Failures[i] = report.Failure{File: "a.yaml", Line: i + 1, Message: "m", Exchange: strings.Repeat("x", 4000)}
	}
	run := report.Run{Scenarios: []report.Scenario{{File: "a.yaml", Name: "a", Verdict: report.Failed, Cases: []report.Case{one}}}}
	var before, after runtime.MemStats
	var out strings.Builder
	runtime.ReadMemStats(&before)
	require.NoError(t, report.JUnit(&out, run))
	runtime.ReadMemStats(&after)
	assert.Equal(t, 2000, strings.Count(out.String(), "a.yaml:"))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(500<<20))
}
