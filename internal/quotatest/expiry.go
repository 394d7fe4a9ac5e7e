package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// oneSpent is a run of 10 that spent 3, with one spend answered and one open.
func oneSpent(f *fixture) {
	f.mustBegin("a", 10)
	f.mustSpend("a", 1, 2)
	f.mustSpend("a", 2, 1)
	require.NoError(f, f.settle("a/1", quota.Answered))
}

var expiryTests = map[string]func(*fixture){
	"of the runs of one process those expire whose lease has passed": func(f *fixture) {
		f.mustBegin("a", 5)
		f.clock.advance(quota.Lease - time.Second)
		f.mustBegin("b", 5)
		f.clock.advance(time.Second)
		f.mustBegin("c", 1)
		assert.ErrorIs(f, f.spend("a", 1, 1), quota.ErrRunOver)
		f.mustSpend("b", 1, 1)
		f.figures(1, 5, 94)
	},
	"the undrawn rest returns, what was spent stays": func(f *fixture) {
		f.worlds(oneSpent, func(f *fixture) {
			f.figures(3, 0, 97)
			f.mustBegin("b", 97)
			assert.ErrorIs(f, f.begin("c", 1), quota.ErrBlocked)
		})
	},
	"open spends become unknown": func(f *fixture) {
		oneSpent(f)
		f.clock.advance(quota.Lease)
		f.mustBegin("b", 1)
		assert.Equal(f, int64(1), f.status().Unknown)
		assert.Equal(f, []string{"settle 1", "expire 7", "begin 0", "hold 1"}, f.kinds(6))
	},
	"an expired run can't spend": func(f *fixture) {
		f.worlds(oneSpent, func(f *fixture) {
			var over *quota.RunOverError
			require.ErrorAs(f, f.spend("a", 3, 1), &over)
			assert.Equal(f, quota.Expired, over.State)
			f.figures(3, 0, 97)
		})
	},
	"an expired run can't be renewed, begun again, refunded or ended": func(f *fixture) {
		f.worlds(oneSpent, func(f *fixture) {
			_, err := f.store.Renew(f.ctx, "a")
			assert.ErrorIs(f, err, quota.ErrRunOver)
			assert.ErrorIs(f, f.begin("a", 10), quota.ErrRunOver)
			assert.ErrorIs(f, f.settle("a/2", quota.Refunded), quota.ErrRunOver)
			assert.ErrorIs(f, f.end("a"), quota.ErrRunOver)
			assert.ErrorIs(f, f.end("a"), quota.ErrRunOver)
			f.figures(3, 0, 97)
		})
	},
	"a late answer is taken": func(f *fixture) {
		f.worlds(oneSpent, func(f *fixture) {
			require.NoError(f, f.settle("a/2", quota.Answered))
			f.mustBegin("b", 1)
			assert.Equal(f, int64(0), f.status().Unknown)
			f.figures(3, 1, 96)
		})
	},
	"unknown is taken": func(f *fixture) {
		f.worlds(oneSpent, func(f *fixture) {
			require.NoError(f, f.settle("a/2", quota.Unknown))
			f.mustBegin("b", 1)
			assert.Equal(f, int64(1), f.status().Unknown)
		})
	},
	"renewal keeps a run alive": func(f *fixture) {
		f.mustBegin("a", 10)
		for range 5 {
			f.clock.advance(quota.Renewal)
			until, err := f.store.Renew(f.ctx, "a")
			require.NoError(f, err)
			assert.Equal(f, f.clock.Now().Add(quota.Lease), until)
		}
		f.mustBegin("b", 1)
		f.mustSpend("a", 1, 1)
	},
	"a lease ends on time": func(f *fixture) {
		f.mustBegin("a", 10)
		f.clock.advance(quota.Lease - time.Microsecond)
		f.mustSpend("a", 1, 1)
		f.clock.advance(time.Microsecond)
		assert.ErrorIs(f, f.spend("a", 2, 1), quota.ErrRunOver)
	},
	"a dead process gives back its hold at the next begin": func(f *fixture) {
		oneSpent(f)
		f.gone.end(spec("a", 0).Process)
		status := f.status()
		require.Len(f, status.ActiveRuns, 1)
		assert.False(f, status.ActiveRuns[0].Alive)
		assert.NotEmpty(f, status.Warnings)
		f.figures(3, 0, 97)
		next := spec("b", 97)
		next.Process.PID = 8
		_, err := f.store.Begin(f.ctx, next, nil)
		require.NoError(f, err)
		assert.ErrorIs(f, f.spend("a", 3, 1), quota.ErrRunOver)
		f.figures(3, 97, 0)
	},
	"a clock that jumps a day back frees nothing": func(f *fixture) {
		oneSpent(f)
		f.clock.advance(-24 * time.Hour)
		f.mustBegin("b", 90)
		assert.ErrorIs(f, f.begin("c", 1), quota.ErrBlocked)
		f.mustSpend("a", 3, 7)
		f.figures(10, 90, 0)
	},
	"a clock that jumps a day ahead frees no spend": func(f *fixture) {
		oneSpent(f)
		f.clock.advance(24 * time.Hour)
		f.mustBegin("b", 97)
		f.clock.advance(-24 * time.Hour)
		assert.ErrorIs(f, f.spend("a", 3, 1), quota.ErrRunOver)
		f.figures(3, 97, 0)
	},
	"renewing a run that was never begun": func(f *fixture) {
		_, err := f.store.Renew(f.ctx, "nobody")
		assert.ErrorIs(f, err, quota.ErrNoRun)
	},
}
