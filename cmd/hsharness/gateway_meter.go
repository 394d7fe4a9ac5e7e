package main

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
	// idleTime is how long a portion may lie unused before what is left of it
	// goes back to the others.
	idleTime = 30 * time.Second
	// refusedTime is how long a refusal of the ledger stands before it is asked
	// again: each time it writes the refusal down.
	refusedTime = 5 * time.Second
	// A sandbox that says stop is left alone for firstPause, and twice as long
	// each time it says so again, up to lastPause: what it answers may count.
	firstPause, lastPause = time.Minute, time.Hour
)

// portions is the [guard.Meter] of a gateway. Each key that asks holds one small
// run at a time, and begins the next when that is drawn up, so that instances
// which share a ledger share what is left. It is safe for concurrent use.
type portions struct {
	client  *quota.Client
	budgets []quota.Rule
	mode    guard.Mode
	// size is how many units a run holds at most, unless one request needs more.
	size int64
	// key finds a key that is accepted now.
	key     func(name string) (gatewayKey, bool)
	now     func() time.Time
	metrics *gatewayMetrics

	mu      sync.Mutex
	drawers map[string]*drawer  // by the key's name
	open    map[string]*portion // by the id of a spend under way
	stopped error               // what the sandbox said, until resumes
	resumes time.Time
	pause   time.Duration
	closed  bool
	ending  sync.WaitGroup
}

// drawer is one key that draws. Its fields but turn are under portions.mu.
type drawer struct {
	turn     chan struct{} // whoever is in it begins the next portion
	portion  *portion      // nil between two
	last     string        // the id of the latest run
	counters quota.Counters

	refused      error // the ledger's latest refusal, of refusedUnits or more
	refusedUnits int64
	askAgain     time.Time
}

// portion is one run of a key. Its fields but run and drawer are under
// portions.mu.
type portion struct {
	run     *quota.Run
	drawer  *drawer
	left    int64 // units; what is refunded stays out
	open    int   // spends that are not settled
	retired bool  // nothing is drawn from it any more; it ends when open is 0
	used    time.Time
}

// errGatewayStops refuses what comes when the gateway is about to end.
var errGatewayStops = fmt.Errorf("the gateway is stopping: %w", quota.ErrBlocked)

// Spend draws the units from the portion of the key that asks, or from its next
// one.
func (p *portions) Spend(ctx context.Context, spec quota.SpendSpec) (quota.Entry, error) {
	name := guard.Client(ctx)
	k, ok := p.key(name)
	if !ok {
		return quota.Entry{}, fmt.Errorf("key %q is not accepted: %w", name, quota.ErrBlocked)
	}
	var err error
	for range 3 {
		var from *portion
		if from, err = p.draw(ctx, k, spec); err != nil {
			return quota.Entry{}, err
		}
		start := time.Now()
		var e quota.Entry
		e, err = from.run.Spend(ctx, spec)
		p.metrics.asked("spend", start)
		if err == nil {
			p.metrics.units.WithLabelValues(name).Add(float64(spec.Units))
			return e, nil
		}
		// Without an answer it may have been written down: its units stay out of
		// what is left.
		over := errors.Is(err, quota.ErrRunOver) || errors.Is(err, quota.ErrHoldUsed)
		p.landed(spec.ID, over)
		if !over {
			return e, err
		}
		// Its lease passed, or somebody ended it: the next one may still do.
	}
	return quota.Entry{}, err
}

// Check asks the ledger before something is sent that is no spend: the request for
// a token.
func (p *portions) Check(ctx context.Context) error {
	p.mu.Lock()
	var err error
	switch {
	case p.closed:
		err = errGatewayStops
	case p.stopped != nil && p.now().Before(p.resumes):
		err = p.stopped
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = p.client.Store.Status(ctx)
	return err
}

// draw takes the units of a spend out of the key's portion. The spend is under
// way from then on.
func (p *portions) draw(ctx context.Context, k gatewayKey, spec quota.SpendSpec) (*portion, error) {
	d := p.drawer(k.Name)
	if from, err := p.take(d, spec); from != nil || err != nil {
		return from, err
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-d.turn }()
	// Another request may have begun one meanwhile.
	if from, err := p.take(d, spec); from != nil || err != nil {
		return from, err
	}
	p.retire(ctx, d) // before the next one, which may need what is left of it
	run, err := p.begin(ctx, k, spec.Units)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if errors.Is(err, quota.ErrBlocked) {
			d.refused, d.refusedUnits, d.askAgain = err, spec.Units, p.now().Add(refusedTime)
		}
		return nil, err
	}
	d.refused = nil
	d.last = run.Info().ID
	d.portion = &portion{run: run, drawer: d, left: run.Info().Max}
	return p.takeFrom(d.portion, spec), nil
}

// drawer is the key's, made when it first asks.
func (p *portions) drawer(name string) *drawer {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.drawers[name]
	if d == nil {
		d = &drawer{turn: make(chan struct{}, 1)}
		if p.drawers == nil {
			p.drawers, p.open = map[string]*drawer{}, map[string]*portion{}
		}
		p.drawers[name] = d
	}
	return d
}

