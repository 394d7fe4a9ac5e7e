package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// A gate is met by exactly its share, as whole numbers have it, and by nothing below.
func TestGateAtItsShare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		right, of int
		gate      string
		met       bool
	}{
		{9, 10, "90%", true}, {90, 100, "90%", true}, {899, 1000, "90%", false}, {89_999, 100_000, "90%", false}, {90_000, 100_000, "90%", true},
		{1, 3, "33.333%", true}, {1, 3, "33.334%", false}, {2, 3, "66.667%", false}, {7, 1000, "0.7%", true}, {29, 100, "29%", true},
		{0, 1, "0%", true}, {1, 1, "100%", true}, {99_999, 100_000, "100%", false},
	} {
		gate, err := report.ParseGate("heading", ">= "+row.gate)
		require.NoError(t, err)
		var s report.Scenario
		for i := range row.of {
			s.Cases = append(s.Cases, report.Case{Scores: []report.ScoreRow{{Step: "c", Right: map[string]bool{"heading": i < row.right}}}})
		}
		s.Judge(report.Score{Step: "c"}, []report.Gate{gate})
		assert.Equal(t, row.met, s.Scores[0].Groups[0].Metrics[0].Met, "%d of %d, %s", row.right, row.of, row.gate)
		assert.Equal(t, row.met, len(s.Unmet) == 0)
	}
}
