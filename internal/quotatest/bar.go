package quotatest

import (
	"context"
	"errors"
	"iter"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// copying is a bar, and moved the one that follows it.
var (
	copying = quota.Bar{Reason: quota.Copying, ID: "copy", From: "sqlite:old.db", To: "sqlite:new.db"}
	moved   = quota.Bar{Reason: quota.Moved, ID: "copy", From: "sqlite:old.db", To: "sqlite:new.db"}
)

// barred checks that err is of that bar.
func (f *fixture) barred(bar quota.Bar, err error) {
	f.Helper()
	var refused *quota.BarredError
	if assert.ErrorAs(f, err, &refused) {
		assert.Equal(f, bar, refused.Bar)
		assert.ErrorIs(f, err, quota.ErrBlocked)
		assert.ErrorContains(f, err, bar.String())
	}
}

func (f *fixture) bar(bar quota.Bar) quota.Entry {
	f.Helper()
	e, err := f.store.Bar(f.ctx, bar)
	require.NoError(f, err)
	return e
}

var barTests = map[string]func(*fixture){
	"a barred ledger admits nothing, not even what buys nothing": func(f *fixture) {
		first := f.bar(copying)
		assert.Equal(f, first, f.bar(copying), "the same again")
		for _, most := range []int64{1, 0} {
			err := f.begin("a", most)
			var blocked *quota.BlockedError
			require.ErrorAs(f, err, &blocked)
			assert.Equal(f, copying, blocked.Bar)
			assert.Equal(f, []quota.Refusal{{Rule: "barred"}}, blocked.Refusals)
			assert.ErrorContains(f, err, "the copy from sqlite:old.db to sqlite:new.db is not complete")
		}
		assert.Equal(f, copying, f.status().Bar)
		assert.True(f, f.status().Exhausted, "as a program knows it that knows no bars")
		assert.Contains(f, f.status().Warnings[0], "not complete")
	},
	"a bar waits for those that may still spend": func(f *fixture) {
		f.mustBegin("a", 5)
		_, err := f.store.Bar(f.ctx, copying)
		require.ErrorIs(f, err, quota.ErrRunsActive)
		assert.ErrorContains(f, err, "run a")
		f.mustSpend("a", 1, 1)
		f.mustBegin("b", 5)
		require.NoError(f, f.end("a"))
		f.clock.advance(quota.Lease)
		f.bar(copying)
		require.ErrorIs(f, f.spend("b", 1, 1), quota.ErrRunOver, "it was dead, and is expired")
		f.figures(1, 0, 99)
	},
	"what is barred takes neither grants nor corrections": func(f *fixture) {
		for _, bar := range []quota.Bar{copying, moved} {
			f.bar(bar)
			floor := int64(7)
			_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 5})
			f.barred(bar, err)
			_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Floor: &floor})
			f.barred(bar, err)
			_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 5, Note: "portal"})
			f.barred(bar, err)
			f.figures(0, 0, 100)
			assert.Len(f, f.journal(), int(f.status().Seq))
		}
		_, err := f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 5, Note: "the other is lost", Reopen: true})
		require.NoError(f, err)
		f.mustBegin("a", 95)
	},
	"a copy is given up or completed, and once": func(f *fixture) {
		f.bar(copying)
		other := copying
		other.ID = "other"
		_, err := f.store.Bar(f.ctx, other)
		f.barred(copying, err)
		elsewhere := moved
		elsewhere.To = "sqlite:third.db"
		_, err = f.store.Bar(f.ctx, elsewhere)
		f.barred(copying, err)
		_, err = f.store.Unbar(f.ctx, "other")
		f.barred(copying, err)

		first, err := f.store.Unbar(f.ctx, "copy")
		require.NoError(f, err)
		again, err := f.store.Unbar(f.ctx, "copy")
		require.NoError(f, err)
		assert.Equal(f, first, again)
		assert.Equal(f, quota.KindGrant, first.Kind)
		assert.Zero(f, first.Units)
		f.mustBegin("a", 100)
		require.NoError(f, f.end("a"))
		_, err = f.store.Bar(f.ctx, moved)
		require.ErrorIs(f, err, quota.ErrConflict, "it was given up")
		_, err = f.store.Unbar(f.ctx, "never")
		require.ErrorIs(f, err, quota.ErrConflict)
	},
	"what was moved is not given up": func(f *fixture) {
		first := f.bar(copying)
		e := f.bar(moved)
		assert.Equal(f, e, f.bar(moved))
		assert.Equal(f, e, f.bar(copying), "it has come further")
		assert.Greater(f, e.Seq, first.Seq)
		_, err := f.store.Unbar(f.ctx, "copy")
		f.barred(moved, err)
		require.ErrorIs(f, f.begin("a", 1), quota.ErrBlocked)
		_, err = f.store.Bar(f.ctx, quota.Bar{Reason: quota.Copying, ID: "next", To: "sqlite:third.db"})
		f.barred(moved, err)
	},
	"a bar hides no exhaustion": func(f *fixture) {
		floor := int64(3)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "f", Floor: &floor})
		require.NoError(f, err)
		f.mustBegin("a", 5)
		_, err = f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 402})
		require.NoError(f, err)
		require.NoError(f, f.end("a"))
		f.bar(copying)
		_, err = f.store.Unbar(f.ctx, "copy")
		require.NoError(f, err)
		assert.Equal(f, []quota.Refusal{{Rule: "exhausted"}}, f.refusals("b", 1))
		assert.Zero(f, f.status().Bar)
		assert.Equal(f, int64(3), f.status().Floor)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 5})
		require.NoError(f, err)
		f.mustBegin("b", 1)
	},
	"wrong bars are refused": func(f *fixture) {
		for _, bar := range []quota.Bar{{}, {Reason: quota.Copying}, {ID: "x"}, {Reason: quota.Imported, ID: "x"}} {
			_, err := f.store.Bar(f.ctx, bar)
			assert.Error(f, err)
		}
		_, err := f.store.Bar(f.ctx, moved)
		assert.ErrorIs(f, err, quota.ErrConflict, "it is not being copied")
		assert.Len(f, f.journal(), 1)
	},
	"entries are looked up": func(f *fixture) {
		f.mustBegin("a", 5)
		all := f.journal()
		found, err := f.store.Lookup(f.ctx, 3, 99, 1)
		require.NoError(f, err)
		assert.Equal(f, []quota.Entry{all[0], all[2]}, found)
		found, err = f.store.Lookup(f.ctx)
		require.NoError(f, err)
		assert.Empty(f, found)
	},
	"a snapshot is one moment": func(f *fixture) {
		f.mustBegin("a", 5)
		before := f.journal()
		var seen []quota.Entry
		err := f.store.Snapshot(f.ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
			f.mustSpend("a", 1, 1) // it keeps no one waiting
			for e, err := range entries {
				require.NoError(f, err)
				if len(seen) == 0 {
					f.mustBegin("b", 5)
				}
				seen = append(seen, e)
			}
			assert.Equal(f, before[len(before)-1], info.Head)
			assert.Equal(f, f.status().LedgerID, info.LedgerID)
			return nil
		})
		require.NoError(f, err)
		assert.Equal(f, before, seen)

		stop := errors.New("stop")
		calls := 0
		err = f.store.Snapshot(f.ctx, func(quota.Info, iter.Seq2[quota.Entry, error]) error { calls++; return stop })
		require.ErrorIs(f, err, stop)
		assert.Equal(f, 1, calls)
		ctx, cancel := context.WithCancel(f.ctx)
		err = f.store.Snapshot(ctx, func(_ quota.Info, entries iter.Seq2[quota.Entry, error]) error {
			cancel()
			for _, err := range entries {
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.ErrorIs(f, err, context.Canceled)
	},
}
