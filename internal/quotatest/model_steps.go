package quotatest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/quota"
)

// doSum goes on from an earlier sum.
func (m *machine) doSum(rt *rapid.T) {
	since := time.Time{}
	if rapid.Bool().Draw(rt, "since") {
		since = start.Add(time.Duration(rapid.IntRange(0, 7200).Draw(rt, "after")) * time.Second)
	}
	m.continued(since)
}

func (m *machine) doBegin(rt *rapid.T) {
	s := spec(fmt.Sprintf("run %d", m.nextRun), rapid.Int64Range(0, 60).Draw(rt, "max"))
	s.Process.PID = 100 + m.nextRun
	m.sweep()
	spent, held := m.sums()
	_, err := m.store.Begin(m.ctx, s, nil)
	if s.Max > 0 && (m.exhausted || s.Max > m.granted-spent-held-m.floor) {
		m.want(err, quota.ErrBlocked)
		m.note()
		m.refuse()
		return
	}
	m.want(err, nil)
	m.runs[s.ID] = &modelRun{max: s.Max, until: m.clock.Now().Add(quota.Lease), process: s.Process}
	m.nextRun++
}

func (m *machine) doSpend(rt *rapid.T) {
	run, units := m.pick(), rapid.Int64Range(0, 5).Draw(rt, "units")
	id := fmt.Sprintf("spend %d", m.nextOp)
	r := m.runs[run]
	_, err := m.store.Spend(m.ctx, quota.SpendSpec{
		ID: id, Run: run, Units: units, RequestKey: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "key"), Test: "Test", Operation: "classify",
	})
	switch {
	case !m.living(r):
		m.refused(r, err)
	case r.spent+units > r.max:
		m.want(err, quota.ErrHoldUsed)
	default:
		m.want(err, nil)
		r.spent += units
		m.spends[id] = &modelSpend{run: run, units: units}
		m.nextOp++
	}
}

func (m *machine) doSettle(rt *rapid.T) {
	id := "spend 0"
	if m.nextOp > 0 {
		id = fmt.Sprintf("spend %d", rapid.IntRange(0, m.nextOp-1).Draw(rt, "spend"))
	}
	outcome := rapid.SampledFrom([]quota.Outcome{quota.Answered, quota.Unknown, quota.Refunded}).Draw(rt, "outcome")
	s, err := m.spends[id], m.settle(id, outcome)
	switch {
	case s == nil:
		m.want(err, quota.ErrNoSpend)
	case s.outcome == outcome:
		m.want(err, nil)
	case outcome == quota.Refunded && !m.living(m.runs[s.run]):
		m.want(err, quota.ErrRunOver)
	case s.outcome == "" || s.outcome == quota.Unknown && outcome == quota.Answered:
		m.want(err, nil)
		s.outcome = outcome
		if outcome == quota.Refunded {
			m.runs[s.run].spent -= s.units
		}
	default:
		m.want(err, quota.ErrConflict)
	}
}

func (m *machine) doEnd(*rapid.T) {
	run := m.pick()
	r := m.runs[run]
	_, err := m.store.End(m.ctx, run, quota.Counters{Requests: int64(m.nextOp)})
	switch {
	case r == nil:
		m.want(err, quota.ErrNoRun)
	case !r.over && m.living(r):
		m.want(err, nil)
		m.finishRun(run)
	case !r.over:
		m.want(err, quota.ErrRunOver)
		m.finishRun(run)
	case err != nil: // ended, and with other counters, or expired
		m.want(err, quota.ErrRunOver)
	}
}

func (m *machine) doRenew(*rapid.T) {
	run := m.pick()
	r := m.runs[run]
	until, err := m.store.Renew(m.ctx, run)
	switch {
	case m.living(r):
		m.want(err, nil)
		if !r.until.Equal(until) {
			r.until, r.noted = until, nil
		}
	default:
		m.refused(r, err)
	}
}

func (m *machine) doTime(rt *rapid.T) {
	leap := rapid.SampledFrom([]time.Duration{time.Second, quota.Renewal, quota.Lease, -quota.Renewal, 24 * time.Hour, -24 * time.Hour, 90 * time.Millisecond}).Draw(rt, "time")
	m.turns.back = m.turns.back || leap < 0
	m.clock.advance(leap)
}

func (m *machine) doKill(*rapid.T) {
	if r := m.runs[m.pick()]; r != nil {
		m.gone.end(r.process)
	}
}

func (m *machine) doGrant(rt *rapid.T) {
	s := quota.GrantSpec{ID: m.newID(), Units: rapid.Int64Range(1, 20).Draw(rt, "granted")}
	if rapid.Bool().Draw(rt, "floor") {
		m.floor = rapid.Int64Range(0, 30).Draw(rt, "new floor")
		s.Floor = &m.floor
	}
	_, err := m.store.Grant(m.ctx, s)
	m.want(err, nil)
	m.granted += s.Units
	m.exhausted = false
	m.arm()
}

func (m *machine) doReconcile(rt *rapid.T) {
	s := quota.ReconcileSpec{ID: m.newID(), Observed: rapid.Int64Range(0, 150).Draw(rt, "observed"), Note: "portal"}
	_, err := m.store.Reconcile(m.ctx, s)
	m.sweep()
	spent, _ := m.sums()
	active := slices.ContainsFunc(m.all(), func(r *modelRun) bool { return !r.over && r.max > 0 })
	if s.Observed < spent && active {
		m.want(err, quota.ErrRunsActive)
		return
	}
	m.want(err, nil)
	m.base += s.Observed - spent
	m.exhausted = false
	m.arm()
}

func (m *machine) doExhaust(*rapid.T) {
	run := m.pick()
	_, err := m.store.Exhaust(m.ctx, quota.ExhaustSpec{Run: run, Status: 402})
	if m.runs[run] == nil {
		m.want(err, quota.ErrNoRun)
		return
	}
	m.want(err, nil)
	m.exhausted = true
}
