package quotatest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/pace"
)

// walkRates are those of projects that share an account in a walk. Renewals and leases are
// longer than some of their windows, and shorter than others.
var walkRates = [][]pace.Rate{
	{{Turns: 3, Per: 2 * time.Second}},
	{{Turns: 5, Per: 20 * time.Second}, {Turns: 1, Per: time.Second}},
	{{Turns: 2, Per: time.Hour}},
}

// turnModel is what a walk knows of the pace.
type turnModel struct {
	paceModel
	rates [][]pace.Rate // that are asked by
	back  bool          // the clock went back once
}

// paceSteps are what runs do for their turns, beside all else that they do.
func (m *machine) paceSteps() map[string]func(*rapid.T) {
	m.turns.rates = walkRates
	if n := rapid.IntRange(0, len(walkRates)).Draw(m.rt, "rates"); n < len(walkRates) { // else several
		m.turns.rates = walkRates[n : n+1]
	}
	return map[string]func(*rapid.T){"turn": m.doTurn, "turns": m.doTurns, "leave": m.doLeave, "pause": m.doPause, "pace": m.doPace}
}

func (m *machine) lives(run string) bool { return m.living(m.runs[run]) }

func (m *machine) doTurn(rt *rapid.T) {
	ask := pace.Ask{Run: m.pick(), Rates: rapid.SampledFrom(m.turns.rates).Draw(rt, "rate")}
	if rapid.IntRange(0, 4).Draw(rt, "late") == 0 {
		head := len(m.turns.moments)
		ask.Late = int64(rapid.IntRange(max(1, head-6), head+1).Draw(rt, "late turn"))
	}
	m.asks(rt, ask)
}

// doTurns has all runs ask, each when it was told to: what fills windows.
func (m *machine) doTurns(rt *rapid.T) {
	rates := rapid.SampledFrom(m.turns.rates).Draw(rt, "rate")
	for i := range min(m.nextRun, 8) {
		ask := pace.Ask{Run: fmt.Sprintf("run %d", m.nextRun-1-i), Rates: rates}
		if due := m.turns.runs[ask.Run].Due; due.After(m.clock.Now()) && due.Sub(m.clock.Now()) < 10*time.Second {
			m.clock.advance(due.Sub(m.clock.Now()))
		}
		m.asks(rt, ask)
	}
}

func (m *machine) asks(rt *rapid.T, ask pace.Ask) {
	a, err := m.keeper().Turn(m.ctx, ask)
	if r := m.runs[ask.Run]; !m.living(r) {
		m.refused(r, err)
		return
	}
	require.NoError(rt, err)
	m.turns.paceModel, err = m.turns.turn(ask, a, m.lives)
	require.NoError(rt, err, "%s of %d asks at %v", ask.Run, m.nextRun, ask.Rates)
	if len(m.turns.rates) == 1 && !m.turns.back { // with several, each keeps to its own
		require.NoError(rt, m.turns.over(ask.Rates))
	}
}

func (m *machine) doLeave(rt *rapid.T) {
	run := m.pick()
	require.NoError(rt, m.keeper().Leave(m.ctx, run))
	m.turns.paceModel = m.turns.leave(run)
}

func (m *machine) doPause(rt *rapid.T) {
	wait := time.Duration(rapid.IntRange(1, 5000).Draw(rt, "pause")) * time.Millisecond
	p := pace.Pause{Until: m.clock.Now().Add(wait), Why: m.newID()}
	require.NoError(rt, m.keeper().Pause(m.ctx, wait, p.Why))
	m.turns.paceModel = m.turns.pauses(p, m.clock.Now())
}

func (m *machine) doPace(rt *rapid.T) {
	s, err := m.keeper().Pace(m.ctx)
	require.NoError(rt, err)
	assert.NoError(rt, m.turns.state(s, m.lives))
}
