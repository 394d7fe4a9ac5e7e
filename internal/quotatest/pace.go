package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

var paceTests = map[string]func(*fixture){
	"a turn is given at once where the rate has room, and none more":      turnsUpToTheRate,
	"turns go round over the runs that wait":                              turnsGoRound,
	"who does not ask again in time is passed over":                       turnOfAKilledRun,
	"a run that is over neither gets a turn nor is waited for":            turnOfARunThatIsOver,
	"a late turn is put off where nobody goes by it":                      turnThatIsLate,
	"two projects with different rates keep to their own":                 turnsAtTwoRates,
	"who leaves is not waited for":                                        turnOfWhoLeft,
	"a pause holds for all, and the longer one of two":                    turnAfterAPause,
	"a pace decides as the rule does":                                     paceAsTheRule,
	"a clock that is set back makes nobody wait for longer":               turnsOfAClockSetBack,
	"nor does one that is set back after a late turn":                     lateTurnOfAClockSetBack,
	"a pause by a clock that was set back is over within an hour":         pauseOfAClockSetBack,
	"who waited by a clock that was set back and died is passed over":     waiterOfAClockSetBack,
	"a turn of one project stays when another has a shorter horizon":      turnsAtTwoHorizons,
	"turns cost nothing, and what was given is known to whoever opens it": turnsStay,
}

var slow = []pace.Rate{{Turns: 3, Per: 10 * time.Second}} // less than a lease

func (f *fixture) keeper() pace.Keeper {
	f.Helper()
	k, ok := f.store.(pace.Keeper)
	require.True(f, ok, "the store keeps a pace")
	return k
}

func (f *fixture) ask(run string) pace.Answer {
	f.Helper()
	a, err := f.keeper().Turn(f.ctx, pace.Ask{Run: run, Rates: slow})
	require.NoError(f, err)
	return a
}

// window is how long a turn of that rate keeps another one off.
func window() time.Duration { return slow[0].Per + slow[0].Margin() }

func turnsUpToTheRate(f *fixture) {
	f.mustBegin("a", 9)
	for i := range 3 {
		a := f.ask("a")
		assert.True(f, a.Given, i)
		assert.Equal(f, start.Add(time.Duration(i)*pace.Gap(slow)), a.Expected, "nothing is sent all at once")
		assert.EqualValues(f, i+1, a.Seq)
	}
	a := f.ask("a")
	assert.False(f, a.Given, "the fourth within that time")
	assert.Equal(f, start.Add(window()), a.Expected)
	f.clock.advance(window() - pace.Horizon(slow) - time.Microsecond)
	assert.False(f, f.ask("a").Given)
	f.clock.advance(time.Microsecond)
	a = f.ask("a")
	assert.True(f, a.Given, "it is given some time before its moment")
	assert.Equal(f, start.Add(window()), a.Expected)
	_, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "a"})
	assert.ErrorContains(f, err, "without a rate")
}

// turnsAtTwoRates: the turns that one project goes by are kept, though another one, whose
// rate looks back less far, asks in between.
func turnsAtTwoRates(f *fixture) {
	f.mustBegin("a", 9)
	f.mustBegin("b", 9)
	f.use("a")
	f.clock.advance(2 * time.Second)
	a, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "b", Rates: []pace.Rate{{Turns: 1, Per: time.Second}}})
	require.NoError(f, err)
	require.True(f, a.Given, "by its own rate")
	a = f.ask("a")
	assert.False(f, a.Given, "three were sent within the time of its rate, and one more")
	assert.Equal(f, start.Add(pace.Gap(slow)+window()), a.Expected)
}

// turnsAtTwoHorizons: what was given by another project's rate, further ahead than one's own
// would, goes out when it was told to.
func turnsAtTwoHorizons(f *fixture) {
	f.mustBegin("a", 9)
	f.mustBegin("b", 9)
	f.use("a")
	f.clock.advance(window() - pace.Horizon(slow))
	given := f.ask("a")
	require.True(f, given.Given)
	quick := pace.Rate{Turns: 1, Per: time.Second}
	require.Less(f, pace.Horizon([]pace.Rate{quick}), given.Expected.Sub(given.Now))
	b, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "b", Rates: []pace.Rate{quick}})
	require.NoError(f, err)
	assert.False(f, b.Given)
	assert.Equal(f, given.Expected.Add(quick.Per+quick.Margin()), b.Expected)
	state, err := f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, given.Expected, state.Last)
}

// waits has a run ask, each time when it was told to, until it has its turn.
func (f *fixture) waits(run string) pace.Answer {
	f.Helper()
	for range 100 {
		a := f.ask(run)
		if a.Given {
			return a
		}
		f.clock.advance(a.Again.Sub(f.clock.Now()))
	}
	require.FailNow(f, "it waits for ever")
	return pace.Answer{}
}

// use takes all turns that there are now.
func (f *fixture) use(run string) {
	f.Helper()
	for range slow[0].Turns {
		require.True(f, f.ask(run).Given)
	}
}

func turnsGoRound(f *fixture) {
	for _, run := range []string{"a", "b", "c"} {
		f.mustBegin(run, 9)
	}
	f.use("a")
	for i, run := range []string{"b", "c", "a"} {
		f.clock.advance(time.Millisecond)
		a := f.ask(run)
		assert.False(f, a.Given)
		assert.Equal(f, i, a.Ahead, run)
		assert.Equal(f, i+1, a.Waiting)
	}
	state, err := f.keeper().Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, []string{"b", "c", "a"}, names(state.Waiting))
	assert.EqualValues(f, 3, state.Turns)
	f.clock.advance(f.ask("a").Again.Sub(f.clock.Now()))
	for _, run := range []string{"b", "c", "a"} {
		require.False(f, f.ask(run).Given, "too early for all")
	}
	f.clock.advance(start.Add(window() - pace.Horizon(slow)).Sub(f.clock.Now()))
	for _, run := range []string{"a", "c"} {
		a := f.ask(run)
		assert.False(f, a.Given, "%s is not the next", run)
		assert.Less(f, a.Again.Sub(a.Now), pace.Grace(slow))
	}
	for _, run := range []string{"b", "c", "a"} {
		assert.True(f, f.ask(run).Given, run)
		f.clock.advance(pace.Gap(slow))
	}
}

