package report_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// judged is a run of which each code is right as it says, a letter a row: r is right, w is
// wrong, W is wrong in another way, and - has no answer.
func judged(rows string) report.Run {
	s := report.Scenario{File: "a.yaml", Name: "a", Verdict: report.Replayed}
	right, missing := 0, 0
	for i, c := range rows {
		name := string(rune('a' + i))
		row := report.ScoreRow{Step: "c", Request: "ask " + name, Want: "610910"}
		switch c {
		case 'r':
			row.Got, row.Right = []string{"610910"}, map[string]bool{"six": true}
			right++
		case 'w', 'W':
			row.Got, row.Right = []string{"9999" + string(c)}, map[string]bool{"six": false}
		default:
			row.Request = ""
			missing++
		}
		s.Cases = append(s.Cases, report.Case{Name: "t.csv:" + name, Scores: []report.ScoreRow{row}})
	}
	all := report.Count("six", right, len(rows), missing)
	s.Scores = []report.Score{{Step: "c", Line: 7, Column: 5, Groups: []report.ScoreGroup{{All: true, Metrics: []report.Metric{all}}}}}
	return report.Run{Scenarios: []report.Scenario{s}}
}

// baseline is a run as it was written and is read.
func baseline(t *testing.T, run report.Run, tolerance *big.Rat) *report.Baseline {
	t.Helper()
	var b strings.Builder
	require.NoError(t, report.JSON(&b, run))
	out, err := report.ReadBaseline("main.json", strings.NewReader(b.String()))
	require.NoError(t, err)
	out.Tolerance = tolerance
	return out
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		was, is string
		percent int64
		want    string
		fell    string
	}{
		{"rrww", "rrww", 0, "against main.json: 0 codes changed", ""},
		{"rrww", "rrrw", 0, "against main.json: 1 code changed (1 better, 0 worse, 0 other)", ""},
		{"rrww", "rrWw", 0, "against main.json: 1 code changed (0 better, 0 worse, 1 other)", ""},
		{"rrww", "wrrw", 0, "against main.json: 2 codes changed (1 better, 1 worse, 0 other)", ""},
		{"rrww", "rwww", 0, "against main.json: 1 code changed (0 better, 1 worse, 0 other)", "the score six fell by 25 points since main.json, and may fall by 0"},
		{"rrww", "rwww", 25, "against main.json: 1 code changed (0 better, 1 worse, 0 other)", ""},
		{"rrww", "rwww", 24, "against main.json: 1 code changed (0 better, 1 worse, 0 other)", "the score six fell by 25 points since main.json, and may fall by 24"},
		{"rrww", "r-ww", 0, "against main.json: 0 codes changed; 1 answered then and not now", "the score six fell by 25 points since main.json, and may fall by 0"},
		{"rrww", "rrwwr", 0, "against main.json: 0 codes changed; 1 not asked then", ""},
	} {
		run := judged(tt.is)
		baseline(t, judged(tt.was), big.NewRat(tt.percent, 100)).Compare(&run)
		s := run.Scenarios[0]
		require.NotNil(t, s.Scores[0].Compared)
		assert.Equal(t, tt.want, s.Scores[0].Compared.String(), "%s %s", tt.was, tt.is)
		if tt.fell == "" {
			assert.Empty(t, s.Unmet, "%s %s", tt.was, tt.is)
			assert.Equal(t, report.Replayed, s.Verdict)
			continue
		}
		require.Len(t, s.Unmet, 1, "%s %s", tt.was, tt.is)
		assert.Equal(t, tt.fell, s.Unmet[0].Message)
		assert.Equal(t, "a.yaml:7:5 (step c)", s.Unmet[0].Place())
		assert.Equal(t, report.Failed, s.Verdict)
	}
}

