package guard

import (
	"fmt"
	"sync"
)

// Cap limits what the requests of several guards may cost together, in units
// and in every mode: those that are mocked or replayed count what they would
// have cost. A request that would go beyond it, or beyond a cap around it, is
// refused before anything is sent. It is safe for concurrent use.
type Cap struct {
	within *Cap // nil for the outermost

	mu        sync.Mutex
	max, used int
}

// NewCap returns a cap of so many units. What it takes is taken from within
// too; nil is no cap around it.
func NewCap(units int, within *Cap) *Cap { return &Cap{max: units, within: within} }

// Max is how many units the cap lets through in all.
func (c *Cap) Max() int { return c.max }

// take sets units aside here and in every cap around this one, or nowhere. A
// nil Cap takes all.
func (c *Cap) take(units int) error {
	if c == nil || units == 0 {
		return nil
	}
	// The locks are taken from the inner to the outer, by everybody.
	c.mu.Lock()
	defer c.mu.Unlock()
	if units > c.max-c.used {
		return &CapError{Requested: units, Max: c.max, Used: c.used}
	}
	if err := c.within.take(units); err != nil {
		return err
	}
	c.used += units
	return nil
}

func (c *Cap) left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.max - c.used
}

// CapError is a request that a [Cap] did not let through. Figures are units.
type CapError struct {
	Requested int `json:"requested"`
	Max       int `json:"max"`
	Used      int `json:"used"`
}

func (e *CapError) Error() string {
	return fmt.Sprintf("%d of at most %d units are used: a request of %d is not sent", e.Used, e.Max, e.Requested)
}

// SetCap replaces the guard's cap for the requests that come from now on.
func (g *Guard) SetCap(c *Cap) { g.limit.Store(c) }

// capped refuses a request that the guard's cap does not let through.
func (g *Guard) capped(units int) *Refusal {
	if err := g.limit.Load().take(units); err != nil {
		return &Refusal{Verdict: Capped, Units: units, Err: err}
	}
	return nil
}
