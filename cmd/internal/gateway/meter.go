package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

const (
	// endTimeout is how long the ledger may take to end a run. A run that is not
	// ended expires: what it did not draw is free again half a minute later.
	endTimeout = 10 * time.Second
	// idleTime is how long an allotment may lie unused before what is left of it
	// goes back to the others.
	idleTime = 30 * time.Second
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
	ending  sync.WaitGroup
}

// drawer is one key that draws. Its fields but turn are under meter.mu.
type drawer struct {
	turn      chan struct{} // whoever is in it begins the next allotment
	allotment *allotment    // nil between two
	last      string        // the id of the latest run
	counters  quota.Counters

	refused      error // the ledger's latest refusal, of refusedUnits or more
	refusedUnits int64
	askAgain     time.Time
}

// allotment is one run of a key. Its fields but run and drawer are under
// meter.mu.
type allotment struct {
	run     *quota.Run
	drawer  *drawer
	left    int64 // units; what is refunded stays out
	open    int   // spends that are not settled
	retired bool  // nothing is drawn from it any more; it ends when open is 0
	used    time.Time
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
			m.metrics.units.WithLabelValues(name).Add(float64(spec.Units))
			return e, nil
		}
		// Without an answer it may have been written down: its units stay out of
		// what is left.
		over := errors.Is(err, quota.ErrRunOver) || errors.Is(err, quota.ErrHoldUsed)
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
	var err error
	switch {
	case m.closed:
		err = errGatewayStops
	case m.stopped != nil && m.now().Before(m.resumes):
		err = m.stopped
	}
	m.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = m.client.Store.Status(ctx)
	return err
}

// draw takes the units of a spend out of the key's allotment. The spend is under
// way from then on.
func (m *meter) draw(ctx context.Context, k Key, spec quota.SpendSpec) (*allotment, error) {
	d := m.drawer(k.Name)
	if from, err := m.take(d, spec); from != nil || err != nil {
		return from, err
	}
	began := time.Now()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waited %s for another request of key %q, which is asking the ledger for the key's next units: %w",
			time.Since(began).Round(10*time.Millisecond), k.Name, ctx.Err())
	}
	defer func() { <-d.turn }()
	// Another request may have begun one meanwhile.
	if from, err := m.take(d, spec); from != nil || err != nil {
		return from, err
	}
	m.retire(ctx, d) // before the next one, which may need what is left of it
	run, err := m.begin(ctx, k, spec.Units)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		if errors.Is(err, quota.ErrBlocked) {
			d.refused, d.refusedUnits, d.askAgain = err, spec.Units, m.now().Add(refusedTime)
		}
		return nil, err
	}
	d.refused = nil
	d.last = run.Info().ID
	d.allotment = &allotment{run: run, drawer: d, left: run.Info().Max}
	return m.takeFrom(d.allotment, spec), nil
}

// drawer is the key's, made when it first asks.
func (m *meter) drawer(name string) *drawer {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.drawers[name]
	if d == nil {
		d = &drawer{turn: make(chan struct{}, 1)}
		if m.drawers == nil {
			m.drawers, m.open = map[string]*drawer{}, map[string]*allotment{}
		}
		m.drawers[name] = d
	}
	return d
}

// take draws from the allotment there is, or says why nothing may be drawn. It
// returns neither when a next allotment is needed.
func (m *meter) take(d *drawer, spec quota.SpendSpec) (*allotment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	switch {
	case m.closed:
		return nil, errGatewayStops
	case m.stopped != nil && now.Before(m.resumes):
		return nil, m.stopped
	case d.allotment != nil && d.allotment.left >= spec.Units:
		return m.takeFrom(d.allotment, spec), nil
	case d.refused != nil && spec.Units >= d.refusedUnits && now.Before(d.askAgain):
		return nil, d.refused
	}
	return nil, nil
}

// takeFrom must be called under the lock.
func (m *meter) takeFrom(from *allotment, spec quota.SpendSpec) *allotment {
	from.left -= spec.Units
	from.open++
	from.used = m.now()
	m.open[spec.ID] = from
	return from
}

