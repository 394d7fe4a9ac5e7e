package tally_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// read is a ledger with a run that spent a unit on each key.
func read(spent int64, from, to int, key func(n int) string) tally.Read {
	p := tally.NewPart(0)
	for n := from; n <= to; n++ {
		p.Spend(tally.NewAttempt(quota.Entry{Seq: int64(n), Time: now, Run: "run", Units: 1, ID: fmt.Sprint(n), RequestKey: key(n), Test: "test"}))
	}
	return tally.Read{
		Upto: tally.Upto{Ledger: "L", Spends: int64(to), Head: int64(to)}, Now: now,
		Runs:  []quota.RunInfo{{RunSpec: quota.RunSpec{ID: "run", Max: 1000}, State: quota.Ended, Spent: spent, Begun: now}},
		Parts: []*tally.Part{p},
	}
}

// A journal that missed an entry, or has one too many, is not what the runs say.
func TestJournalThatIsWrong(t *testing.T) {
	t.Parallel()
	for more, want := range map[int64]bool{-1: false, 0: true, 1: false} {
		j := new(tally.Journal)
		_, ok := j.Statement(read(5, 1, 5, func(int) string { return "" }), time.Time{})
		require.True(t, ok)
		_, ok = j.Statement(read(8+more, 6, 8, func(int) string { return "" }), time.Time{})
		assert.Equal(t, want, ok, "%d units more", more)
	}
}

// Many keys find their places, in what is kept and in what comes after it.
func TestKeys(t *testing.T) {
	t.Parallel()
	const keys = 5000
	j := new(tally.Journal)
	key := func(n int) string { return fmt.Sprint("key ", n%keys) }
	s, ok := j.Statement(read(keys, 0, keys-1, key), time.Time{})
	require.True(t, ok)
	assert.Equal(t, quota.Tally{Attempts: keys, Spent: keys, Answers: keys}, s.Total)
	s, ok = j.Statement(read(2*keys, keys, 2*keys-1, key), time.Time{})
	require.True(t, ok)
	assert.Equal(t, quota.Tally{Attempts: 2 * keys, Spent: 2 * keys, Answers: keys, Repeated: keys, Retried: keys}, s.Total)
}

// A spend is of the last thirty days, of as many before, or of neither, and one that is
// dated ahead is of today.
func TestTimes(t *testing.T) {
	t.Parallel()
	p := tally.NewPart(0)
	for n, days := range []int{-70, -40, -1, 3} {
		p.Spend(tally.NewAttempt(quota.Entry{Seq: int64(n + 1), Time: now.AddDate(0, 0, days), Run: "run", Units: 1 << n, ID: fmt.Sprint(n)}))
	}
	s, ok := new(tally.Journal).Statement(tally.Read{Now: now, Parts: []*tally.Part{p}}, time.Time{})
	require.True(t, ok)
	assert.Equal(t, [3]int64{15, 4 + 8, 2}, [3]int64{s.Total.Spent, s.Lately.Spent, s.Earlier.Spent})
	require.Len(t, s.Days, 4)
	assert.Equal(t, now.Truncate(24*time.Hour), s.Days[3].Start)
}

// What a store's statement says of an ending is taken as it is, or not at all.
func TestEnded(t *testing.T) {
	t.Parallel()
	p := tally.NewPart(0)
	for n := range int64(3) {
		p.Spend(tally.NewAttempt(quota.Entry{Seq: 5 + n, Time: now, Run: "run", Units: 1, RequestKey: fmt.Sprint(n)}))
	}
	require.NoError(t, p.Ended("answered 503 6"))
	require.NoError(t, p.Ended("refunded 0 7"))
	require.NoError(t, p.Ended("answered 404 0"), "of a spend that is not there")
	for _, wrong := range []string{"", "answered", "answered 404", "answered x 6", "answered 404 6 ", "answered 404 x"} {
		assert.Error(t, p.Ended(wrong), "%q", wrong)
	}
	s, ok := new(tally.Journal).Statement(tally.Read{Now: now, Parts: []*tally.Part{p}}, time.Time{})
	require.True(t, ok)
	assert.EqualValues(t, 2, s.Total.Spent)
	assert.EqualValues(t, 1, s.Total.Answers)
	assert.EqualValues(t, 1, s.Total.Failed)
	assert.EqualValues(t, 1, s.Total.Refunded)
}
