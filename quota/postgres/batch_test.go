package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

// Together makes a store write each spend as if others were to be written with it.
func Together(opened quota.Store) quota.Store {
	opened.(*store).batches.mostAlone = 0
	return opened
}

// asked is a spend that is to be written with others.
func asked(run, id string, units int64, settled ...string) *writing {
	w := &writing{owner: "owner", turn: make(chan turn, 1), entry: quota.Entry{Run: run, Kind: quota.KindSpend, ID: id, Units: units}}
	for _, of := range settled {
		w.settled = append(w.settled, quota.Settlement{Spend: of, Outcome: quota.Answered, Status: 200})
	}
	return w
}

// TestWhatSpendsTogetherRefuse writes spends of many runs in one transaction. What may
// not be written is not, nor the others of its run, and all the rest is.
func TestWhatSpendsTogetherRefuse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var ahead atomic.Int64
	s := newStore(t, Config{DSN: pgtest.Database(t), Now: func() time.Time {
		return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC).Add(time.Duration(ahead.Load()))
	}})
	begin := func(run string) {
		_, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: 10}, nil)
		require.NoError(t, err)
	}
	begin("late") // so it is when the others begin
	ahead.Store(int64(quota.Lease) - 1)
	for _, run := range []string{"good", "fine", "full", "known", "held", "over"} {
		begin(run)
	}
	ahead.Add(1)
	for run, units := range map[string]int64{"full": 8, "known": 1} {
		_, err := s.Spend(ctx, quota.SpendSpec{ID: "before " + run, Run: run, Units: units})
		require.NoError(t, err)
	}
	_, err := s.End(ctx, "over", quota.Counters{})
	require.NoError(t, err)
	holder, err := s.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = holder.Rollback(context.Background()) }() // that it waits for nobody is the test
	_, err = holder.Exec(ctx, "SELECT FROM hsharness.run WHERE id = 'held' FOR NO KEY UPDATE")
	require.NoError(t, err)

	all := []*writing{
		asked("good", "1", 6), asked("good", "2", 4), asked("fine", "3", 1), asked("full", "4", 1), asked("full", "5", 2),
		asked("known", "6", 1), asked("known", "before known", 1), asked("held", "7", 1), asked("over", "8", 1), asked("late", "9", 1), asked("none", "10", 1),
	}
	s.together(all)
	var made []string
	for _, w := range all {
		if now := <-w.turn; now == written {
			made = append(made, w.entry.ID)
			assert.Positive(t, w.entry.Seq)
		} else {
			assert.Equal(t, failed, now)
			assert.Zero(t, w.entry.Seq)
		}
	}
	assert.Equal(t, []string{"1", "2", "3"}, made)
	assert.Equal(t, max(all[0].entry.Seq, all[1].entry.Seq, all[2].entry.Seq), s.last.Seq, "what must be there from now on")
	require.NoError(t, holder.Rollback(ctx))
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 8+1+10+1, status.Spent)
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// TestWhatSpendsTogetherSettle carries settlements. Those of open spends of the same run
// are written, and each of the others is for somebody who looks first.
func TestWhatSpendsTogetherSettle(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	_, err := s.Begin(ctx, quota.RunSpec{ID: "b", Max: 10}, nil)
	require.NoError(t, err)
	for _, id := range []string{"open", "refunded", "unknown", "open too"} {
		_, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: "a", Units: 1})
		require.NoError(t, err)
	}
	require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: "refunded", Outcome: quota.Refunded, Proof: quota.NoConnection},
		quota.Settlement{Spend: "unknown", Outcome: quota.Unknown}))
	all := []*writing{
		asked("a", "1", 1, "open", "refunded", "unknown", "none"), asked("b", "2", 1, "open too"),
		asked("none", "3", 1, "open too"),
	}
	s.together(all)
	left := map[string][]string{}
	for _, w := range all {
		<-w.turn
		for _, st := range w.left {
			left[w.entry.ID] = append(left[w.entry.ID], st.Spend)
		}
	}
	assert.Equal(t, map[string][]string{"1": {"refunded", "unknown", "none"}, "2": {"open too"}}, left)
	outcomes, err := s.entries(ctx, s.pool, "kind IN ('settle', 'refund') ORDER BY seq")
	require.NoError(t, err)
	require.Len(t, outcomes, 3)
	assert.Equal(t, [3]any{"open", quota.Answered, 200}, [3]any{outcomes[2].ID, outcomes[2].Outcome, outcomes[2].Status})

	// One whose commit was not heard of has no row of its run, so it settles nothing unseen.
	again := asked("a", "1", 1, "open too")
	s.together([]*writing{again})
	assert.Equal(t, failed, <-again.turn)
	outcomes, err = s.entries(ctx, s.pool, "kind IN ('settle', 'refund')")
	require.NoError(t, err)
	assert.Len(t, outcomes, 3)
}

