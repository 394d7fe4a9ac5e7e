package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// TestAReportThatBeginsWithinADay has of that day what came after: the days are the total.
func TestAReportThatBeginsWithinADay(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	of := func(units int64) quota.Tally { return quota.Tally{Attempts: units, Spent: units, Answers: units} }
	s := quota.Statement{
		Since: first.Add(9 * time.Hour), Begun: first.Add(-time.Hour), Total: of(7),
		Days:      []quota.Day{{Start: first, Tally: of(9), Saved: 6, Replayed: 5, Blocked: 4, Left: 50}, {Start: first.AddDate(0, 0, 1), Tally: of(3)}},
		SuiteDays: map[string][]quota.Day{"a": {{Start: first, Tally: of(4), Saved: 6, Replayed: 5, Blocked: 4}, {Start: first.AddDate(0, 0, 1), Tally: of(3)}}, "b": {{Start: first, Tally: of(5)}}},
	}
	whole := report.NewBudget(quota.Status{Granted: 100}, s, first.AddDate(0, 0, 1))
	b := whole.Spread(tally.Spread{Early: map[string]quota.Day{"a": {Saved: 6, Replayed: 5, Blocked: 1}, "b": {Tally: of(5)}}})
	assert.Equal(t, quota.Day{Start: first, Tally: of(4), Blocked: 3, Left: 50}, b.Days[0])
	assert.Equal(t, b.Total.Spent, b.Days[0].Spent+b.Days[1].Spent)
	assert.Equal(t, quota.Day{Start: first, Tally: of(4), Blocked: 3}, b.SuiteDays["a"][0])
	assert.Empty(t, b.SuiteDays["b"], "nothing of it came after")
	assert.EqualValues(t, 9, whole.Days[0].Spent, "another report is not changed")
}
