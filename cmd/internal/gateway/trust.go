package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

const (
	// A ledger that did not count is asked again after firstAsk, and after twice as long
	// each time, up to lastAsk: all its runs may have to be read.
	firstAsk, lastAsk = 10 * time.Second, 10 * time.Minute
	// mostRuns is how many of the latest runs that ended are compared then.
	mostRuns = 1000
)

// trust is what a gateway knows of whether its ledger keeps what it writes, as one does not
// after a failover to a server that lagged behind. Its fields are under meter.mu.
type trust struct {
	// distrusted is why nothing is drawn: the ledger does not count. Nil while it does.
	distrusted error
	doubts     int        // how often it was found so
	ended      []endedRun // the latest ones, the oldest first
	asks       time.Time  // when it is asked again, and how long the wait was
	wait       time.Duration
}

// endedRun is a run as the ledger let it spend.
type endedRun struct {
	quota.RunInfo

	counted bool // the ledger was found to have as much
}

// let are the runs that ended, or those alone that were not found to be counted. It must be
// called under the lock.
func (m *meter) let(uncounted bool) []quota.RunInfo {
	var runs []quota.RunInfo
	for _, r := range m.ended {
		if !r.counted || !uncounted {
			runs = append(runs, r.RunInfo)
		}
	}
	return runs
}

// compare looks whether the ledger counts a run that ended, and those before it with which
// it could not be asked.
func (m *meter) compare(ctx context.Context, run quota.RunInfo) {
	m.mu.Lock()
	if n := len(m.ended); n >= mostRuns && m.distrusted == nil {
		m.ended = slices.Delete(m.ended, 0, n-mostRuns+1)
	}
	m.ended = append(m.ended, endedRun{RunInfo: run})
	runs := m.let(true)
	m.mu.Unlock()
	err := session.Counts(ctx, m.client.Store, runs...)
	switch {
	case err == nil:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.found(runs)
	case errors.Is(err, quota.ErrWentBack):
		m.distrust(err)
	}
}

// found notes that runs are counted. It must be called under the lock.
func (m *meter) found(runs []quota.RunInfo) {
	ids := make(map[string]bool, len(runs))
	for _, r := range runs {
		ids[r.ID] = true
	}
	for i := range m.ended {
		m.ended[i].counted = m.ended[i].counted || ids[m.ended[i].ID]
	}
}

// distrust lets nothing more be drawn from a ledger that does not count what it let a run
// spend, and ends what is held.
func (m *meter) distrust(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doubts++
	if m.distrusted == nil {
		m.distrusted = session.Failed(err)
		m.later()
	}
	m.retireAll(func(*allotment) bool { return true })
}

// later puts off when the ledger is asked again. One that was trusted again and then did not
// count waits longer too. It must be called under the lock.
func (m *meter) later() {
	m.wait = min(max(2*m.wait, firstAsk), lastAsk)
	m.asks = m.now().Add(m.wait)
}

// askAgain asks a ledger that did not count, when it is time.
func (m *meter) askAgain(ctx context.Context) {
	m.mu.Lock()
	due := !m.now().Before(m.asks)
	m.mu.Unlock()
	if due {
		m.recount(ctx)
	}
}

// recount lets a ledger be drawn on again once it counts all that it let the latest runs
// spend, of which those are that it did not.
func (m *meter) recount(ctx context.Context) {
	m.mu.Lock()
	runs, doubts := m.let(false), m.doubts
	distrusted := m.distrusted != nil
	m.mu.Unlock()
	if !distrusted {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	err := session.Counts(ctx, m.client.Store, runs...)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && m.doubts == doubts {
		m.found(runs)
		m.distrusted = nil
		return
	}
	if errors.Is(err, quota.ErrWentBack) {
		m.distrusted = session.Failed(err)
	}
	m.later()
}

// trusted is nil, or why the ledger can't be relied on.
func (m *meter) trusted() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.distrusted
}