func names(waiting []pace.Waiter) (all []string) {
	for _, w := range waiting {
		all = append(all, w.Run)
	}
	return all
}

func turnOfAKilledRun(f *fixture) {
	f.mustBegin("a", 9)
	f.mustBegin("b", 9)
	f.use("a")
	killed := f.ask("b")
	f.ask("a")
	f.clock.advance(killed.Again.Sub(start))
	f.ask("b") // it comes again, and then no more
	f.clock.advance(window() - pace.Horizon(slow) - killed.Again.Sub(start))
	assert.False(f, f.ask("a").Given, "b is the next")
	f.clock.advance(pace.Grace(slow) + time.Millisecond)
	a := f.ask("a")
	assert.True(f, a.Given, "b did not come, and its lease has long to go")
	assert.Zero(f, a.Ahead)
	f.clock.advance(time.Second)
	assert.True(f, f.ask("b").Given, "one that was only stopped goes on")
}

func turnOfARunThatIsOver(f *fixture) {
	f.mustBegin("a", 9)
	f.mustBegin("b", 9)
	f.use("a")
	f.ask("b")
	require.NoError(f, f.end("b"))
	assert.Zero(f, f.ask("a").Ahead)
	_, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "b", Rates: slow})
	assert.ErrorIs(f, err, quota.ErrRunOver)
	_, err = f.keeper().Turn(f.ctx, pace.Ask{Run: "never", Rates: slow})
	assert.ErrorIs(f, err, quota.ErrNoRun)
	f.clock.advance(quota.Lease)
	_, err = f.keeper().Turn(f.ctx, pace.Ask{Run: "a", Rates: slow})
	assert.ErrorIs(f, err, quota.ErrRunOver, "its lease has passed")
}

func turnThatIsLate(f *fixture) {
	f.mustBegin("a", 9)
	f.use("a")
	a, err := f.keeper().Turn(f.ctx, pace.Ask{Run: "a", Rates: slow, Late: 3})
	require.NoError(f, err)
	assert.True(f, a.PutOff)
	assert.Equal(f, start.Add(2*pace.Gap(slow)), a.Expected, "it is not late yet, whatever the clock of who asks says")
	f.clock.advance(2 * time.Second)
	late := pace.Ask{Run: "a", Rates: slow, Late: 1}
	a, err = f.keeper().Turn(f.ctx, late)
	require.NoError(f, err)
	assert.True(f, a.Given && a.PutOff)
	assert.Equal(f, f.clock.Now(), a.Expected)
	assert.EqualValues(f, 1, a.Seq)
	assert.Equal(f, start.Add(2*time.Second+window()), f.ask("a").Expected, "the fourth goes by the first as it is now")
	require.NoError(f, f.keeper().Pause(f.ctx, time.Second, "429"))
	a, err = f.keeper().Turn(f.ctx, late)
	require.NoError(f, err)
	assert.False(f, a.Given, "in a pause")
	f.clock.advance(window())
	require.True(f, f.ask("a").Given)
	a, err = f.keeper().Turn(f.ctx, late)
	require.NoError(f, err)
	assert.False(f, a.PutOff, "the fourth was given by it")
	a, err = f.keeper().Turn(f.ctx, pace.Ask{Run: "a", Rates: slow, Late: 9})
	require.NoError(f, err)
	assert.False(f, a.PutOff, "there was none")
}

func turnOfWhoLeft(f *fixture) {
	f.mustBegin("a", 9)
	f.mustBegin("b", 9)
	f.use("a")
	f.ask("b")
	assert.Equal(f, 1, f.ask("a").Ahead)
	require.NoError(f, f.keeper().Leave(f.ctx, "b"))
	assert.Zero(f, f.ask("a").Ahead)
	require.NoError(f, f.keeper().Leave(f.ctx, "never"))
}

func turnAfterAPause(f *fixture) {
	f.mustBegin("a", 9)
	k := f.keeper()
	require.NoError(f, k.Pause(f.ctx, 20*time.Second, "429"))
	require.NoError(f, k.Pause(f.ctx, 5*time.Second, "a shorter one"))
	state, err := k.Pace(f.ctx)
	require.NoError(f, err)
	assert.Equal(f, pace.Pause{Until: start.Add(20 * time.Second), Why: "429"}, state.Pause)
	a := f.ask("a")
	assert.False(f, a.Given)
	assert.Equal(f, start.Add(20*time.Second), a.Expected)
	assert.Equal(f, state.Pause, a.Pause)
	f.clock.advance(20 * time.Second)
	a = f.ask("a")
	assert.True(f, a.Given)
	assert.Zero(f, a.Pause)
	state, err = k.Pace(f.ctx)
	require.NoError(f, err)
	assert.Zero(f, state.Pause)
	assert.Empty(f, state.Waiting)
}

func turnsStay(f *fixture) {
	f.mustBegin("a", 9)
	f.use("a")
	f.figures(0, 9, 91)
	require.NoError(f, f.store.Close())
	f.store = f.suite.Reopen(f.t, f.config)
	assert.False(f, f.ask("a").Given)
	f.figures(0, 9, 91)
}
