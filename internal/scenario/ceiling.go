package scenario

import (
	"fmt"
	"slices"

	"github.com/hsharness/hsharness/internal/avalara"
)

// Ceiling is how far a file may go.
type Ceiling struct {
	// Mode is offline, replay, record or live; empty means no limit.
	Mode string
	// Why says what limits it, and Pos where that stands. Empty without limit.
	Why string
	Pos Pos
}

// Ceiling returns the lowest of what the file asks for and what it needs: a
// moved clock and a token other than the runner's own are known to the mock
// alone (offline), and production is never called (replay).
func (s *Scenario) Ceiling() Ceiling {
	c := Ceiling{}
	c.lower("live", "", Pos{})
	if s.Mode != "" {
		c.lower(s.Mode, "mode: "+s.Mode, s.modePos)
	}
	if s.Environment == avalara.Production {
		c.lower("replay", "environment: production", s.environmentPos)
	}
	for st := range s.all() {
		if st.Environment == avalara.Production && st.EnvironmentPos != (Pos{}) {
			c.lower("replay", fmt.Sprintf("environment: production in %s", st.Label()), st.EnvironmentPos)
		}
		if st.Clock != 0 {
			c.lower("offline", fmt.Sprintf("clock in %s", st.Label()), st.ClockPos)
		}
		if st.Request != nil && st.Request.Auth.Kind != AuthDefault {
			c.lower("offline", fmt.Sprintf("auth in %s", st.Label()), st.Request.Auth.Pos)
		}
	}
	if c.Why == "" {
		return Ceiling{}
	}
	return c
}

// lower takes a limit that is lower than the one so far.
func (c *Ceiling) lower(mode, why string, pos Pos) {
	if c.Mode == "" || slices.Index(modes, mode) < slices.Index(modes, c.Mode) || c.Why == "" && why != "" {
		*c = Ceiling{mode, why, pos}
	}
}

// Starts tells whether the file has commands that may buy: those of exec steps.
func (s *Scenario) Starts() bool {
	for st := range s.all() {
		if st.Exec != nil {
			c := s.Ceiling().Mode
			return c == "" || slices.Index(modes, c) >= slices.Index(modes, "record")
		}
	}
	return false
}
