package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// shard is a part of a scenario of four rows, with what is right of them: r or w.
func shard(part string, rows map[string]byte) report.Scenario {
	s := report.Scenario{File: "a.yaml", Name: "a", Part: part, Of: 4, Verdict: report.Replayed, Scores: []report.Score{{Step: "c", NotJudged: part, Line: 9, Column: 5,
		Groups: []report.ScoreGroup{{All: true, Metrics: []report.Metric{{Name: "six", Gate: ">= 75%"}}}}}}}
	for name, right := range rows {
		s.Cases = append(s.Cases, report.Case{Name: "t.csv:" + name, Verdict: report.Replayed, Scores: []report.ScoreRow{{Step: "c", Request: name, Right: map[string]bool{"six": right == 'r'}}}})
	}
	return s
}

func TestMerge(t *testing.T) {
	t.Parallel()
	one, two := shard("shard 1/2", map[string]byte{"2": 'r', "10": 'r'}), shard("shard 2/2", map[string]byte{"9": 'r', "11": 'w'})
	other := report.Scenario{File: "b.yaml", Name: "b", Verdict: report.Failed, Cases: []report.Case{{Verdict: report.Failed}}}
	bills := []report.Bill{{Mode: "replay", Spent: 2, Replayed: 3}, {Mode: "replay", Spent: 3, Missed: 1}}
	run, err := report.Merge([]report.Scenario{one, other, two}, bills)
	require.NoError(t, err)
	require.Len(t, run.Scenarios, 2)
	s := run.Scenarios[0]
	var names []string
	for _, c := range s.Cases {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{"t.csv:2", "t.csv:9", "t.csv:10", "t.csv:11"}, names)
	assert.Empty(t, s.Part)
	assert.Equal(t, report.Replayed, s.Verdict)
	assert.Empty(t, s.Unmet)
	assert.Contains(t, s.Scores[0].Groups[0].Metrics[0].String(), "3 of 4 (75.0 %")
	assert.Empty(t, s.Scores[0].NotJudged)
	assert.Equal(t, [4]int{5, 3, 1, 0}, [4]int{run.Bill.Spent, run.Bill.Replayed, run.Bill.Missed, run.Bill.Requests})

	run, err = report.Merge([]report.Scenario{shard("shard 1/2", map[string]byte{"2": 'r', "10": 'w'}), two}, bills)
	require.NoError(t, err)
	assert.Equal(t, report.Failed, run.Scenarios[0].Verdict)
	require.Len(t, run.Scenarios[0].Unmet, 1)
	assert.Contains(t, run.Scenarios[0].Unmet[0].String(), "a.yaml:9:5 (step c): the score six is too low")

	for want, scenarios := range map[string][]report.Scenario{
		"a.yaml: 2 of its 4 cases are there (shard 1/2)":             {one},
		"a.yaml: case t.csv:2 is there twice (shard 1/2, shard 1/2)": {one, one},
		"b.yaml is there twice, and is no shard":                     {other, other},
		`a.yaml: ">= much%" is no gate of "six"`:                     {one, func() report.Scenario { return two }(), {File: "c.yaml"}},
	} {
		if len(scenarios) == 3 {
			bad := shard("shard 1/2", map[string]byte{"2": 'r', "10": 'r'})
			bad.Scores[0].Groups[0].Metrics[0].Gate = ">= much%"
			scenarios = []report.Scenario{bad, two}
		}
		_, err := report.Merge(scenarios, bills)
		assert.ErrorContains(t, err, want)
	}
}

// A scenario of very many parts is not told with all of them.
func TestManyPartsAreNamedInPart(t *testing.T) {
	t.Parallel()
	scenarios := make([]report.Scenario, 10_000)
	for i := range scenarios {
		scenarios[i] = report.Scenario{Verdict: report.Mocked, File: "a.yaml", Part: "shard", Of: 1}
	}
	_, err := report.Merge(scenarios, nil)
	require.ErrorContains(t, err, "a.yaml: 0 of its 1 cases are there (shard, ")
	require.ErrorContains(t, err, "shard and 9980 more)")
	assert.Less(t, len(err.Error()), 1000)
}
