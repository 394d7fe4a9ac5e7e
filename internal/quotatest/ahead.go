package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// year is by how much the clock is ahead, for a while.
const year = 365 * 24 * time.Hour

// ahead does something while the clock is a year ahead.
func (f *fixture) ahead(do func()) {
	f.clock.advance(year)
	do()
	f.clock.advance(-year)
}

var aheadTests = map[string]func(*fixture){
	"a run dated ahead counts for the day on which that was noticed, and for no other": func(f *fixture) {
		rule := quota.Rule{MaxPerDay: 20}
		f.ahead(func() {
			f.mustBegin("a", 20)
			f.mustSpend("a", 1, 20)
			require.NoError(f, f.end("a"))
		})
		assert.NotEmpty(f, f.refusals("b", 1, rule), "it may have been today")
		f.clock.advance(15 * time.Hour)
		assert.Empty(f, f.refusals("c", 20, rule), "the block of yesterday came after it")
		f.clock.advance(24 * time.Hour)
		assert.Empty(f, f.refusals("d", 20, rule))
	},
	"a run dated ahead counts for today until something else was written": func(f *fixture) {
		f.ahead(func() { f.mustBegin("a", 10) })
		f.clock.advance(48 * time.Hour)
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_day", Budget: 1, Limit: 20, Used: 10}}, f.refusals("b", 11, quota.Rule{MaxPerDay: 20}))
	},
	"what is dated ahead burns when it was written": func(f *fixture) {
		f.ahead(func() {
			f.mustBegin("a", 10)
			f.mustSpend("a", 1, 7)
			require.NoError(f, f.end("a"))
		})
		f.mustBegin("b", 1)
		assert.InDelta(f, 7, f.status().BurnPerDay, 0)
		f.clock.advance(8 * 24 * time.Hour)
		assert.Zero(f, f.status().BurnPerDay)
	},
	"a lease dated ahead holds for as long as a lease from when it was in the way": func(f *fixture) {
		f.ahead(func() { f.mustBegin("a", 90) })
		f.clock.advance(time.Hour) // nobody was in its way
		err := f.begin("b", 11)
		require.ErrorIs(f, err, quota.ErrBlocked)
		assert.ErrorContains(f, err, "held by run a: suite \"unit\", 90 of 90 left, alive, lease until 2027-11-23T09:00:30Z by a clock that was ahead")
		assert.ErrorContains(f, err, "by a clock that was ahead")
		require.Len(f, f.status().Warnings, 1)
		assert.Contains(f, f.status().Warnings[0], "further ahead than a lease can be")
		f.figures(0, 90, 10)

		f.clock.advance(quota.Lease - time.Microsecond)
		assert.ErrorIs(f, f.begin("c", 11), quota.ErrBlocked)
		f.clock.advance(time.Microsecond)
		f.figures(0, 0, 100)
		assert.False(f, f.status().ActiveRuns[0].Alive)
		f.mustBegin("d", 100)
		assert.ErrorIs(f, f.spend("a", 1, 1), quota.ErrRunOver)
	},
	"of leases dated ahead those of others and of this run are told apart": func(f *fixture) {
		f.ahead(func() {
			f.mustBegin("a", 50)
			f.clock.advance(time.Second)
			f.mustBegin("b", 40)
			f.clock.advance(-time.Second)
		})
		assert.ErrorIs(f, f.begin("c", 11), quota.ErrBlocked)
		f.clock.advance(quota.Renewal)
		f.ahead(func() { // only b is renewed
			_, err := f.store.Renew(f.ctx, "b")
			require.NoError(f, err)
		})
		f.clock.advance(quota.Lease)
		f.mustBegin("d", 11)
		assert.ErrorIs(f, f.spend("a", 1, 1), quota.ErrRunOver)
		f.figures(0, 51, 49)
	},
	"a run that is renewed by a clock that is ahead lives on": func(f *fixture) {
		f.ahead(func() { f.mustBegin("a", 90) })
		for range 10 {
			assert.ErrorIs(f, f.begin("other", 11), quota.ErrBlocked)
			f.clock.advance(quota.Renewal)
			f.ahead(func() {
				_, err := f.store.Renew(f.ctx, "a")
				require.NoError(f, err)
			})
		}
		f.ahead(func() { f.mustSpend("a", 1, 90) })
	},
	"a clock that is behind costs nobody a run": func(f *fixture) {
		f.mustBegin("a", 90)
		for range 10 {
			f.clock.advance(-year)
			assert.ErrorIs(f, f.begin("other", 11), quota.ErrBlocked)
			f.clock.advance(year + quota.Renewal)
			_, err := f.store.Renew(f.ctx, "a")
			require.NoError(f, err)
		}
		f.mustSpend("a", 1, 90)
	},
	"a refusal that is dated ahead itself proves nothing": func(f *fixture) {
		f.ahead(func() {
			f.ahead(func() { f.mustBegin("a", 90) })
			assert.ErrorIs(f, f.begin("b", 11), quota.ErrBlocked)
		})
		f.clock.advance(2 * quota.Lease)
		assert.ErrorIs(f, f.begin("c", 11), quota.ErrBlocked)
		f.clock.advance(quota.Lease)
		f.mustBegin("d", 11)
	},
	"the statement has no day later than today, and no latest run that is dated ahead": func(f *fixture) {
		f.ahead(func() {
			f.mustBegin("a", 10)
			f.mustSpend("a", 1, 7)
			require.NoError(f, f.end("a"))
		})
		f.clock.advance(time.Hour)
		f.mustBegin("b", 10)
		f.mustSpend("b", 1, 1)
		require.NoError(f, f.end("b"))
		s := f.statement()
		require.Len(f, s.Days, 1)
		assert.Equal(f, [2]int64{8, 92}, [2]int64{s.Days[0].Spent, s.Days[0].Left})
		assert.Equal(f, []int64{1, 7}, s.Recent["unit"])
	},
	"a lease dated ahead is noted once": func(f *fixture) {
		f.ahead(func() { f.mustBegin("a", 90) })
		assert.ErrorIs(f, f.begin("b", 11), quota.ErrBlocked)
		assert.ErrorIs(f, f.begin("c", 11), quota.ErrBlocked)
		var noted int
		for e, err := range f.store.Entries(f.ctx, 0) {
			require.NoError(f, err)
			noted += len(e.Leases)
		}
		assert.Equal(f, 1, noted)
	},
	"a run dated ahead can be ended": func(f *fixture) {
		f.ahead(func() { f.mustBegin("a", 90) })
		require.NoError(f, f.end("a"))
		f.figures(0, 0, 100)
	},
}
