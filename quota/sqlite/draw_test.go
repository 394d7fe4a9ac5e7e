package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Spends that share a transaction are decided one after the other, whatever comes
// between them, though the row of their run is written once.
func TestSpendsThatShareATransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	opened, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 100})
	require.NoError(t, err)
	s := opened.(*store)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for id, hold := range map[string]int64{"a": 3, "b": 1, "c": 3, "d": 2, "e": 2} {
		_, err := s.Begin(t.Context(), quota.RunSpec{ID: id, Max: hold}, nil)
		require.NoError(t, err)
	}
	before, err := s.Info(t.Context())
	require.NoError(t, err)

	var used *quota.HoldUsedError
	spend := func(run, id string, units int64, settled ...quota.Settlement) func() error {
		return func() error {
			_, err := s.Spend(t.Context(), quota.SpendSpec{ID: id, Run: run, Units: units}, settled...)
			return err
		}
	}
	spentOf := func(spent int64) func(error) {
		return func(err error) {
			require.ErrorAs(t, err, &used)
			assert.Equal(t, spent, used.Spent)
		}
	}
	fine := func(err error) { require.NoError(t, err) }
	is := func(target error) func(error) { return func(err error) { require.ErrorIs(t, err, target) } }
	refund := func(id string) quota.Settlement {
		return quota.Settlement{Spend: id, Outcome: quota.Refunded, Proof: quota.NoConnection}
	}
	steps := []struct {
		call func() error
		want func(error)
	}{
		{spend("a", "a1", 1), fine},
		{spend("a", "a2", 1), fine},
		{spend("a", "a2", 1), is(quota.ErrSpent)},
		{spend("a", "a2", 2), is(quota.ErrConflict)},
		{spend("a", "a3", 2), spentOf(2)},
		{spend("a", "a4", 1), fine},
		{spend("a", "a5", 1), spentOf(3)},
		{spend("b", "b1", 1), fine},
		{spend("b", "b2", 1), spentOf(1)},
		{spend("a", "a2", 1), is(quota.ErrSpent)},
		{func() error { return s.Settle(t.Context(), refund("a1")) }, fine},
		{spend("a", "a6", 1), fine},
		{spend("a", "a7", 1, quota.Settlement{Spend: "a6", Outcome: quota.Answered}, refund("a2")), fine},
		{spend("a", "a8", 1), spentOf(3)},
		{spend("a", "a9", 1, refund("a4")), fine},
		{spend("a", "a10", 1, refund("a7")), fine},
		{func() error { _, err := s.End(t.Context(), "a", quota.Counters{}); return err }, fine},
		{spend("a", "a11", 1), is(quota.ErrRunOver)},
		{spend("c", "c1", 1), fine},
		{spend("c", "c2", 1), fine},
		{spend("c", "c3", 1), fine},
		{spend("c", "c4", 1, refund("c1")), fine},
		{spend("d", "d1", 1), fine},
		{spend("d", "d2", 1), fine},
		{func() error { _, err := s.End(t.Context(), "d", quota.Counters{}); return err }, fine},
		{spend("e", "e1", 1), fine},
		{spend("e", "e2", 1), fine},
	}

	// While another has the gate, one write waits at it, and the rest for their turn.
	info, err := os.Stat(path)
	require.NoError(t, err)
	other, err := openGate(path+lockSuffix, info, time.Minute)
	require.NoError(t, err)
	require.NoError(t, other.enter(t.Context()))
	waiting := func(n int) {
		require.Eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.drained != nil && len(s.queue) == n
		}, 10*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool { // the last of the writes above is answered before it is over
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.drained == nil
	}, 10*time.Second, time.Millisecond)
	first := make(chan error, 1)
	go func() { _, err := s.Renew(t.Context(), "b"); first <- err }()
	waiting(0)
	answers := make([]chan error, len(steps))
	for i, step := range steps {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- step.call() }()
		waiting(i + 1)
	}
	require.NoError(t, other.unlock())
	require.NoError(t, other.close())
	require.NoError(t, <-first)
	for i, step := range steps {
		t.Log(i)
		step.want(<-answers[i])
	}

	seq, at := before.Head.Seq, time.Time{}
	for e, err := range s.Entries(t.Context(), before.Head.Seq) {
		require.NoError(t, err)
		seq++
		assert.Equal(t, seq, e.Seq, "a gap")
		if at.IsZero() {
			at = e.Time
		}
		assert.Equal(t, at, e.Time, "they did not share it")
	}
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	assert.Equal(t, int64(11), report.Balances.Spent)
}
