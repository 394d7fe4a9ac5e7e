package harness

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// New starts the services where there is no test: for an example, a main, or
// another test framework. Whoever calls it must call [Harness.Close], which returns
// what would have failed a test; what would have ended one at once panics.
func New(o Options) (*Harness, error) {
	p := &plain{}
	h := &Harness{t: p, closed: p.close}
	if err := h.start(o); err != nil {
		return nil, fmt.Errorf("harness: start: %w", err)
	}
	return h, nil
}

// Close stops the services that [New] started, and returns what failed since: an
// expectation that was not met, or a request that the guard refused, whatever the
// code under test made of it. Later calls do nothing. After [Start] there is
// nothing to close: the test does it.
func (h *Harness) Close() error {
	if h.closed == nil {
		return nil
	}
	return h.closed()
}

// plain is the [TB] of no test: it keeps what failed until the end.
type plain struct {
	mu       sync.Mutex
	errs     []error
	cleanups []func()
}

func (p *plain) Helper() {}

func (p *plain) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

func (p *plain) Errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

func (p *plain) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// close cleans up, what was registered last first.
func (p *plain) close() error {
	p.mu.Lock()
	cleanups := p.cleanups
	p.cleanups = nil
	p.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := p.errs
	p.errs = nil
	return errors.Join(errs...)
}
