package ledger

import (
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Required refuses when fewer units are usable, and names the numbers.
func Required(s quota.Status, n int64) error {
	if n == 0 || n <= s.Usable && !s.Exhausted {
		return nil
	}
	err := &quota.BlockedError{
		Requested: n, Granted: s.Granted, Spent: s.Spent, Held: s.Held, Floor: s.Floor, Available: s.Available, Usable: s.Usable,
		Holders: s.ActiveRuns,
	}
	switch {
	case s.Bar != (quota.Bar{}):
		err.Bar = s.Bar
		err.Refusals = append(err.Refusals, quota.Refusal{Rule: "barred"})
	case s.Exhausted:
		err.Refusals = append(err.Refusals, quota.Refusal{Rule: "exhausted"})
	}
	if n > s.Usable {
		err.Refusals = append(err.Refusals, quota.Refusal{Rule: "usable", Limit: s.Usable})
	}
	return session.Failed(err)
}
