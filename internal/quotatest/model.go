package quotatest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

// model lets rapid do random operations on the store and on maps, and compares
// every answer and every balance. A failure prints the seed and the shortest
// steps that show it. Half of them are in a world where an admission sweeps what
// has expired after every step, half in one where it stays as it is until a step
// happens to sweep it.
func model(t *testing.T, suite Suite) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{
			fixture: newFixture(t, suite, 100), rt: rt,
			swept: rapid.Bool().Draw(rt, "swept"), granted: 100, runs: map[string]*modelRun{}, spends: map[string]*modelSpend{},
			notices: modelNotices{spent: map[notice.Mark]bool{}, days: map[string][]int64{}, noted: map[string]*modelNotice{}},
		}
		defer func() {
			m.verify()
			m.walked()
			assert.NoError(t, m.store.Close())
			m.closed = true
		}()
		steps := map[string]func(*rapid.T){
			"begin": m.doBegin, "spend": m.doSpend, "settle": m.doSettle, "end": m.doEnd, "renew": m.doRenew,
			"time": m.doTime, "kill": m.doKill, "grant": m.doGrant, "reconcile": m.doReconcile, "exhaust": m.doExhaust,
			"look": m.doLook, "tell": m.doTell, "sum": m.doSum,
			"": m.check,
		}
		maps.Copy(steps, m.paceSteps())
		rt.Repeat(steps)
	})
}

type modelRun struct {
	max, spent int64
	until      time.Time
	process    quota.Process
	over       bool
	// noted is when a block noted its lease as it is: it was dated ahead.
	noted []time.Time
}

type modelSpend struct {
	run     string
	units   int64
	outcome quota.Outcome
}

// machine is the model: what the ledger must say, kept in maps.
type machine struct {
	*fixture
	rt                      *rapid.T
	swept                   bool
	granted, floor          int64
	base                    int64 // spent outside of active runs
	exhausted               bool
	runs                    map[string]*modelRun
	spends                  map[string]*modelSpend
	notices                 modelNotices
	turns                   turnModel
	nextRun, nextOp, nextID int
}

// living tells whether a run may act now.
func (m *machine) living(r *modelRun) bool {
	return r != nil && !r.over && r.until.After(m.clock.Now())
}

// sweep is what an admission does first.
func (m *machine) sweep() {
	for id, r := range m.runs {
		if !r.over && (!r.until.After(m.clock.Now()) || m.gone.has(r.process) || m.unrenewed(r)) {
			m.finishRun(id)
		}
	}
}

// unrenewed tells whether a lease that is dated ahead was noted a lease ago.
func (m *machine) unrenewed(r *modelRun) bool {
	return r.until.After(m.clock.Now().Add(quota.Lease)) &&
		slices.ContainsFunc(r.noted, func(at time.Time) bool { return !at.After(m.clock.Now().Add(-quota.Lease)) })
}

// note is what a block does.
func (m *machine) note() {
	for _, r := range m.runs {
		if !r.over && r.until.After(m.clock.Now().Add(quota.Lease)) {
			r.noted = append(r.noted, m.clock.Now())
		}
	}
}

func (m *machine) finishRun(id string) {
	r := m.runs[id]
	r.over = true
	m.base += r.spent
	for _, s := range m.spends {
		if s.run == id && s.outcome == "" {
			s.outcome = quota.Unknown
		}
	}
}

// sums are spent and held by runs that live.
func (m *machine) sums() (spent, held int64) {
	spent = m.base
	for _, r := range m.runs {
		if r.over {
			continue
		}
		spent += r.spent
		if m.living(r) && !m.gone.has(r.process) && !m.unrenewed(r) {
			held += r.max - r.spent
		}
	}
	return spent, held
}

// pick draws a run id that is known, mostly.
func (m *machine) pick() string {
	if m.nextRun == 0 || rapid.IntRange(0, 9).Draw(m.rt, "unknown run") == 0 {
		return "nobody"
	}
	return fmt.Sprintf("run %d", rapid.IntRange(0, m.nextRun-1).Draw(m.rt, "run"))
}

// want compares an error with the one that must come, nil for none.
func (m *machine) want(got, want error) {
	if want == nil {
		assert.NoError(m.rt, got)
		return
	}
	assert.ErrorIs(m.rt, got, want)
}

// refused is how a run that is over is refused, or one that never was.
func (m *machine) refused(r *modelRun, err error) {
	if r == nil {
		m.want(err, quota.ErrNoRun)
		return
	}
	m.want(err, quota.ErrRunOver)
}

// newID is for what is neither a run nor a spend.
func (m *machine) newID() string {
	m.nextID++
	return fmt.Sprintf("change %d", m.nextID)
}

func (m *machine) all() []*modelRun {
	all := make([]*modelRun, 0, len(m.runs))
	for _, r := range m.runs {
		all = append(all, r)
	}
	return all
}

// check is done after every step.
func (m *machine) check(rt *rapid.T) {
	if m.swept {
		id := m.newID()
		_, err := m.store.Begin(m.ctx, quota.RunSpec{ID: id}, nil)
		m.want(err, nil)
		_, err = m.store.End(m.ctx, id, quota.Counters{})
		m.want(err, nil)
		m.sweep()
	}
	m.compare(rt)
}

// compare checks every balance. The journal is verified at the
// end of each run of steps, since it says then what was wrong at which entry.
func (m *machine) compare(rt *rapid.T) {
	s, err := m.store.Status(m.ctx)
	if !assert.NoError(rt, err) {
		return
	}
	spent, held := m.sums()
	var unknown int64
	for _, sp := range m.spends {
		if sp.outcome == quota.Unknown {
			unknown += sp.units
		}
	}
	assert.Equal(rt, []int64{m.granted, spent, held, m.floor, unknown}, []int64{s.Granted, s.Spent, s.Held, s.Floor, s.Unknown},
		"granted, spent, held, floor, unknown")
	assert.Equal(rt, m.exhausted, s.Exhausted)
}
