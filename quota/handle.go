package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxOpenSettlements is how many settlements a [Run] keeps before it writes
// them without waiting for the next spend.
const maxOpenSettlements = 256

// Run is an admitted run whose lease is kept alive. It may be used by many
// goroutines.
type Run struct {
	store      Store
	info       RunInfo
	trail      *trail // of the high-water mark; nil where there is none
	background sync.WaitGroup
	stop       chan struct{} // closed by End
	lost       chan struct{} // closed when denied is set

	mu      sync.Mutex
	denied  error            // set once, and then nothing is spent any more
	spent   int64            // what this handle was allowed, in units, without refunds
	open    map[string]int64 // the units of spends that nothing is known of yet
	settled []Settlement
	stopped bool
	sealed  bool // the high-water mark knows of the end
}

// Info is the run as it was admitted, but for Spent: that is what the ledger let this Run
// spend, without refunds, and nothing of another Run of the same spec, which may get its
// units back. A ledger that has less does not keep what is written.
func (r *Run) Info() RunInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	info := r.info
	info.Spent = r.spent
	return info
}

// Lost is closed when the run can't spend any more; [Run.Err] then says why.
func (r *Run) Lost() <-chan struct{} { return r.lost }

// Err is why the run can't spend any more, or nil.
func (r *Run) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied
}

// Deny stops the run: every later Spend returns err. The first Deny counts. A
// guard calls it when the service's answer says to stop.
func (r *Run) Deny(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.denied == nil {
		r.denied = err
		close(r.lost)
	}
}

// Spend writes a spend down, durably, and only a nil error allows its request
// to be sent, once. The run's id is filled in. Errors are those of
// [Store.Spend]; when ctx ends before the ledger answers, nothing may be sent
// either, though the unit may count. Settlements made before ride along.
func (r *Run) Spend(ctx context.Context, spec SpendSpec) (Entry, error) {
	spec.Run = r.info.ID
	r.mu.Lock()
	denied, settled := r.denied, r.settled
	if denied == nil {
		r.settled = nil
	}
	r.mu.Unlock()
	if denied != nil {
		return Entry{}, denied
	}
	var latest int64
	if r.trail != nil {
		var err error
		if latest, err = r.trail.latestNoted(); err != nil {
			r.keep(settled)
			r.Deny(err)
			return Entry{}, err
		}
	}
	e, err := r.store.Spend(ctx, spec, settled...)
	if err != nil {
		// Whether the settlements were written is unknown; repeating them is safe.
		r.keep(settled)
		r.deny(err)
		return e, err
	}
	if r.trail != nil {
		err := above(latest, e)
		if err == nil {
			err = r.trail.note(ctx, e)
		}
		if err != nil {
			if ctx.Err() == nil {
				r.Deny(err)
			}
			return Entry{}, err
		}
	}
	if err := r.draw(spec); err != nil {
		r.Deny(err)
		return Entry{}, err
	}
	return e, nil
}

// draw counts what the ledger let the run spend. The hold is the ledger's to keep; one that
// lets a run spend more lost what was written, whoever made it so: nothing more is sent.
func (r *Run) draw(spec SpendSpec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent+spec.Units > r.info.Max {
		return fmt.Errorf("run %s: %w: it let the run spend %d units more, which may spend %d and has spent %d", r.info.ID, ErrWentBack, spec.Units, r.info.Max, r.spent)
	}
	r.spent += spec.Units
	if spec.Units > 0 {
		r.open[spec.ID] = spec.Units
	}
	return nil
}

// Check asks the ledger whether the run may still send something, and renews its
// lease with that. It is for what is sent without a spend of its own, such as the
// request for a token. Errors are those of [Store.Renew].
func (r *Run) Check(ctx context.Context) error {
	if err := r.Err(); err != nil {
		return err
	}
	_, err := r.store.Renew(ctx, r.info.ID)
	r.deny(err)
	return err
}

// deny stops the run after an error that later spends could only repeat.
func (r *Run) deny(err error) {
	for _, final := range []error{ErrRunOver, ErrPoisoned, ErrClosed} {
		if errors.Is(err, final) {
			r.Deny(err)
			return
		}
	}
}

// Settle notes what became of a spend. It never waits: the note is written with
// the next spend, at the next renewal or at End, and losing it leaves a spent
// unit. It errs only when s itself is wrong.
func (r *Run) Settle(s Settlement) error {
	if err := s.Validate(); err != nil {
		return err
	}
	r.mu.Lock()
	units, open := r.open[s.Spend]
	// A run that is denied writes nothing before its end, and whoever goes on asking would
	// have it keep a refund for each time, of spends that the ledger never heard of.
	idle := s.Outcome == Refunded && !open && r.denied != nil && len(r.settled) >= maxOpenSettlements
	if s.Outcome == Refunded {
		r.spent -= units
	}
	delete(r.open, s.Spend)
	r.mu.Unlock()
	if idle {
		return nil
	}
	r.keep([]Settlement{s})
	return nil
}

// keep queues settlements, and writes them when there are many.
func (r *Run) keep(settled []Settlement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = append(r.settled, settled...)
	if len(r.settled) >= maxOpenSettlements && r.denied == nil {
		many := r.settled
		r.settled = nil
		r.background.Go(func() { r.write(context.Background(), many) })
	}
}

// flush writes the queued settlements.
func (r *Run) flush(ctx context.Context) {
	r.mu.Lock()
	settled := r.settled
	r.settled = nil
	r.mu.Unlock()
	if len(settled) > 0 {
		r.write(ctx, settled)
	}
}

// write drops the settlements that can't be written: their units stay spent.
// Only an error that stops the run is of interest.
func (r *Run) write(ctx context.Context, settled []Settlement) {
	if err := r.store.Settle(ctx, settled...); errors.Is(err, ErrPoisoned) || errors.Is(err, ErrClosed) {
		r.deny(err)
	}
}

// renew keeps the lease alive. A renewal that fails for another reason than the
// end of the run is tried again at the next tick; if none succeeds the lease
// passes, and the store refuses.
func (r *Run) renew(ticks <-chan time.Time) {
	for {
		select {
		case <-r.stop:
			return
		case <-r.lost:
			return
		case <-ticks:
		}
		ctx, cancel := context.WithTimeout(context.Background(), Renewal)
		_, err := r.store.Renew(ctx, r.info.ID)
		if err == nil {
			r.flush(ctx)
		}
		cancel()
		r.deny(err)
	}
}

// End writes what is left to write, ends the run and stops renewing it. After
// an error it may be called again. A run that expired meanwhile is
// [*RunOverError].
func (r *Run) End(ctx context.Context, counters Counters) (Entry, error) {
	r.mu.Lock()
	if !r.stopped {
		r.stopped = true
		close(r.stop)
	}
	r.mu.Unlock()
	r.Deny(fmt.Errorf("run %s: %w", r.info.ID, ErrRunOver))
	r.background.Wait()
	r.flush(ctx)
	e, err := r.store.End(ctx, r.info.ID, counters)
	if err != nil && !errors.Is(err, ErrRunOver) {
		return e, err
	}
	return e, errors.Join(err, r.seal(ctx, e))
}

// seal notes the end, if there is one, in the high-water mark.
func (r *Run) seal(ctx context.Context, end Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed || r.trail == nil {
		return nil
	}
	if end.Seq > 0 {
		if err := r.trail.note(ctx, end); err != nil {
			return err
		}
		if err := r.trail.w.flush(r.trail.ledger); err != nil {
			return err
		}
	}
	r.sealed = true // not before: after an error whoever ends it again is told, or notes it
	return nil
}
