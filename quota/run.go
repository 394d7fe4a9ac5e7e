package quota

import (
	"errors"
	"fmt"
	"time"
)

// Lease is how long an admitted run lives without renewal, and Renewal how
// often a [Run] renews it. A process that is paused for longer than Lease can't
// spend any more when it wakes up.
const (
	Lease   = 30 * time.Second
	Renewal = 10 * time.Second
)

// RunSpec asks for the admission of a run. All of it is journaled. It is
// comparable: the same ID with another content is an error.
type RunSpec struct {
	// ID is made by the caller and unique for all time.
	ID string `json:"id"`
	// Mode is how far the run's guard may go: offline, replay, record or live.
	// The ledger only writes it down.
	Mode string `json:"mode,omitempty"`
	// Max is how many units the run may spend at most; all of them are held
	// from admission to end. Zero is a run that buys nothing: it is always
	// admitted and can spend 0 units alone.
	Max int64 `json:"max"`
	Attribution
	// Process is whose end frees the hold. Zero is unknown: then the lease alone
	// does.
	Process Process `json:"process"`
}

// Validate says what is wrong with s, or nil.
func (s RunSpec) Validate() error {
	a := s.Attribution
	return errors.Join(
		checkID("run", s.ID),
		checkUnits("max", s.Max, 0),
		checkTrusted(a),
		checkRange("pid", int64(s.Process.PID), 0, MaxSeq),
		checkText(s.Mode, a.Suite, a.Branch, a.Commit, a.Actor, a.Event, a.JobURL, s.Process.Host, s.Process.Start),
	)
}

// checkTrusted refuses an attribution that trusts another branch than it names: what
// is restricted goes by the name.
func checkTrusted(a Attribution) error {
	if a.Trusted != "" && a.Trusted != a.Branch {
		return fmt.Errorf("the trusted branch is %q, the branch %q: they are the same, or none is trusted", a.Trusted, a.Branch)
	}
	return nil
}

// RunState is where a run is in its life.
type RunState string

// The states of a run. Only an active run may spend, and only within its lease.
const (
	Active  RunState = "active"
	Ended   RunState = "ended"
	Expired RunState = "expired"
)

// RunInfo is a run as the ledger knows it.
type RunInfo struct {
	RunSpec
	// State is never empty. A run whose lease has passed stays Active until an
	// admission, or a change of the ledger, sweeps it; it can't spend all the same.
	State RunState `json:"state"`
	// Spent is in units, without those that were refunded, and includes those whose
	// outcome is unknown.
	Spent int64 `json:"spent"`
	// Unknown is the part of Spent, in units, that was settled as [Unknown].
	Unknown int64 `json:"unknown"`
	// Begun is when the run was admitted, by the clock of the store.
	Begun time.Time `json:"begun"`
	// LeaseUntil is when the run can't spend any more unless it renews its lease
	// before. It is zero in a [Report], because leases are not journaled.
	LeaseUntil time.Time `json:"lease_until"`
	// Over is when the run ended or expired; zero while it is active.
	Over time.Time `json:"over,omitzero"`
	// Counters are what the run counted at its end; zero before, and for one that
	// expired.
	Counters Counters `json:"counters"`
}

// Held is what the run may still draw, in units.
func (r RunInfo) Held() int64 {
	if r.State != Active {
		return 0
	}
	return r.Max - r.Spent
}

// SpendSpec asks for units to be spent on one attempt on the wire.
type SpendSpec struct {
	// ID is made by the caller, one for each attempt: 1 to 200 bytes.
	ID string
	// Run is the id of an active run. [Run.Spend] fills it in.
	Run string
	// Units is zero for an attempt that costs nothing, which is written down all
	// the same. It needs no hold, but a run that may still spend.
	Units int64
	// Operation is what was asked for, by its path or the row of the price list that
	// has it, such as "POST /hscode/classify". Empty is not known. The ledger only
	// writes it down.
	Operation string
	// RequestKey is the key that equal requests share, by which a [Statement] finds
	// what was bought twice. Empty is not known.
	RequestKey string
	// Test is the name of the test that asked. Empty is not known.
	Test string
}

// Validate says what is wrong with s, or nil.
func (s SpendSpec) Validate() error {
	return errors.Join(
		checkID("spend", s.ID),
		checkUnits("units of the spend", s.Units, 0),
		checkText(s.Run, s.Operation, s.RequestKey, s.Test),
	)
}

// Matches tells whether e, a spend with s's ID, has the same content.
func (s SpendSpec) Matches(e Entry) bool {
	return s == SpendSpec{ID: e.ID, Run: e.Run, Units: e.Units, Operation: e.Operation, RequestKey: e.RequestKey, Test: e.Test}
}

// Settlement says what became of a spend.
type Settlement struct {
	// Spend is the id of the spend. It must be given.
	Spend string
	// Outcome must be given: Answered, Unknown or Refunded.
	Outcome Outcome
	// Proof must be given for Refunded and for nothing else.
	Proof Proof
	// Status is the HTTP status of the answer, 0 without one.
	Status int
	// DurationMS is how long the answer took, in milliseconds; 0 is not known.
	DurationMS int64
	// Bytes is the length of the answer's body; 0 for an empty one and for none.
	Bytes int64
	// Note is for people, at most 4096 bytes. Empty is none.
	Note string
}

// Validate says what is wrong with s, or nil: above all a refund without proof.
func (s Settlement) Validate() error {
	switch {
	case s.Outcome != Answered && s.Outcome != Unknown && s.Outcome != Refunded:
		return fmt.Errorf("outcome %q is none of answered, unknown, refunded", s.Outcome)
	case s.Outcome == Refunded && s.Proof != NoConnection && s.Proof != NoHeaders && s.Proof != Unbilled:
		return fmt.Errorf("spend %s: %w", s.Spend, ErrNoProof)
	case s.Outcome != Refunded && s.Proof != "":
		return fmt.Errorf("spend %s: proof %q is for refunds only", s.Spend, s.Proof)
	}
	return errors.Join(
		checkID("spend", s.Spend), checkText(s.Note),
		checkRange("status", int64(s.Status), 0, 999), checkRange("duration_ms", s.DurationMS, 0, MaxSeq), checkRange("bytes", s.Bytes, 0, MaxSeq),
	)
}

// Entry is the entry that s makes for its spend, without Seq, Time and Allowance.
func (s Settlement) Entry(spend Entry) Entry {
	e := Entry{
		Run: spend.Run, Kind: KindSettle, Units: spend.Units, ID: spend.ID,
		Outcome: s.Outcome, Status: s.Status, DurationMS: s.DurationMS, Bytes: s.Bytes, Note: s.Note,
	}
	if s.Outcome == Refunded {
		e.Kind = KindRefund
		e.Note = string(s.Proof)
		if s.Note != "" {
			e.Note += ": " + s.Note
		}
	}
	return e
}

// Settles decides whether s may follow the outcome that its spend has now,
// empty while it has none. It returns false and no error for a repetition. A
// late answer may follow unknown, a refund may not: nothing but the guard that
// still holds the proof can give one, and it would not have said unknown.
func (s Settlement) Settles(now Outcome) (bool, error) {
	switch {
	case now == s.Outcome:
		return false, nil
	case now == "", now == Unknown && s.Outcome == Answered:
		return true, nil
	}
	return false, fmt.Errorf("spend %s is settled as %s, not %s: %w", s.Spend, now, s.Outcome, ErrConflict)
}
