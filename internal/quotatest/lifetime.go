package quotatest

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// calls is every method of a store, as something that returns an error.
func (f *fixture) calls(ctx context.Context) map[string]func() error {
	entries := func() error {
		for _, err := range f.store.Entries(ctx, 0) {
			return err
		}
		return nil
	}
	return map[string]func() error{
		"Info":    func() error { _, err := f.store.Info(ctx); return err },
		"Begin":   func() error { _, err := f.store.Begin(ctx, spec("new", 1), nil); return err },
		"Renew":   func() error { _, err := f.store.Renew(ctx, "a"); return err },
		"Spend":   func() error { _, err := f.store.Spend(ctx, quota.SpendSpec{ID: "new", Run: "a", Units: 1}); return err },
		"Settle":  func() error { return f.store.Settle(ctx, quota.Settlement{Spend: "a/1", Outcome: quota.Answered}) },
		"End":     func() error { _, err := f.store.End(ctx, "a", quota.Counters{}); return err },
		"Exhaust": func() error { _, err := f.store.Exhaust(ctx, quota.ExhaustSpec{Run: "a"}); return err },
		"Grant":   func() error { _, err := f.store.Grant(ctx, quota.GrantSpec{ID: "new", Units: 1}); return err },
		"Reconcile": func() error {
			_, err := f.store.Reconcile(ctx, quota.ReconcileSpec{ID: "new", Observed: 50, Note: "n"})
			return err
		},
		"Status":  func() error { _, err := f.store.Status(ctx); return err },
		"Runs":    func() error { _, err := f.store.Runs(ctx, 0); return err },
		"Entries": entries,
		"Bar": func() error {
			_, err := f.store.Bar(ctx, quota.Bar{Reason: quota.Copying, ID: "new"})
			return err
		},
		"Unbar":  func() error { _, err := f.store.Unbar(ctx, "new"); return err },
		"Lookup": func() error { _, err := f.store.Lookup(ctx, 1); return err },
		"Snapshot": func() error {
			return f.store.Snapshot(ctx, func(quota.Info, iter.Seq2[quota.Entry, error]) error { return nil })
		},
		"Verify": func() error { _, err := f.store.Verify(ctx); return err },
	}
}