// TestBaselineOfRowsThatMoved: a row is known by what it asks, and a scenario by its name.
func TestBaselineOfRowsThatMoved(t *testing.T) {
	t.Parallel()
	run := judged("rwr")
	cases := run.Scenarios[0].Cases
	cases[0], cases[2] = cases[2], cases[0]
	cases[0].Name, cases[2].Name = "t.csv:x", "t.csv:y"
	run.Scenarios[0].File = "elsewhere/a.yaml"
	baseline(t, judged("rrr"), nil).Compare(&run)
	c := run.Scenarios[0].Scores[0].Compared
	require.Len(t, c.Changed, 1)
	assert.Zero(t, c.New, "each was asked then, by another name")
	assert.Equal(t, "t.csv:b: 9999w, was 610910: worse (wanted 610910)", c.Changed[0].String())
}

// TestBaselineOfAPart: what changed is told, and no share compared.
func TestBaselineOfAPart(t *testing.T) {
	t.Parallel()
	part := judged("www")
	part.Scenarios[0].Scores[0].NotJudged = "shard 1/4"
	baseline(t, judged("rrr"), nil).Compare(&part)
	assert.Empty(t, part.Scenarios[0].Unmet)
	assert.Equal(t, "against main.json: 3 codes changed (0 better, 3 worse, 0 other); no share compared: shard 1/4", part.Scenarios[0].Scores[0].Compared.String())
	whole, old := judged("www"), judged("rrr")
	old.Scenarios[0].Scores[0].NotJudged = "shard 1/4"
	baseline(t, old, nil).Compare(&whole)
	assert.Empty(t, whole.Scenarios[0].Unmet)
	assert.Contains(t, whole.Scenarios[0].Scores[0].Compared.String(), "no share compared: in the baseline, shard 1/4")
}

// A baseline that left cases out has no share of all, and neither has such a run.
func TestBaselineOfWhatWasBought(t *testing.T) {
	t.Parallel()
	run, old := judged("www"), judged("rrr")
	run.Scenarios[0].Scores[0].LeftOut = 2
	baseline(t, old, nil).Compare(&run)
	assert.Empty(t, run.Scenarios[0].Unmet)
	assert.Contains(t, run.Scenarios[0].Scores[0].Compared.String(), "no share compared: 2 cases are left out")
	run, old.Scenarios[0].Scores[0].LeftOut = judged("www"), 1
	baseline(t, old, nil).Compare(&run)
	assert.Empty(t, run.Scenarios[0].Unmet)
	assert.Contains(t, run.Scenarios[0].Scores[0].Compared.String(), "no share compared: in the baseline, 1 cases are left out")
}

// A baseline of another table compares nothing, whatever its share is: it is a gate no more.
func TestBaselineOfAnotherTable(t *testing.T) {
	t.Parallel()
	other := judged("www")
	for i := range other.Scenarios[0].Cases {
		other.Scenarios[0].Cases[i].Scores[0].Request += " of another table"
	}
	run := judged("rr")
	baseline(t, other, big.NewRat(1, 1)).Compare(&run)
	s := run.Scenarios[0]
	require.Len(t, s.Unmet, 1)
	assert.Equal(t, report.Failed, s.Verdict)
	assert.Equal(t, "main.json says nothing of this score: none of what it asked is asked now", s.Unmet[0].Message)
	assert.Equal(t, []string{"some of its 3 answers", "2 others"}, []string{s.Unmet[0].Want, s.Unmet[0].Got})
}

// A score that the baseline does not have is told, and not passed over: its step, or its
// scenario, has another name. Of two scenarios of one name neither is taken for a third.
func TestBaselineWithoutTheScore(t *testing.T) {
	t.Parallel()
	text := "no share compared: it has no score of this step"
	run := judged("www")
	run.Scenarios[0].Scores[0].Step = "renamed"
	old := baseline(t, judged("rrr"), nil)
	old.Compare(&run)
	assert.Contains(t, run.Scenarios[0].Scores[0].Compared.String(), text)
	s := judged("rrr").Scenarios[0]
	assert.True(t, old.Has(report.ScoreName{s.File, s.Name, s.Scores[0].Step}))
	assert.True(t, old.Has(report.ScoreName{"elsewhere/" + s.File, s.Name, s.Scores[0].Step}))
	assert.False(t, old.Has(report.ScoreName{s.File, s.Name, "renamed"}))
	assert.False(t, old.Has(report.ScoreName{s.File, "renamed", s.Scores[0].Step}))
	two := judged("rrr")
	two.Scenarios = append(two.Scenarios, two.Scenarios[0])
	two.Scenarios[1].File = "b.yaml"
	assert.True(t, baseline(t, two, nil).Has(report.ScoreName{"b.yaml", s.Name, s.Scores[0].Step}))
	assert.False(t, baseline(t, two, nil).Has(report.ScoreName{"c.yaml", s.Name, s.Scores[0].Step}))
}

