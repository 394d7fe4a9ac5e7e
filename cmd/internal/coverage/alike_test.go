package coverage_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/coverage"
)

// TestManyThatAreAlike: rows that all ask the same are one candidate, in the room of their
// number and not of its square. No other test allocates meanwhile.
func TestManyThatAreAlike(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	const rows = 5_000
	var p coverage.Problem
	for i := range rows {
		p.Candidates = append(p.Candidates, coverage.Candidate{
			Needs:  []coverage.Need{{ID: 0, Units: 1}},
			Covers: []coverage.Cover{{Element: 0, Value: int64(1 + i%8)}, {Element: 1 + 2*i, Value: 2, Class: 1}, {Element: 2 + 2*i, Value: 3, Class: 2}},
		})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := coverage.Choose(p, 1)
	runtime.ReadMemStats(&after)
	assert.Len(t, c.Picks, rows)
	assert.Equal(t, 1, c.Units)
	assert.Equal(t, int64(8+5*rows), c.Value)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}
