package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrRunEnds refuses a purchase that comes when the run is about to end.
var ErrRunEnds = errors.New("the run is ending: nothing more is bought")

// flights are the purchases under way.
type flights struct {
	mu      sync.Mutex
	n       int
	landing chan struct{} // closed when n is 0 after wait began; nil before
}

// begin counts a purchase in. It returns false once somebody waits for the end.
func (f *flights) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landing != nil {
		return false
	}
	f.n++
	return true
}

func (f *flights) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n--; f.n == 0 && f.landing != nil {
		close(f.landing)
	}
}

// wait lets no more begin, and waits for those that have begun.
func (f *flights) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.landing == nil {
		f.landing = make(chan struct{})
		if f.n == 0 {
			close(f.landing)
		}
	}
	f.mu.Unlock()
	began := time.Now()
	select {
	case <-f.landing:
		return nil
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		return &UnderWayError{Requests: f.n, Waited: time.Since(began), Cause: context.Cause(ctx)}
	}
}

// UnderWayError says that purchases did not end in the time that they have. What they
// spent counts; what they are answered is not recorded.
type UnderWayError struct {
	// Requests is how many there are, and Waited how long they were waited for.
	Requests int
	Waited   time.Duration
	// Cause is why they were not waited for any longer.
	Cause error
}

func (e *UnderWayError) Error() string {
	return fmt.Sprintf("waited %s for %d requests that were sent and not answered: their units count, and what they are answered is not recorded",
		e.Waited.Round(10*time.Millisecond), e.Requests)
}

// Unwrap is the cause.
func (e *UnderWayError) Unwrap() error { return e.Cause }

// drainTime is how much longer than an attempt on the wire its recording and
// settlement may take.
const drainTime = 10 * time.Second

// Drain refuses new purchases and waits until those under way are recorded and
// settled: what is paid for is kept, also when the client that asked for it has
// gone. It must come before the end of the run. The error says that one took
// longer than an attempt may, or that ctx ended first; what it spent counts.
func (p *Purchase) Drain(ctx context.Context) error {
	if p.buyer.pace != nil {
		p.buyer.pace.Deny(ErrRunEnds) // what waits for its turn has spent nothing
	}
	timeout := p.buyer.upstream.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout+drainTime)
	defer cancel()
	return p.buyer.flights.wait(ctx)
}

// Finish is [Purchase.Drain] for an end that must be soon: what is still under way
// when wait ends is cut off, and settled as unknown before end does. It counts, and
// the error says how much it was.
func (p *Purchase) Finish(wait, end context.Context) error {
	err := p.Drain(wait)
	if err != nil {
		p.buyer.cutOff()
		_ = p.Drain(end) // what is not settled then is settled when the run's lease ends
	}
	return err
}
