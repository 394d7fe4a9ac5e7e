package quotatest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

var admissionTests = map[string]func(*fixture){
	"holds all of max at once": func(f *fixture) {
		f.mustBegin("a", 60)
		f.figures(0, 60, 40)
		assert.Equal(f, []string{"grant 100", "begin 0", "hold 60"}, f.kinds(0))
	},
	"admits the last unit and not one more": func(f *fixture) {
		f.mustBegin("a", 99)
		require.ErrorIs(f, f.begin("b", 2), quota.ErrBlocked)
		f.mustBegin("c", 1)
		require.ErrorIs(f, f.begin("d", 1), quota.ErrBlocked)
	},
	"a refusal has every number and costs nothing": func(f *fixture) {
		f.mustBegin("a", 30)
		f.mustSpend("a", 1, 10)
		floor := int64(5)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)

		var blocked *quota.BlockedError
		require.ErrorAs(f, f.begin("b", 70), &blocked)
		holders := blocked.Holders
		blocked.Holders = nil
		assert.Equal(f, &quota.BlockedError{
			Run: "b", Requested: 70, Granted: 100, Spent: 10, Held: 20, Floor: 5, Available: 70, Usable: 65,
			Refusals: []quota.Refusal{{Rule: "usable", Limit: 65}},
		}, blocked)
		require.Len(f, holders, 1)
		assert.Equal(f, quota.Holder{
			ID: "a", Suite: "unit", Max: 30, Spent: 10, Alive: true, LeaseUntil: start.Add(quota.Lease), Process: spec("a", 0).Process,
		}, holders[0])
		f.figures(10, 20, 70)
		assert.ErrorIs(f, f.spend("b", 1, 1), quota.ErrNoRun)
	},
	"a refusal is journaled with its reasons": func(f *fixture) {
		require.ErrorIs(f, f.begin("a", 101), quota.ErrBlocked)
		for e, err := range f.store.Entries(f.ctx, 1) {
			require.NoError(f, err)
			assert.Equal(f, quota.KindBlock, e.Kind)
			assert.Zero(f, e.Units)
			assert.Equal(f, "a", e.Run)
			assert.Equal(f, []quota.Refusal{{Rule: "usable", Limit: 100}}, e.Refusals)
			require.NotNil(f, e.Spec)
			assert.Equal(f, spec("a", 101), *e.Spec)
		}
	},
	"a refused id may be admitted later": func(f *fixture) {
		f.mustBegin("a", 100)
		require.ErrorIs(f, f.begin("b", 1), quota.ErrBlocked)
		require.NoError(f, f.end("a"))
		f.mustBegin("b", 1)
	},
	"the floor is out of reach": func(f *fixture) {
		floor := int64(100)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)
		require.ErrorIs(f, f.begin("a", 1), quota.ErrBlocked)
		assert.Equal(f, int64(0), f.status().Usable)
	},
	"a run that buys nothing is always admitted": func(f *fixture) {
		f.mustBegin("a", 100)
		f.mustBegin("replay", 0)
		assert.ErrorIs(f, f.spend("replay", 1, 1), quota.ErrHoldUsed)
		require.NoError(f, f.end("replay"))
	},
	"the same spec again holds nothing more": func(f *fixture) {
		f.mustBegin("a", 60)
		f.mustBegin("a", 60)
		f.figures(0, 60, 40)
		assert.Len(f, f.kinds(0), 3)
	},
	"the same id with another spec is a conflict": func(f *fixture) {
		f.mustBegin("a", 60)
		assert.ErrorIs(f, f.begin("a", 61), quota.ErrConflict)
		other := spec("a", 60)
		other.Process.PID++
		_, err := f.store.Begin(f.ctx, other, nil)
		assert.ErrorIs(f, err, quota.ErrConflict)
	},
	"an id whose run is over begins no other": func(f *fixture) {
		f.mustBegin("a", 60)
		require.NoError(f, f.end("a"))
		assert.ErrorIs(f, f.begin("a", 60), quota.ErrRunOver)
	},
	"wrong specs are refused": func(f *fixture) {
		for _, s := range []quota.RunSpec{{}, {ID: "a", Max: -1}, {ID: "a", Max: quota.MaxUnits + 1}} {
			_, err := f.store.Begin(f.ctx, s, nil)
			assert.Error(f, err, "%+v", s)
		}
		assert.Len(f, f.kinds(0), 1)
	},
}
