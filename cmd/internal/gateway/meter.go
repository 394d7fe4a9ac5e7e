package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

const (
	// endTimeout is how long the ledger may take to end a run. A run that is not
	// ended expires: what it did not draw is free again half a minute later.
	endTimeout = 10 * time.Second
	// idleTime is how long an allotment may lie unused before what is left of it
	// goes back to the others.
	idleTime = 30 * time.Second
	// emptyTime is the same of one that holds nothing that others could want, as for requests
	// that cost nothing. Who polls once a minute would leave a run each time, and every
	// admission of a key reads all runs.
	emptyTime = time.Hour
	// refusedTime is how long a refusal of the ledger stands before it is asked
	// again: each time it writes the refusal down.
	refusedTime = 5 * time.Second
	// A sandbox that says stop is left alone for firstPause, and twice as long
	// each time it says so again, up to lastPause: what it answers may count.
	firstPause, lastPause = time.Minute, time.Hour
)

// meter is the [guard.Meter] of a gateway. Each key that asks holds one small
// run at a time, and begins the next when that is drawn up, so that instances
// which share a ledger share what is left. It is safe for concurrent use.
type meter struct {
	client  *quota.Client
	budgets []quota.Rule
	mode    guard.Mode
	// size is how many units a run holds at most, unless one request needs more.
	size int64
	// key finds a key that is accepted now.
	key     func(name string) (Key, bool)
	newID   func() string
	now     func() time.Time
	metrics *metrics

	mu      sync.Mutex
	drawers map[string]*drawer    // by the key's name
	open    map[string]*allotment // by the id of a spend under way
	stopped error                 // what the sandbox said, until resumes
	resumes time.Time
	pause   time.Duration
	closed  bool
	unended error // why a run could not be ended since then
	trust
	ending sync.WaitGroup
}

// errGatewayStops refuses what comes when the gateway is about to end.
var errGatewayStops = fmt.Errorf("the gateway is stopping: %w", quota.ErrBlocked)

// Spend draws the units from the allotment of the key that asks, or from its next
// one.
func (m *meter) Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	name := guard.Client(ctx)
	k, ok := m.key(name)
	if !ok {
		return quota.Entry{}, fmt.Errorf("key %q is not accepted: %w", name, quota.ErrBlocked)
	}
	var err error
	for range 3 {
		var from *allotment
		if from, err = m.draw(ctx, k, spec); err != nil {
			return quota.Entry{}, err
		}
		start := time.Now()
		var e quota.Entry
		e, err = from.run.Spend(ctx, spec)
		m.metrics.asked("spend", start)
		if err == nil {
			m.metrics.units.add(spec.Units, name)
			return e, nil
		}
		// Without an answer it may have been written down: its units stay out of
		// what is left. Nothing is sent for it, so they go back with the run, unless the
		// ledger knew the spend before: somebody may have sent that.
		over := errors.Is(err, quota.ErrRunOver) || errors.Is(err, quota.ErrHoldUsed)
		known := errors.Is(err, quota.ErrSpent) || errors.Is(err, quota.ErrConflict)
		if !over && !known && !errors.Is(err, quota.ErrBlocked) {
			_ = from.run.Settle(quota.Settlement{Spend: spec.ID, Outcome: quota.Refunded, Proof: quota.NoConnection})
		}
		m.landed(spec.ID, over)
		if !over {
			return e, err
		}
		// Its lease passed, or somebody ended it: the next one may still do.
	}
	return quota.Entry{}, err
}

// Check asks the ledger before something is sent that is no spend: the request for
// a token.
func (m *meter) Check(ctx context.Context) error {
	m.mu.Lock()
	err := m.refusing()
	m.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = m.client.Store.Status(ctx)
	return err
}

// landed ends what was under way with a spend. An allotment that is spoilt is not
// drawn from again.
func (m *meter) landed(id string, spoilt bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := m.open[id]
	delete(m.open, id)
	from.open--
	if spoilt {
		m.drop(from)
	}
	m.endIfDone(from)
}

// Settle notes what became of a spend, with the run that it was drawn from.
func (m *meter) Settle(s quota.Settlement) error {
	m.mu.Lock()
	from := m.open[s.Spend]
	if s.Outcome == quota.Answered && s.Status < 400 {
		m.pause = 0
	}
	m.mu.Unlock()
	if from == nil {
		return fmt.Errorf("spend %s: %w", s.Spend, quota.ErrNoSpend)
	}
	err := from.run.Settle(s)
	m.landed(s.Spend, false)
	return err
}

// Deny stops every key for a while: they draw on one account, and the sandbox
// said to stop. What they hold goes back.
func (m *meter) Deny(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now().Before(m.resumes) {
		return // said to a request that was under way when another was told
	}
	m.pause = min(max(2*m.pause, firstPause), lastPause)
	m.stopped, m.resumes = err, m.now().Add(m.pause)
	m.retireAll(func(*allotment) bool { return true })
}

// retireAll must be called under the lock.
func (m *meter) retireAll(which func(*allotment) bool) {
	for _, d := range m.drawers {
		if from := d.allotment; from != nil && which(from) {
			m.drop(from)
			m.endIfDone(from)
		}
	}
}

// Exhaust tells the ledger that nothing is left, for everybody.
func (m *meter) Exhaust(ctx context.Context, status int, note string) error {
	d := m.drawer(guard.Client(ctx))
	m.mu.Lock()
	run := d.last
	m.mu.Unlock()
	_, err := m.client.Store.Exhaust(ctx, quota.ExhaustSpec{Run: run, Status: status, Note: note})
	return err
}

// observe counts what became of a key's request, for the end of its run.
func (m *meter) observe(e guard.Event) {
	d := m.drawer(e.Client)
	m.mu.Lock()
	defer m.mu.Unlock()
	d.tally = d.tally.Add(e.Tally)
}

// sweep ends the allotments that nobody has drawn from lately.
func (m *meter) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retireAll(func(from *allotment) bool {
		idle := idleTime
		if from.run.Info().Max == 0 {
			idle = emptyTime
		}
		return from.open == 0 && m.now().Sub(from.used) > idle
	})
}

// close lets nothing more be drawn, ends every run and waits for that until ctx
// ends. It returns why the ledger can't be relied on, or why a run could not be ended. The
// run of what is under way, and not settled, is left to its lease.
func (m *meter) close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.retireAll(func(*allotment) bool { return true })
	m.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		m.ending.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		m.recount(ctx)
		return errors.Join(m.trusted(), m.unended)
	case <-ctx.Done():
		return errors.Join(m.trusted(), session.Failed(errors.New("the ledger did not answer in time: what was held is free again within half a minute")))
	}
}