// begin asks the ledger for an allotment, and for a smaller one where that is all
// that is left for the key.
func (m *meter) begin(ctx context.Context, k Key, units int64) (*quota.Run, error) {
	defer m.metrics.asked("begin", time.Now())
	rules := append(append([]quota.Rule{}, m.budgets...), k.rule())
	want := max(m.size, units)
	if units == 0 {
		want = 0 // what costs nothing needs no hold
	}
	for {
		run, err := m.client.Begin(ctx, quota.RunSpec{
			ID: m.newID(), Mode: m.mode.String(), Max: want, Attribution: k.attribution(), Process: quota.ThisProcess(),
		}, rules)
		var blocked *quota.BlockedError
		if !errors.As(err, &blocked) {
			return run, err
		}
		fits := fitting(blocked)
		if fits < units || fits >= want {
			for _, r := range blocked.Refusals {
				if r.Budget == len(rules) {
					return nil, &capError{Key: k.Name, Cap: k.Cap, Used: r.Used, Units: units, blocked: blocked}
				}
			}
			return nil, err
		}
		want = fits
	}
}

// fitting is the largest amount that no refusal is about.
func fitting(blocked *quota.BlockedError) int64 {
	fits := blocked.Requested
	for _, r := range blocked.Refusals {
		switch r.Rule {
		case "usable", "max_per_run":
			fits = min(fits, r.Limit)
		case "max_per_day", "max_total":
			fits = min(fits, r.Limit-r.Used)
		default: // exhausted, block
			return 0
		}
	}
	return fits
}

// capError refuses a key that has drawn what it may.
type capError struct {
	Key string
	// Cap is what the key may draw in all, Used what it has drawn and holds, and
	// Units what one more request needs.
	Cap, Used, Units int64
	blocked          *quota.BlockedError
}

func (e *capError) Error() string {
	return fmt.Sprintf("key %q may draw %d units in all, has drawn or holds %d, and needs %d more: ask for a higher cap, or for another key",
		e.Key, e.Cap, e.Used, e.Units)
}

func (e *capError) Unwrap() error { return e.blocked }

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

// drop must be called under the lock.
func (m *meter) drop(from *allotment) {
	from.retired = true
	if from.drawer.allotment == from {
		from.drawer.allotment = nil
	}
}

// endIfDone ends a retired allotment in the background once nothing of it is under
// way. It must be called under the lock.
func (m *meter) endIfDone(from *allotment) {
	if from.retired && from.open == 0 {
		counters := from.drawer.counters
		from.drawer.counters = quota.Counters{}
		m.ending.Go(func() { m.end(context.Background(), from, counters) })
	}
}

// end ends an allotment's run. One that can't be ended expires, and what it did not
// draw is free again half a minute later.
func (m *meter) end(ctx context.Context, from *allotment, counters quota.Counters) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if _, err := from.run.End(ctx, counters); err != nil && !errors.Is(err, quota.ErrRunOver) {
		m.metrics.unended.Inc()
	}
}

// retire takes the key's allotment out of use and ends it, at once where nothing
// of it is under way.
func (m *meter) retire(ctx context.Context, d *drawer) {
	m.mu.Lock()
	from := d.allotment
	if from == nil {
		m.mu.Unlock()
		return
	}
	m.drop(from)
	if from.open > 0 {
		m.mu.Unlock()
		return
	}
	counters := d.counters
	d.counters = quota.Counters{}
	m.mu.Unlock()
	m.end(ctx, from, counters)
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
	d.counters.Requests++
	switch e.Verdict {
	case "replayed":
		d.counters.Replayed++
		d.counters.WouldSpend += int64(e.Units)
	case string(guard.Missed):
		d.counters.Missed++
	}
}

// sweep ends the allotments that nobody has drawn from lately.
func (m *meter) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.now().Add(-idleTime)
	m.retireAll(func(from *allotment) bool { return from.open == 0 && from.used.Before(before) })
}

// close lets nothing more be drawn, ends every run and waits for that. What is
// under way must have been settled before.
func (m *meter) close() {
	m.mu.Lock()
	m.closed = true
	m.retireAll(func(*allotment) bool { return true })
	m.mu.Unlock()
	m.ending.Wait()
}
