package quotatest

import (
	"context"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
)

// PaceMemory is a [pace.Keeper] in memory: what those of the stores are compared with.
// It knows no runs: each that asks may.
type PaceMemory struct {
	Now func() time.Time

	mu    sync.Mutex
	turns []time.Time
	runs  map[string]pace.Waiter
	pause pace.Pause
}

var _ pace.Keeper = (*PaceMemory)(nil)

// waiting are the runs that wait.
func (m *PaceMemory) waiting() []pace.Waiter {
	all := make([]pace.Waiter, 0, len(m.runs))
	for _, w := range m.runs {
		if !w.Due.IsZero() {
			all = append(all, w)
		}
	}
	return all
}

// Turn implements [pace.Keeper].
func (m *PaceMemory) Turn(_ context.Context, ask pace.Ask) (pace.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[string]pace.Waiter{}
	}
	m.pause, _ = m.pause.Now(m.Now())
	table := pace.Table{
		Now: m.Now(), Rates: ask.Rates, Head: int64(len(m.turns)), Waiting: m.waiting(), Pause: m.pause,
		At: func(seq int64) time.Time {
			if seq > int64(len(m.turns)) {
				return time.Time{}
			}
			return m.turns[seq-1]
		},
	}
	if latest, back := table.WentBack(); back {
		for i, at := range m.turns {
			m.turns[i] = earlier(at, kept(latest))
		}
	}
	a, me := table.Answer(ask, m.runs[ask.Run])
	switch {
	case a.PutOff:
		m.turns[a.Seq-1] = a.Expected
	case a.Given:
		m.turns = append(m.turns, a.Expected)
	}
	m.runs[ask.Run] = me
	return a, nil
}

// Leave implements [pace.Keeper].
func (m *PaceMemory) Leave(_ context.Context, run string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w, ok := m.runs[run]; ok {
		m.runs[run] = pace.Waiter{Run: run, Last: w.Last}
	}
	return nil
}

// Pause implements [pace.Keeper].
func (m *PaceMemory) Pause(_ context.Context, wait time.Duration, why string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pause, _ = m.pause.Now(m.Now())
	if until := m.Now().Add(wait); until.After(m.pause.Until) {
		m.pause = pace.Pause{Until: until, Why: why}
	}
	return nil
}

// Pace implements [pace.Keeper].
func (m *PaceMemory) Pace(context.Context) (pace.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := pace.State{Now: m.Now(), Turns: int64(len(m.turns)), Waiting: pace.Order(m.waiting(), m.Now())}
	if len(m.turns) > 0 {
		s.Last = m.turns[len(m.turns)-1]
	}
	if p, _ := m.pause.Now(s.Now); p.Until.After(s.Now) {
		s.Pause = p
	}
	return s, nil
}
