package quotatest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

var allowanceTests = map[string]func(*fixture){
	"init says what was spent before": func(f *fixture) {
		config := f.config
		config.Dir = f.TempDir()
		config.Init = quota.InitSpec{Allowance: "team", Account: "account", Granted: 1000, SpentBefore: 37, Floor: 100}
		store := f.suite.Open(f, config)
		s, err := store.Status(f.ctx)
		require.NoError(f, err)
		info, err := store.Info(f.ctx)
		require.NoError(f, err)
		require.NoError(f, store.Close())
		assert.NotEmpty(f, s.LedgerID)
		assert.Equal(f, quota.Status{
			LedgerID: info.LedgerID, Seq: 2, Allowance: "team", Granted: 1000, Spent: 37, Available: 963, Floor: 100, Usable: 863,
			ActiveRuns: []quota.Holder{}, Warnings: []string{},
		}, s)
		assert.Equal(f, "account", info.Account)
		assert.Equal(f, int64(2), info.Head.Seq)
		assert.Equal(f, quota.KindReconcile, info.Head.Kind)
	},
	"a grant adds at once and lifts exhaustion": func(f *fixture) {
		f.mustBegin("a", 100)
		_, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 402, Note: "payment required"})
		require.NoError(f, err)
		require.ErrorIs(f, f.begin("b", 1), quota.ErrBlocked)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 5, Note: "bought"})
		require.NoError(f, err)
		f.mustBegin("b", 5)
	},
	"a grant or reconciliation again is the same one": func(f *fixture) {
		g := quota.GrantSpec{ID: "g", Units: 5}
		first, err := f.store.Grant(f.ctx, g)
		require.NoError(f, err)
		again, err := f.store.Grant(f.ctx, g)
		require.NoError(f, err)
		assert.Equal(f, first, again)
		g.Units = 6
		_, err = f.store.Grant(f.ctx, g)
		assert.ErrorIs(f, err, quota.ErrConflict)

		r := quota.ReconcileSpec{ID: "g", Observed: 7, Note: "portal"}
		first, err = f.store.Reconcile(f.ctx, r)
		require.NoError(f, err)
		again, err = f.store.Reconcile(f.ctx, r)
		require.NoError(f, err)
		assert.Equal(f, first, again)
		r.Observed = 8
		_, err = f.store.Reconcile(f.ctx, r)
		assert.ErrorIs(f, err, quota.ErrConflict)
		f.figures(7, 0, 98)
	},
	"a floor is no grant": func(f *fixture) {
		f.mustBegin("a", 1)
		_, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a"})
		require.NoError(f, err)
		floor := int64(20)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "f", Floor: &floor})
		require.NoError(f, err)
		s := f.status()
		assert.True(f, s.Exhausted)
		assert.Equal(f, int64(20), s.Floor)
		assert.Equal(f, int64(79), s.Usable)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 1})
		require.NoError(f, err)
		assert.Equal(f, int64(20), f.status().Floor)
	},
	"an exhausted service blocks all but the active": func(f *fixture) {
		f.mustBegin("a", 5)
		first, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 429, Note: "number 1715"})
		require.NoError(f, err)
		again, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 429, Note: "number 1715"})
		require.NoError(f, err)
		assert.Equal(f, first, again)
		assert.Equal(f, []quota.Refusal{{Rule: "exhausted"}}, f.refusals("b", 1))
		assert.True(f, f.status().Exhausted)
		f.mustSpend("a", 1, 1)
	},
	"a reconciliation raises, is journaled and lifts exhaustion": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 1)
		_, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a"})
		require.NoError(f, err)
		e, err := f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 41, Note: "portal"})
		require.NoError(f, err)
		assert.Equal(f, int64(40), e.Units)
		assert.Equal(f, "observed 41: portal", e.Note)
		f.figures(41, 4, 55)
		f.mustBegin("b", 1)
		assert.Equal(f, []string{"spend 1", "exhaust 0", "reconcile 40", "begin 0", "hold 1"}, f.kinds(3))
	},
	"a reconciliation may find more than was granted": func(f *fixture) {
		_, err := f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 130, Note: "portal"})
		require.NoError(f, err)
		f.figures(130, 0, -30)
		require.ErrorIs(f, f.begin("a", 1), quota.ErrBlocked)
		assert.NotEmpty(f, f.status().Warnings)
	},
	"a reconciliation lowers only while nothing runs": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 10)
		lower := quota.ReconcileSpec{ID: "r", Observed: 8, Note: "portal"}
		_, err := f.store.Reconcile(f.ctx, lower)
		require.ErrorIs(f, err, quota.ErrRunsActive)
		f.figures(10, 0, 90)
		require.NoError(f, f.end("a"))
		_, err = f.store.Reconcile(f.ctx, lower)
		require.NoError(f, err)
		f.figures(8, 0, 92)
	},
	"wrong specs are refused": func(f *fixture) {
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "g"})
		assert.Error(f, err)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: -1})
		assert.Error(f, err)
		for _, nothing := range []string{"", "  "} {
			_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 1, Note: nothing})
			assert.Error(f, err)
		}
		_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: -1, Note: "portal"})
		assert.Error(f, err)
		_, err = f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "nobody"})
		assert.ErrorIs(f, err, quota.ErrNoRun)
	},
}
