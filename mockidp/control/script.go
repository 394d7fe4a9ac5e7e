package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
)

// Call is one request as a [Script] sees it.
type Call struct {
	// Endpoint is the mock's own name of the endpoint.
	Endpoint string
	// Client and Scopes are empty where the mock does not know them.
	Client string
	Scopes []string
}

// Script is an ordered list of faults. The zero Script is empty and ready to
// use, and a nil one never strikes.
type Script struct {
	mu     sync.Mutex
	faults []*armed
}

// armed is a fault with the count of the calls that it matched.
type armed struct {
	Fault
	seen int
	rand *rand.Rand
}

// Add appends faults to the script. It adds none when one of them is invalid.
func (s *Script) Add(faults ...Fault) error {
	add := make([]*armed, 0, len(faults))
	for i, f := range faults {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
		add = append(add, &armed{Fault: f, rand: rand.New(rand.NewPCG(f.Seed, f.Seed))})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, add...)
	return nil
}

// Clear removes every fault.
func (s *Script) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Next counts the call against every fault it matches and returns the first
// that strikes it, or nil. Later faults count the call too, so that "the third
// call" stays the third call whatever an earlier fault did.
func (s *Script) Next(c Call) *Fault {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var struck *Fault
	for _, a := range s.faults {
		if a.strikes(c) && struck == nil {
			f := a.Fault
			struck = &f
		}
	}
	return struck
}

func (a *armed) strikes(c Call) bool {
	switch {
	case a.On != "" && a.On != c.Endpoint,
		a.Client != "" && a.Client != c.Client,
		a.Scope != "" && !slices.Contains(c.Scopes, a.Scope):
		return false
	}
	a.seen++
	switch {
	case len(a.Nth) > 0:
		return slices.Contains(a.Nth, a.seen)
	case a.Times > 0:
		return a.seen <= a.Times
	case a.Probability > 0:
		return a.rand.Float64() < a.Probability
	case a.Always:
		return true
	default:
		return a.seen == 1
	}
}
