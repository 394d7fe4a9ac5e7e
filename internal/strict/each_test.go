package strict

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachPassesOverWhatIsWrong: an item with a problem, below it or above it, and no other.
func TestEachPassesOverWhatIsWrong(t *testing.T) {
	t.Parallel()
	table := Table{Version: 1, Settings: []Setting{{Path: "l", Kind: List}, {Path: "l[].n", Kind: Integer, Max: 9}, {Path: "l1", Kind: List}, {Path: "l1[].n", Kind: Integer, Max: 9}}}
	f, err := table.Read("x.yaml", []byte("version: 1\nl: [{n: 1}, {n: 10}, {m: 1}, {n: 2}, 3]\nl1: [{n: 1}]\n---\nversion: 1\n"))
	require.NoError(t, err)
	seen := func(path string) (at []int) {
		Each(f, path, func(i int, _ map[string]int) { at = append(at, i) })
		return at
	}
	assert.Equal(t, []int{0, 3}, seen("l"))
	assert.Equal(t, []int{0}, seen("l1"))
	f.Complain("l", "all of it")
	assert.Empty(t, seen("l"))
	assert.Equal(t, []int{0}, seen("l1"), "which only begins like it")
}

// TestManyWrongItems: a list of wrong items is read in the time of its length; 100,000 took
// more than nine minutes.
func TestManyWrongItems(t *testing.T) {
	t.Parallel()
	f, err := numbers().Read("x.yaml", []byte("version: 1\nl:\n"+strings.Repeat("- {n: x}\n", 60_000)))
	require.NoError(t, err)
	begun := time.Now()
	Each(f, "l", func(int, map[string]int) {})
	assert.Less(t, time.Since(begun), 5*time.Second)
	assert.ErrorContains(t, f.Err(), "and 59980 more")
}
