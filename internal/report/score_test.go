package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/report"
)

// TestWilson: figures that others published. The first two are those of R. G. Newcombe,
// Two-sided confidence intervals for the single proportion (1998), table I.
func TestWilson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		right, of int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718},
		{20, 20, 0.8389, 1}, {5, 10, 0.2366, 0.7634}, {0, 0, 0, 1},
	} {
		low, high := report.Wilson(tt.right, tt.of)
		assert.InDelta(t, tt.low, low, 0.00006, "%d of %d", tt.right, tt.of)
		assert.InDelta(t, tt.high, high, 0.00006, "%d of %d", tt.right, tt.of)
	}
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, 100_000).Draw(t, "of")
		right := rapid.IntRange(0, of).Draw(t, "right")
		low, high := report.Wilson(right, of)
		share := float64(right) / float64(of)
		assert.True(t, 0 <= low && low <= share && share <= high && high <= 1, "%v %v %v", low, share, high)
		mirrored, _ := report.Wilson(of-right, of)
		assert.InDelta(t, 1-high, mirrored, 1e-9, "wrong ones are counted alike")
		wider, _ := report.Wilson(right*10, of*10)
		assert.GreaterOrEqual(t, wider, low, "more of the same is more certain")
	})
}

// scoredRun is a run with a score of three rows.
func scoredRun() report.Run {
	row := func(name, want, got, group string, right bool) report.Case {
		return report.Case{Name: name, Row: "dir/" + name, Verdict: report.Replayed, Scores: []report.ScoreRow{{
			Step: "c", Request: "r" + name, Group: group, Want: want, Got: []string{got}, Right: map[string]bool{"six": right},
		}}}
	}
	s := report.Scenario{File: "a.yaml", Name: "a", Verdict: report.Failed, Cases: []report.Case{
		row("t.csv:2", "610910", "610910", "knit", true), row("t.csv:3", "621420", "=cmd()", "a|b", false),
		{Name: "t.csv:4", Verdict: report.Missed, Scores: []report.ScoreRow{{Step: "c", Group: "knit", Want: "090210", Why: "no answer: the case is missed"}}},
	}}
	all, knit, rest := report.Count("six", 1, 3, 1), report.Count("six", 1, 2, 1), report.Count("six", 0, 1, 0)
	all.Gate, knit.Gate, rest.Gate, knit.Met = ">= 50%", ">= 50%", ">= 50%", true
	s.Scores = []report.Score{{Step: "c", By: "kind", Groups: []report.ScoreGroup{
		{All: true, Metrics: []report.Metric{all}}, {Name: "a|b", Metrics: []report.Metric{rest}}, {Name: "knit", Metrics: []report.Metric{knit}},
	}}}
	s.Unmet = []report.Failure{{File: "a.yaml", Line: 3, Column: 5, Step: "c", Message: "the score six is too low", Want: ">= 50%", Got: all.String()}}
	return report.Run{Scenarios: []report.Scenario{s}, Bill: report.Bill{Mode: "replay", Exit: 1}}
}

func TestScoreReports(t *testing.T) {
	t.Parallel()
	write := func(f func(*strings.Builder) error) string {
		var b strings.Builder
		require.NoError(t, f(&b))
		return b.String()
	}
	run := scoredRun()
	assert.Equal(t, "file,step,case,row,group,want,got,got2,got3,heading,six,among3,legal,confidence,confidence_of,why\n"+
		"a.yaml,c,t.csv:3,dir/t.csv:3,a|b,621420,'=cmd(),,,,wrong,,,,,\n"+
		"a.yaml,c,t.csv:4,,knit,090210,,,,,,,,,,no answer: the case is missed\n",
		write(func(b *strings.Builder) error { return report.ScoreCSV(b, run) }))

	text := write(func(b *strings.Builder) error { return report.Text(b, run, report.Style{}) })
	assert.Contains(t, text, "  six, all: 1 of 3 (33.3 %, with 95 % certainty 6.1 % to 79.2 %); 1 without an answer count as wrong  >= 50%: not met\n")
	assert.Contains(t, text, "  six, kind=a|b: 0 of 1 ")
	assert.NotContains(t, text, "kind=knit", "a group that passes is not told")
	assert.Contains(t, text, "a.yaml:3:5 (step c): the score six is too low\n  - want >= 50%\n")
	assert.Contains(t, write(func(b *strings.Builder) error { return report.Text(b, run, report.Style{Verbose: true}) }), "kind=knit: 1 of 2 ")

	junit := write(func(b *strings.Builder) error { return report.JUnit(b, run) })
	assert.Contains(t, junit, `<testsuites name="hsharness" tests="6" failures="3"`)
	assert.Contains(t, junit, `<testcase name="score six of step c, kind=a|b"`)
	markdown := write(func(b *strings.Builder) error { return report.Markdown(b, run) })
	assert.Contains(t, markdown, `| six, kind=a\|b | 0 | 1 | 0.0 % | 0.0 % to 79.3 % | 0 | &gt;= 50%: not met |`)
	assert.Contains(t, write(func(b *strings.Builder) error { return report.GitHub(b, run) }), "::error file=a.yaml,line=3,col=5,title=a::the score six is too low%0Awant >= 50%25")

	run.Scenarios[0].Scores[0].NotJudged, run.Scenarios[0].Unmet = "shard 1/4", nil
	assert.Contains(t, write(func(b *strings.Builder) error { return report.Text(b, run, report.Style{}) }), "not judged: shard 1/4\n")
	assert.Contains(t, write(func(b *strings.Builder) error { return report.JUnit(b, run) }), `tests="6" failures="1"`)
}
