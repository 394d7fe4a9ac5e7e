package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// turnsOfAClockSetBack: what was given by the clock as it was may have been sent just now,
// so it counts for one window, and after that the rate is what it is.
func turnsOfAClockSetBack(f *fixture) {
	f.mustBegin("a", 9)
	f.use("a")
	f.clock.advance(-24 * time.Hour)
	begun := f.clock.Now()
	assert.False(f, f.ask("a").Given, "three were sent, and nobody knows when")
	a := f.waits("a")
	assert.Equal(f, begun.Add(pace.Horizon(slow)+window()), a.Expected)
	f.clock.advance(pace.Horizon(slow))
	assert.True(f, f.ask("a").Given, "the second of the window")
	assert.True(f, f.ask("a").Given)
	assert.False(f, f.ask("a").Given, "the fourth")
}

// lateTurnOfAClockSetBack: the first of the window was used last, and the clock goes back to
// between it and the others.
func lateTurnOfAClockSetBack(f *fixture) {
	f.mustBegin("a", 9)
	f.use("a")
	for range 6 {
		f.clock.advance(quota.Renewal)
		_, err := f.store.Renew(f.ctx, "a")
		require.NoError(f, err)
	}
	late, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "a", Rates: slow, Late: 1})
	require.NoError(f, err)
	require.True(f, late.PutOff)
	f.clock.advance(-5 * quota.Renewal)
	begun := f.clock.Now()
	a := f.waits("a")
	assert.Equal(f, begun.Add(pace.Horizon(slow)+window()), a.Expected)
}

// pauseOfAClockSetBack: nobody knows how long ago it was set, so it lasts as long as one can,
// and not until the clock is where it was. Another one is told from it, whoever pauses first.
func pauseOfAClockSetBack(f *fixture) {
	f.mustBegin("a", 9)
	require.NoError(f, f.keeper().Pause(f.ctx, 20*time.Second, "429"))
	was := f.clock.Now().Add(20 * time.Second)
	f.clock.advance(-24 * time.Hour)
	begun := f.clock.Now()
	want := pace.Pause{Until: begun.Add(pace.LongestPause), Why: "until " + was.Format(time.RFC3339) + " it was, by a clock that was set back, or by none: 429"}
	state, err := f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, want, state.Pause)
	a := f.ask("a")
	assert.Equal(f, want, a.Pause)
	assert.Equal(f, want.Until, a.Expected)
	f.clock.advance(time.Second)
	require.NoError(f, f.keeper().Pause(f.ctx, pace.LongestPause-2*time.Second, "a shorter one"))
	assert.Equal(f, want, f.ask("a").Pause, "it does not move on with the clock")
	f.clock.advance(want.Until.Sub(f.clock.Now()))
	f.mustBegin("b", 9)
	assert.True(f, f.ask("b").Given)
	require.NoError(f, f.keeper().Pause(f.ctx, 20*time.Second, "429"))
	f.clock.advance(-24 * time.Hour)
	require.NoError(f, f.keeper().Pause(f.ctx, time.Second, "before anybody asked"))
	state, err = f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, f.clock.Now().Add(pace.LongestPause), state.Pause.Until)
	f.clock.advance(time.Second)
	state, err = f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, f.clock.Now().Add(pace.LongestPause-time.Second), state.Pause.Until)
}

// waiterOfAClockSetBack: by the clock as it was its lease and its time to ask again have long
// to go, though it does not come any more. One that lives comes again.
func waiterOfAClockSetBack(f *fixture) {
	for _, run := range []string{"a", "dead", "lives"} {
		f.mustBegin(run, 9)
	}
	f.use("a")
	f.ask("dead")
	f.ask("lives")
	assert.Equal(f, 2, f.ask("a").Ahead)
	f.clock.advance(-24 * time.Hour)
	assert.Zero(f, f.ask("a").Ahead)
	state, err := f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, []string{"a"}, names(state.Waiting))
	assert.Zero(f, f.ask("lives").Ahead)
	assert.Equal(f, 1, f.ask("a").Ahead, "its last turn was before")
}