// TestSpendsTogetherInAnotherSession changes what a session was set to: nothing is written there.
func TestSpendsTogetherInAnotherSession(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"its name":               "SET hsharness_ledger.session = 'another'",
		"whether it is flushed":  "SET synchronous_commit = off",
		"whether triggers count": "SET session_replication_role = replica",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Config{DSN: pgtest.Database(t) + "&pool_max_conns=1"})
			_, err := s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
			require.NoError(t, err)
			_, err = s.pool.Exec(t.Context(), sql)
			require.NoError(t, err)
			w := asked("a", "2", 1)
			s.together([]*writing{w})
			assert.Equal(t, failed, <-w.turn)
		})
	}
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	s.runTable.Add(1)
	w := asked("a", "2", 1)
	s.together([]*writing{w})
	assert.Equal(t, failed, <-w.turn, "another table")
}

// TestRowsThatAreHeldStopOnlyTheirRuns holds the rows of as many runs as may go by
// themselves, and of more. Spends on all others go on, together.
func TestRowsThatAreHeldStopOnlyTheirRuns(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t) + "&pool_max_conns=16"})
	const held, free = mostAlone + mostTogether + 2, 20
	for n := range held + free {
		_, err := s.Begin(ctx, quota.RunSpec{ID: strconv.Itoa(n), Max: 2}, nil)
		require.NoError(t, err)
	}
	holder, err := s.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = holder.Rollback(context.Background()) }() // rolled back unless the test failed
	spend := func(n int) error {
		_, err := s.Spend(ctx, quota.SpendSpec{ID: "of " + strconv.Itoa(n), Run: strconv.Itoa(n), Units: 1})
		return err
	}
	waiting := make(chan error, held)
	for n := range held {
		_, err = holder.Exec(ctx, "SELECT FROM hsharness.run WHERE id = $1 FOR NO KEY UPDATE", strconv.Itoa(n))
		require.NoError(t, err)
		go func() { waiting <- spend(n) }()
	}
	waitForLock(t, s, waiting)
	var all sync.WaitGroup
	for n := held; n < held+free; n++ {
		all.Go(func() { assert.NoError(t, spend(n)) })
	}
	all.Wait()
	assert.Empty(t, waiting)
	require.NoError(t, holder.Rollback(ctx))
	for range held {
		require.NoError(t, <-waiting)
	}
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, held+free, status.Spent)
}

// TestSpendsOfManyAtOnce lets callers spend on few runs as fast as they can, some with an id
// that was there, with a text that the server refuses, or with a context that ends. Whoever
// is told yes has an entry, no run has more than it may, and they were written together.
func TestSpendsOfManyAtOnce(t *testing.T) {
	t.Parallel()
	const runs, callers, each, most = 4, 32, 12, 80
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	_, err := s.Grant(ctx, quota.GrantSpec{ID: "more", Units: runs * most})
	require.NoError(t, err)
	for n := range runs {
		_, err := s.Begin(ctx, quota.RunSpec{ID: strconv.Itoa(n), Max: most}, nil)
		require.NoError(t, err)
	}
	var mu sync.Mutex
	told := map[string]int64{}
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			var settled []quota.Settlement
			for i := range each {
				spec := quota.SpendSpec{ID: fmt.Sprint(n, " ", i), Run: strconv.Itoa(n % runs), Units: 1}
				spending, cancel := context.WithCancel(ctx)
				switch (n + i) % 12 {
				case 3:
					spec.ID = fmt.Sprint("twice ", i)
				case 5:
					spec.Test = "\xff"
				case 7:
					go cancel()
				}
				e, err := s.Spend(spending, spec, settled...)
				cancel()
				settled = nil
				if err == nil {
					settled = []quota.Settlement{{Spend: spec.ID, Outcome: quota.Answered, Status: 200}}
					mu.Lock()
					assert.NotContains(t, told, spec.ID, "two may send for one entry")
					told[spec.ID] = e.Seq
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	spends, err := s.entries(ctx, s.pool, "kind = 'spend'")
	require.NoError(t, err)
	for _, e := range spends {
		if seq, ok := told[e.ID]; ok {
			assert.Equal(t, seq, e.Seq)
			delete(told, e.ID)
		}
	}
	assert.Empty(t, slices.Collect(maps.Keys(told)), "told, and not there")
	var transactions int
	require.NoError(t, s.pool.QueryRow(ctx, "SELECT count(DISTINCT xmin::text) FROM hsharness.entry WHERE kind = 'spend'").Scan(&transactions))
	assert.Less(t, transactions, len(spends), "transactions of %d spends", len(spends))
	s.batches.mu.Lock()
	assert.Equal(t, [3]int{}, [3]int{s.batches.alone, s.batches.together, len(s.batches.runs)}, "nothing is left under way")
	s.batches.mu.Unlock()
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}
