package quota

import (
	"fmt"
	"time"
)

// Status is the state of an allowance. Its JSON is that of quota status.
type Status struct {
	// LedgerID is made with the ledger and never changes.
	LedgerID string `json:"ledger_id"`
	// Seq is that of the latest entry; with LedgerID it dates every figure.
	Seq int64 `json:"seq"`
	// Allowance is its name, see [DefaultAllowance].
	Allowance string `json:"allowance"`
	// Granted is how many units were granted in all.
	Granted int64 `json:"granted"`
	// Spent is how many units count as spent, corrections by [Store.Reconcile]
	// included; it may be more than Granted then.
	Spent int64 `json:"spent"`
	// Unknown is the part of Spent, in units, whose outcome nobody knows.
	Unknown int64 `json:"unknown"`
	// Held is how many units active runs may still draw, without those of runs that
	// are not alive.
	Held int64 `json:"held"`
	// Available is Granted − Spent − Held in units. It may be negative.
	Available int64 `json:"available"`
	// Floor is how many units ordinary runs may not touch; 0 is none.
	Floor int64 `json:"floor"`
	// Usable is Available − Floor in units. It may be negative.
	Usable int64 `json:"usable"`
	// Exhausted blocks every run that wants units: the service answered that nothing
	// is left, or there is a Bar.
	Exhausted bool `json:"exhausted"`
	// Bar is zero unless the ledger is barred.
	Bar Bar `json:"bar,omitzero"`
	// ActiveRuns are the runs that have not ended; empty, never nil, without any.
	ActiveRuns []Holder `json:"active_runs"`
	// BurnPerDay is how many units a day the runs begun in the last seven days, or
	// since the ledger was made if that is less, spent; 0 without any.
	BurnPerDay float64 `json:"burn_per_day"`
	// RunsOut is the day of UTC on which Usable is gone at that rate; empty
	// when nothing burns, it is more than a hundred years ahead, or the ledger is
	// younger than seven days, which is too early to tell.
	RunsOut string `json:"runs_out"`
	// Warnings are sentences for people; empty, never nil, without any.
	Warnings []string `json:"warnings"`
}

// Holder is a run that has not ended.
type Holder struct {
	// ID is the run's id.
	ID string `json:"id"`
	// Suite is the run's suite. Empty is not known.
	Suite string `json:"suite"`
	// Max is how many units the run may spend at most; it holds Max − Spent.
	Max int64 `json:"max"`
	// Spent is how many units it has spent.
	Spent int64 `json:"spent"`
	// Alive is false when the lease has passed or the process is known to be
	// gone: the next admission frees what the run still holds.
	Alive bool `json:"alive"`
	// LeaseUntil is when the run can't spend any more unless it renews its lease.
	LeaseUntil time.Time `json:"lease_until"`
	// Process is the one that the run belongs to. Zero is not known.
	Process Process `json:"-"`
	// Ahead says that LeaseUntil is further ahead than a lease can be.
	Ahead bool `json:"-"`
}

// String is a line for a message.
func (h Holder) String() string {
	alive := "alive"
	if !h.Alive {
		alive = "dead"
	}
	until := stamp(h.LeaseUntil)
	if h.Ahead {
		until += " by a clock that was ahead"
	}
	return fmt.Sprintf("run %s: suite %q, %d of %d left, %s, lease until %s",
		h.ID, h.Suite, h.Max-h.Spent, h.Max, alive, until)
}

// burnDays is how far back BurnPerDay looks.
const burnDays = 7

// BurnSince is the time from which on a store has to sum what began, for
// [NewStatus].
func BurnSince(now time.Time) time.Time { return now.AddDate(0, 0, -burnDays) }

// NewStatus derives a Status from a store's figures. The hold of a run that is
// not alive is not counted, because the next admission will have freed it.
// Burned is what runs begun since [BurnSince] have spent. All stores share it.
func NewStatus(info Info, now time.Time, b Balances, holders []Holder, burned int64) Status {
	if holders == nil {
		holders = []Holder{}
	}
	s := Status{
		LedgerID: info.LedgerID, Seq: info.Head.Seq, Allowance: info.Allowance,
		Granted: b.Granted, Spent: b.Spent, Unknown: b.Unknown, Held: b.Held, Floor: b.Floor,
		Exhausted: b.Exhausted, Bar: b.Bar, ActiveRuns: holders, Warnings: []string{},
	}
	warn := func(format string, args ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...)) }
	for _, h := range holders {
		switch {
		case !h.Alive:
			s.Held -= h.Max - h.Spent
			warn("run %s is dead; the next run frees the %d units it holds", h.ID, h.Max-h.Spent)
		case h.Ahead:
			warn("%s", aheadWarning(h))
		}
	}
	s.Available = s.Granted - s.Spent - s.Held
	s.Usable = s.Available - s.Floor
	if info.Astray != "" {
		warn("all runs are blocked: %s", Astray(info.Astray))
	}
	switch {
	case s.Bar != (Bar{}):
		warn("all runs are blocked: %s", s.Bar)
	case s.Exhausted:
		warn("the service answered that nothing is left: all runs are blocked until a grant or a reconciliation")
	}
	if err := b.sound(); err != nil {
		warn("all runs are blocked: %v", err)
	}
	if s.Spent > s.Granted {
		warn("%d spent of %d granted", s.Spent, s.Granted)
	}
	days := min(max(now.Sub(info.Created).Hours()/24, 1), burnDays)
	s.BurnPerDay = float64(burned) / days
	early := now.Sub(info.Created) < burnDays*24*time.Hour
	if left := float64(max(s.Usable, 0)); !early && s.BurnPerDay > 0 && left/s.BurnPerDay < 36500 {
		s.RunsOut = now.UTC().AddDate(0, 0, int(left/s.BurnPerDay)).Format(time.DateOnly)
	}
	return s
}