var lifetimeTests = map[string]func(*fixture){
	"the end returns the rest": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 2)
		f.mustSpend("a", 2, 1)
		require.NoError(f, f.settle("a/1", quota.Answered))
		counters := quota.Counters{Requests: 9, Replayed: 4, Mocked: 1, Missed: 2, WouldSpend: 8}
		e, err := f.store.End(f.ctx, "a", counters)
		require.NoError(f, err)
		assert.Equal(f, &counters, e.Counters)
		f.figures(3, 0, 97)
		assert.Equal(f, int64(1), f.status().Unknown)
		assert.Equal(f, []string{"settle 1", "release 7", "end 0"}, f.kinds(6))
		assert.Empty(f, f.status().ActiveRuns)
	},
	"there is one end": func(f *fixture) {
		f.mustBegin("a", 10)
		first, err := f.store.End(f.ctx, "a", quota.Counters{Requests: 1})
		require.NoError(f, err)
		again, err := f.store.End(f.ctx, "a", quota.Counters{Requests: 1})
		require.NoError(f, err)
		assert.Equal(f, first, again)
		_, err = f.store.End(f.ctx, "a", quota.Counters{Requests: 2})
		assert.ErrorIs(f, err, quota.ErrRunOver)
		f.figures(0, 0, 100)
		assert.Equal(f, []string{"release 10", "end 0"}, f.kinds(3))
		_, err = f.store.End(f.ctx, "nobody", quota.Counters{})
		assert.ErrorIs(f, err, quota.ErrNoRun)
	},
	"runs are listed, the latest first": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 3)
		_, err := f.store.End(f.ctx, "a", quota.Counters{Requests: 3})
		require.NoError(f, err)
		f.clock.advance(time.Second)
		f.mustBegin("b", 5)
		runs, err := f.store.Runs(f.ctx, 0)
		require.NoError(f, err)
		later := start.Add(time.Second)
		assert.Equal(f, []quota.RunInfo{
			{RunSpec: spec("b", 5), State: quota.Active, Begun: later, LeaseUntil: later.Add(quota.Lease)},
			{RunSpec: spec("a", 10), State: quota.Ended, Spent: 3, Unknown: 3, Begun: start, LeaseUntil: start.Add(quota.Lease), Over: start, Counters: quota.Counters{Requests: 3}},
		}, runs)
		runs, err = f.store.Runs(f.ctx, 1)
		require.NoError(f, err)
		assert.Len(f, runs, 1)
	},
	"burn and forecast": func(f *fixture) {
		f.mustBegin("old", 20)
		f.mustSpend("old", 1, 20)
		require.NoError(f, f.end("old"))
		assert.Empty(f, f.status().RunsOut, "it is too early to tell")
		f.clock.advance(10 * 24 * time.Hour)
		f.mustBegin("new", 14)
		f.mustSpend("new", 1, 14)
		require.NoError(f, f.end("new"))
		s := f.status()
		assert.InDelta(f, 2, s.BurnPerDay, 1e-9)
		assert.Equal(f, f.clock.Now().AddDate(0, 0, 33).Format(time.DateOnly), s.RunsOut)
	},
	"a cancelled context changes nothing": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 1)
		before := f.kinds(0)
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		for name, call := range f.calls(ctx) {
			assert.ErrorIs(f, call(), context.Canceled, name)
		}
		assert.Equal(f, before, f.kinds(0))
	},
	"after close everything is refused": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 1)
		require.NoError(f, f.store.Close())
		f.closed = true
		for name, call := range f.calls(f.ctx) {
			assert.ErrorIs(f, call(), quota.ErrClosed, name)
		}
		assert.NoError(f, f.store.Close())
	},
	"reopening keeps every entry and the open runs": func(f *fixture) {
		f.mustBegin("a", 10)
		for i := range 5 {
			f.mustSpend("a", i, 1)
		}
		require.NoError(f, f.settle("a/0", quota.Answered))
		entries := f.journal()
		status := f.status()
		require.NoError(f, f.store.Close())
		f.store = f.suite.Reopen(f, f.config)
		assert.Equal(f, entries, f.journal())
		assert.Equal(f, status, f.status())
		f.mustSpend("a", 5, 5)
		assert.ErrorIs(f, f.spend("a", 6, 1), quota.ErrHoldUsed)
	},
	"the journal is read in pages": func(f *fixture) {
		f.mustBegin("a", 100)
		var settled []quota.Settlement
		for i := range 100 {
			f.mustSpend("a", i, 1)
		}
		for e := range slices.Values(f.journal()) {
			if e.Kind == quota.KindSpend {
				settled = append(settled, quota.Settlement{Spend: e.ID, Outcome: quota.Unknown})
			}
		}
		require.NoError(f, f.store.Settle(f.ctx, settled...))
		for i := range settled {
			settled[i].Outcome = quota.Answered
		}
		require.NoError(f, f.store.Settle(f.ctx, settled...))
		for range 300 {
			require.ErrorIs(f, f.begin("b", 1), quota.ErrBlocked)
		}
		entries := f.journal()
		assert.Len(f, entries, 3+300+300)
		for e, err := range f.store.Entries(f.ctx, 0) { // others may use the store meanwhile
			require.NoError(f, err)
			require.Equal(f, int64(603), f.status().Seq)
			if e.Seq == 5 {
				break
			}
		}
	},
}

func (f *fixture) journal() []quota.Entry {
	f.Helper()
	var entries []quota.Entry
	for e, err := range f.store.Entries(f.ctx, 0) {
		require.NoError(f, err)
		entries = append(entries, e)
	}
	return entries
}