// A baseline whose score has no figures lets nothing pass in silence.
func TestBaselineWithoutFigures(t *testing.T) {
	t.Parallel()
	for _, groups := range [][]report.ScoreGroup{nil, {{All: true}}, {{All: true, Metrics: []report.Metric{{Name: "heading", Right: 1, Of: 1}}}}} {
		old := judged("rrr")
		old.Scenarios[0].Scores[0].Groups = groups
		run := judged("www")
		baseline(t, old, nil).Compare(&run)
		assert.Contains(t, run.Scenarios[0].Scores[0].Compared.String(), "no share compared: it has no figure of this score")
	}
}

func TestBaselineReports(t *testing.T) {
	t.Parallel()
	run := judged(strings.Repeat("w", 26))
	baseline(t, judged(strings.Repeat("r", 26)), nil).Compare(&run)
	for name, write := range map[string]func(*strings.Builder) error{
		"text":     func(b *strings.Builder) error { return report.Text(b, run, report.Style{}) },
		"markdown": func(b *strings.Builder) error { return report.Markdown(b, run) },
	} {
		var b strings.Builder
		require.NoError(t, write(&b))
		assert.Contains(t, b.String(), "26 codes changed (0 better, 26 worse, 0 other)", name)
		assert.Contains(t, b.String(), "t.csv:z: 9999w, was 610910: worse (wanted 610910)", name)
	}
	text, err := json.Marshal(run.Scenarios[0])
	require.NoError(t, err)
	assert.Contains(t, string(text), `"compared":{"baseline":"main.json","better":0,"worse":26,"other":0,"changed":[{"case":"t.csv:a","want":"610910","was":"610910","is":"9999w","what":"worse"}`)
}

func TestWrongBaseline(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "main.json:1:1: it ends without a bill",
		"{\"file\":\"a.yaml\"}\n": "main.json:1:1: it ends without a bill",
		"{\"file\":\"a.yaml\"}\n{\"exit\":0}\n{\"file\":\"b.yaml\"}\n": "main.json:3:1: it ends without a bill",
		"{\"file\":\"a.yaml\"}\n{\"exit\":0}\n":                        "main.json:1:1: there is no score in it",
		"{\"file\":\"a.yaml\"}\n{\n":                                   "main.json:2:1: no line of a run's JSON: ",
		"[]\n":                                                         "main.json:1:1: no line of a run's JSON: it is a JSON array, and an object is wanted",
		"{\"file\":7}\n":                                               "main.json:1:1: no line of a run's JSON: file can't be a JSON number",
		`{"file":"a","scores":[{"step":"c","groups":[{"metrics":[{"name":"six","right":7,"of":-3}]}]}]}`: "main.json:1:1: no line of a run's JSON: the score six of step c has 7 right of -3",
		`{"file":"a","scores":[{"step":"c","groups":[{"metrics":[{"name":"six","right":4,"of":3}]}]}]}`:  "has 4 right of 3",
		"<html>": "main.json:1:1: no line of a run's JSON: ",
	} {
		_, err := report.ReadBaseline("main.json", strings.NewReader(text))
		assert.ErrorContains(t, err, want)
	}
	run := judged("r")
	(*report.Baseline)(nil).Compare(&run)
	assert.Nil(t, run.Scenarios[0].Scores[0].Compared)
}