// take draws from the portion there is, or says why nothing may be drawn. It
// returns neither when a next portion is needed.
func (p *portions) take(d *drawer, spec quota.SpendSpec) (*portion, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	switch {
	case p.closed:
		return nil, errGatewayStops
	case p.stopped != nil && now.Before(p.resumes):
		return nil, p.stopped
	case d.portion != nil && d.portion.left >= spec.Units:
		return p.takeFrom(d.portion, spec), nil
	case d.refused != nil && spec.Units >= d.refusedUnits && now.Before(d.askAgain):
		return nil, d.refused
	}
	return nil, nil
}

// takeFrom must be called under the lock.
func (p *portions) takeFrom(from *portion, spec quota.SpendSpec) *portion {
	from.left -= spec.Units
	from.open++
	from.used = p.now()
	p.open[spec.ID] = from
	return from
}

// begin asks the ledger for a portion, and for a smaller one where that is all
// that is left for the key.
func (p *portions) begin(ctx context.Context, k gatewayKey, units int64) (*quota.Run, error) {
	defer p.metrics.asked("begin", time.Now())
	rules := append(append([]quota.Rule{}, p.budgets...), k.rule())
	want := max(p.size, units)
	if units == 0 {
		want = 0 // what costs nothing needs no hold
	}
	for {
		run, err := p.client.Begin(ctx, quota.RunSpec{
			ID: mustID(), Mode: p.mode.String(), Max: want, Attribution: k.attribution(), Process: quota.ThisProcess(),
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

// landed ends what was under way with a spend. A portion that is spoilt is not
// drawn from again.
func (p *portions) landed(id string, spoilt bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.open[id]
	delete(p.open, id)
	from.open--
	if spoilt {
		p.drop(from)
	}
	p.endIfDone(from)
}

// drop must be called under the lock.
func (p *portions) drop(from *portion) {
	from.retired = true
	if from.drawer.portion == from {
		from.drawer.portion = nil
	}
}

// endIfDone ends a retired portion in the background once nothing of it is under
// way. It must be called under the lock.
func (p *portions) endIfDone(from *portion) {
	if from.retired && from.open == 0 {
		counters := from.drawer.counters
		from.drawer.counters = quota.Counters{}
		p.ending.Go(func() { p.end(context.Background(), from, counters) })
	}
}

// end ends a portion's run. One that can't be ended expires, and what it did not
// draw is free again half a minute later.
func (p *portions) end(ctx context.Context, from *portion, counters quota.Counters) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if _, err := from.run.End(ctx, counters); err != nil && !errors.Is(err, quota.ErrRunOver) {
		p.metrics.unended.Inc()
	}
}

// retire takes the key's portion out of use and ends it, at once where nothing
// of it is under way.
func (p *portions) retire(ctx context.Context, d *drawer) {
	p.mu.Lock()
	from := d.portion
	if from == nil {
		p.mu.Unlock()
		return
	}
	p.drop(from)
	if from.open > 0 {
		p.mu.Unlock()
		return
	}
	counters := d.counters
	d.counters = quota.Counters{}
	p.mu.Unlock()
	p.end(ctx, from, counters)
}

// Settle notes what became of a spend, with the run that it was drawn from.
func (p *portions) Settle(s quota.Settlement) error {
	p.mu.Lock()
	from := p.open[s.Spend]
	if s.Outcome == quota.Answered && s.Status < 400 {
		p.pause = 0
	}
	p.mu.Unlock()
	if from == nil {
		return fmt.Errorf("spend %s: %w", s.Spend, quota.ErrNoSpend)
	}
	err := from.run.Settle(s)
	p.landed(s.Spend, false)
	return err
}

// Deny stops every key for a while: they draw on one account, and the sandbox
// said to stop. What they hold goes back.
func (p *portions) Deny(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Before(p.resumes) {
		return // said to a request that was under way when another was told
	}
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	p.stopped, p.resumes = err, p.now().Add(p.pause)
	p.retireAll(func(*portion) bool { return true })
}

// retireAll must be called under the lock.
func (p *portions) retireAll(which func(*portion) bool) {
	for _, d := range p.drawers {
		if from := d.portion; from != nil && which(from) {
			p.drop(from)
			p.endIfDone(from)
		}
	}
}

// Exhaust tells the ledger that nothing is left, for everybody.
func (p *portions) Exhaust(ctx context.Context, status int, note string) error {
	d := p.drawer(guard.Client(ctx))
	p.mu.Lock()
	run := d.last
	p.mu.Unlock()
	_, err := p.client.Store.Exhaust(ctx, quota.ExhaustSpec{Run: run, Status: status, Note: note})
	return err
}

// observe counts what became of a key's request, for the end of its run.
func (p *portions) observe(e guard.Event) {
	d := p.drawer(e.Client)
	p.mu.Lock()
	defer p.mu.Unlock()
	d.counters.Requests++
	switch e.Verdict {
	case "replayed":
		d.counters.Replayed++
		d.counters.WouldSpend += int64(e.Units)
	case string(guard.Missed):
		d.counters.Missed++
	}
}

// sweep ends the portions that nobody has drawn from lately.
func (p *portions) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.now().Add(-idleTime)
	p.retireAll(func(from *portion) bool { return from.open == 0 && from.used.Before(before) })
}

// close lets nothing more be drawn, ends every run and waits for that. What is
// under way must have been settled before.
func (p *portions) close() {
	p.mu.Lock()
	p.closed = true
	p.retireAll(func(*portion) bool { return true })
	p.mu.Unlock()
	p.ending.Wait()
}
