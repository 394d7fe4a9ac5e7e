package guard

import (
	"fmt"
	"sync"
)

// Cap limits what the requests of several guards may cost together, in units
// and in every mode: those that are mocked or replayed count what they would
// have cost. A request that would go beyond it is refused before anything is
// sent. It is safe for concurrent use.
type Cap struct {
	mu               sync.Mutex
	max, used, above int
}

// NewCap returns a cap of so many units.
func NewCap(units int) *Cap { return &Cap{max: units} }

// Refused counts the requests that the cap did not let through.
func (c *Cap) Refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.above
}

// take sets units aside, or says that they are too many. A nil Cap takes all.
func (c *Cap) take(units int) error {
	if c == nil || units == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used+units > c.max {
		c.above++
		return &CapError{Requested: units, Max: c.max, Used: c.used}
	}
	c.used += units
	return nil
}

// CapError is a request that a [Cap] did not let through. Figures are units.
type CapError struct {
	Requested int `json:"requested"`
	Max       int `json:"max"`
	Used      int `json:"used"`
}

func (e *CapError) Error() string {
	return fmt.Sprintf("quota.max is %d, of which %d are used: a request of %d is not sent", e.Max, e.Used, e.Requested)
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
