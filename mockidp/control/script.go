package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// Call is one request as a [Script] sees it.
type Call struct {
	// Endpoint is the mock's own name of the endpoint.
	Endpoint string
	// Client is the client id. Empty is not known.
	Client string
	// Scopes are those that the call asks for, or that its token carries. Nil is not
	// known.
	Scopes []string
}

// What a [Script] may hold, used up or not: it is kept, and gone through for every call.
const (
	maxFaults    = 1000
	maxFaultSize = 4 << 20 // bytes of bodies, headers and lists, of all of them
)

// Script is an ordered list of faults. The zero Script is empty and ready to
// use, and a nil one never strikes.
type Script struct {
	// Within is a script whose memory this one shares: all that share it may hold 64 MiB
	// of faults. Nil shares none. It must not change after the first Add.
	Within *Script

	mu     sync.Mutex
	faults []*armed
	size   int

	shared atomic.Int64 // bytes of those within this one, itself among them
}

// armed is a fault with the counts of the calls that it matched and struck.
type armed struct {
	Fault
	seen, struck int
	rand         *rand.Rand
}

// Add appends faults to the script. It adds none when one of them is invalid, or when
// there would be more than 1000, or more than 4 MiB of them, or of those that share a
// memory more than 64 MiB; [Script.Clear] makes room.
func (s *Script) Add(faults ...Fault) error {
	add, size := make([]*armed, 0, len(faults)), 0
	for i, f := range faults {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
		size += f.size()
		add = append(add, &armed{Fault: f, rand: rand.New(rand.NewPCG(f.Seed, f.Seed))})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.faults)+len(add) > maxFaults:
		return fmt.Errorf("%d faults are there, and %d more would be more than %d, the most there may be, used up or not: clear them first", len(s.faults), len(add), maxFaults)
	case s.size+size > maxFaultSize:
		return fmt.Errorf("the faults that are there have %d bytes, and %d more would be more than %d, the most that all may have, used up or not: clear them first", s.size, size, maxFaultSize)
	}
	if all := s.root().shared.Add(int64(size)); all > maxShared {
		s.root().shared.Add(-int64(size))
		return fmt.Errorf("the faults of all clients have %d bytes, and %d more would be more than %d, the most that all may have together: end clients, or clear their faults", all-int64(size), size, maxShared)
	}
	s.faults, s.size = append(s.faults, add...), s.size+size
	return nil
}

// List returns the faults in their order, those that are used up too.
func (s *Script) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, len(s.faults))
	for i, a := range s.faults {
		list[i] = a.Fault
	}
	return list
}

// Clear removes every fault.
func (s *Script) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.root().shared.Add(-int64(s.size))
	s.faults, s.size = nil, 0
}

// root is the script that this one is within, however far up.
func (s *Script) root() *Script {
	for s.Within != nil {
		s = s.Within
	}
	return s
}

// Next returns the first fault that strikes the call, or nil. Later faults count
// the call too, so that "the third call" stays the third call whatever an
// earlier fault did; but one that strikes once or a number of times keeps that
// number for the calls that are left to it.
func (s *Script) Next(c Call) *Fault {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var struck *Fault
	for _, a := range s.faults {
		if !a.matches(c) {
			continue
		}
		a.seen++
		if a.due() && struck == nil {
			a.struck++
			f := a.Fault
			struck = &f
		}
	}
	return struck
}

// size is about how many bytes a fault holds.
func (f Fault) size() int {
	n := 256 + len(f.On) + len(f.Client) + len(f.Scope) + len(f.Body) + len(f.ContentType) + len(f.Token) + 8*len(f.Nth)
	for name, value := range f.Headers {
		n += 64 + len(name) + len(value)
	}
	return n
}

func (a *armed) matches(c Call) bool {
	return (a.On == "" || a.On == c.Endpoint) &&
		(a.Client == "" || a.Client == c.Client) &&
		(a.Scope == "" || slices.Contains(c.Scopes, a.Scope))
}

// due tells whether the call that was just counted is one to strike.
func (a *armed) due() bool {
	switch {
	case len(a.Nth) > 0:
		return slices.Contains(a.Nth, a.seen)
	case a.Times > 0:
		return a.struck < a.Times
	case a.Probability > 0:
		return a.rand.Float64() < a.Probability
	case a.Always:
		return true
	default:
		return a.struck == 0
	}
}
