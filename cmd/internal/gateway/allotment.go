package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// drawer is one key that draws. Its fields but turn are under meter.mu.
type drawer struct {
	turn      chan struct{} // whoever is in it begins the next allotment
	allotment *allotment    // nil between two
	last      string        // the id of the latest run
	tally     guard.Tally

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
	if err := m.drawing(); err != nil {
		return nil, err
	}
	defer m.ending.Done()
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
	from := &allotment{run: run, drawer: d, left: run.Info().Max}
	if err := m.refusing(); err != nil { // it was said while the ledger was asked
		from.retired = true
		m.endIfDone(from)
		return nil, err
	}
	d.allotment = from
	return m.takeFrom(from, spec), nil
}

// drawing begins to ask for an allotment, for whose end who stops the gateway waits, or says
// why none may be asked for.
func (m *meter) drawing() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refusing(); err != nil {
		return err
	}
	m.ending.Add(1)
	return nil
}

// refusing is why nothing may be drawn, or nil. It must be called under the lock.
func (m *meter) refusing() error {
	switch {
	case m.closed:
		return errGatewayStops
	case m.distrusted != nil:
		return m.distrusted
	case m.stopped != nil && m.now().Before(m.resumes):
		return m.stopped
	}
	return nil
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
	if err := m.refusing(); err != nil {
		return nil, err
	}
	switch {
	case d.allotment != nil && d.allotment.left >= spec.Units:
		return m.takeFrom(d.allotment, spec), nil
	case d.refused != nil && spec.Units >= d.refusedUnits && m.now().Before(d.askAgain):
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
		tally := from.drawer.tally
		from.drawer.tally = guard.Tally{}
		m.ending.Go(func() { m.end(context.Background(), from, tally) })
	}
}

// end ends an allotment's run. One that can't be ended expires, and what it did not
// draw is free again half a minute later.
func (m *meter) end(ctx context.Context, from *allotment, tally guard.Tally) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if _, err := from.run.End(ctx, tally.Counters()); err != nil && !errors.Is(err, quota.ErrRunOver) {
		m.metrics.unended.add(1)
		m.left(err)
	}
	m.compare(ctx, from.run.Info())
}

// left notes why a run could not be ended when the gateway stops: who stopped it is told.
func (m *meter) left(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed && m.unended == nil {
		m.unended = session.Failed(fmt.Errorf("a run could not be ended, and what it held is free again within half a minute: %w", err))
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
	tally := d.tally
	d.tally = guard.Tally{}
	m.ending.Add(1)
	m.mu.Unlock()
	defer m.ending.Done()
	m.end(context.WithoutCancel(ctx), from, tally) // also for one who has gone: else it holds what is left
}
