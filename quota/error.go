package quota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The refusals of a ledger that callers tell apart. None of them allows a
// request to be sent.
var (
	// ErrNoLedger: there is none where one was expected. It is never made
	// implicitly, since a new one would have its full allowance.
	ErrNoLedger = errors.New("there is no ledger")
	// ErrNotLedger: something else is where it was expected. It is left alone.
	ErrNotLedger = errors.New("this is no ledger")
	// ErrLedgerExists: init found one.
	ErrLedgerExists = errors.New("there is a ledger already")
	// ErrNewerSchema: a later version of this program wrote the ledger.
	ErrNewerSchema = errors.New("the ledger was written by a newer version")
	// ErrUnsafePlace: the ledger can't be kept safely there: a network
	// filesystem, a read-only place, settings too weak.
	ErrUnsafePlace = errors.New("the ledger can't be kept there")
	// ErrLocalInCI: a ledger file on a CI machine, where it may not stay.
	ErrLocalInCI = errors.New("a ledger file on a CI machine may not outlive the job")
	// ErrOtherAccount: the ledger is bound to another account.
	ErrOtherAccount = errors.New("the ledger belongs to another account")
	// ErrWentBack: the ledger knows less than it once did, or is not the one
	// that this account was counted in.
	ErrWentBack = errors.New("the ledger went back in time")
	// ErrNoHighWater: what is spent from this machine can't be written down outside
	// of the ledger, or not be read.
	ErrNoHighWater = errors.New("the high-water mark of the ledger can't be used")
	// ErrBusy: another process keeps the ledger to itself for too long. Nothing is
	// taken from it, since it may go on at any moment.
	ErrBusy = errors.New("the ledger is held by another process")
	// ErrReadOnly: the ledger was opened to be read, or can't be written by this
	// user.
	ErrReadOnly = errors.New("the ledger can only be read")
	// ErrPoisoned: a flush failed, and what is on disk is unknown.
	ErrPoisoned = errors.New("the ledger failed to reach the disk and is not used any more")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the ledger is closed")
	// ErrConflict: the same id came with another content.
	ErrConflict = errors.New("the same id stands for something else")
	// ErrSpent: the spend is written down already and allows no second send.
	ErrSpent = errors.New("the spend is written down already")
	// ErrNoRun: no run with this id was begun.
	ErrNoRun = errors.New("there is no such run")
	// ErrNoSpend: no spend with this id is written down.
	ErrNoSpend = errors.New("there is no such spend")
	// ErrNoProof: a refund without proof that nothing was sent.
	ErrNoProof = errors.New("a refund needs proof that nothing was sent")
	// ErrRunOver is matched by every [*RunOverError].
	ErrRunOver = errors.New("the run is over")
	// ErrHoldUsed is matched by every [*HoldUsedError].
	ErrHoldUsed = errors.New("the hold is used up")
	// ErrBlocked is matched by every [*BlockedError].
	ErrBlocked = errors.New("blocked")
	// ErrUnreachable: the server of the ledger could not be spoken to.
	ErrUnreachable = errors.New("no connection")
	// ErrDamaged: what is on the disk can't be read as a ledger any more.
	ErrDamaged = errors.New("the file is damaged")
	// ErrDisplaced: a file of the ledger was moved, removed or replaced while it was
	// in use. It comes with another refusal, such as [ErrWentBack].
	ErrDisplaced = errors.New("a file of the ledger is not where it was")
	// ErrRunsActive is matched by every [*RunsActiveError].
	ErrRunsActive = errors.New("runs are active")
)

// Astray is the [ErrWentBack] of a ledger that is a copy, for the reason that
// [Info] has.
func Astray(why string) error {
	return fmt.Errorf("%w: %s", ErrWentBack, why)
}

// NoAnswerError is a ledger that did not answer before the caller's context ended.
// It wraps the context's error.
type NoAnswerError struct {
	// Ledger says where the ledger is, without any secret.
	Ledger string
	// Doing is what it was asked for. Empty is not known.
	Doing string
	// Waited is for how long the caller did. Zero is not known.
	Waited time.Duration
	// Holder is who or what it was waiting for. Empty is not known.
	Holder string
	// Err is the error of the context.
	Err error
}

// Error says what did not answer, for how long, and because of whom.
func (e *NoAnswerError) Error() string {
	text := "ledger " + e.Ledger + " gave no answer"
	if e.Doing != "" {
		text += " to " + e.Doing
	}
	if e.Waited > 0 {
		text += fmt.Sprintf(" within %s", e.Waited.Round(10*time.Millisecond))
	}
	switch {
	case errors.Is(e.Err, context.Canceled):
		text += " before the wait was called off"
	case e.Holder != "":
		text += ": it is held by " + e.Holder
	}
	return text
}

// Unwrap is the error of the context.
func (e *NoAnswerError) Unwrap() error { return e.Err }

// RunsActiveError refuses what has to wait until no run is active.
type RunsActiveError struct {
	// Run is the id of one that is.
	Run string
	// Observed and Spent are, of a reconciliation, what the service has counted and
	// what the ledger has, in units; both 0 of anything else.
	Observed, Spent int64
}

// Error says which run, and the numbers.
func (e *RunsActiveError) Error() string {
	if e.Observed != e.Spent {
		return fmt.Sprintf("%v: %d observed is less than %d spent, and run %s may have spent since", ErrRunsActive, e.Observed, e.Spent, e.Run)
	}
	return fmt.Sprintf("%v: run %s", ErrRunsActive, e.Run)
}

// Is reports a match with [ErrRunsActive].
func (e *RunsActiveError) Is(target error) bool { return target == ErrRunsActive }

// RunOverError refuses a run that ended, expired, or let its lease pass.
type RunOverError struct {
	// Run is the run's id.
	Run string
	// State is Ended or Expired; Expired also for a lease that passed unswept.
	State RunState
	// Since is when it ended, or when its lease passed.
	Since time.Time
}

// Error says which run, how it ended and when.
func (e *RunOverError) Error() string {
	return fmt.Sprintf("run %s %s at %s and can't spend any more", e.Run, e.State, stamp(e.Since))
}

// Is reports a match with [ErrRunOver].
func (e *RunOverError) Is(target error) bool { return target == ErrRunOver }

// HoldUsedError refuses a spend that is more than is left of the run's hold.
type HoldUsedError struct {
	// Run is the run's id.
	Run string
	// Requested is what the spend asked for, Max what the run may spend in all, Spent
	// what it has spent; all in units.
	Requested, Max, Spent int64
}

// Error prints all numbers.
func (e *HoldUsedError) Error() string {
	return fmt.Sprintf("run %s may spend %d and has spent %d: %d more is too much", e.Run, e.Max, e.Spent, e.Requested)
}

// Is reports a match with [ErrHoldUsed].
func (e *HoldUsedError) Is(target error) bool { return target == ErrHoldUsed }

// Refusal is one reason to refuse a run.
type Refusal struct {
	// Rule names what refuses: usable, exhausted, barred, block, max_per_run,
	// max_per_day or max_total.
	Rule string `json:"rule"`
	// Budget is the position, from 1, of the budget rule in the project file; 0
	// for usable, exhausted and barred.
	Budget int `json:"budget,omitempty"`
	// Limit is what the rule allows, in units; 0 for exhausted, barred and block,
	// which allow nothing.
	Limit int64 `json:"limit"`
	// Used is what counts against Limit already, in units; 0 but for max_per_day and
	// max_total.
	Used int64 `json:"used"`
}

// String is the reason with its numbers, for a message.
func (r Refusal) String() string {
	switch r.Rule {
	case "usable":
		return fmt.Sprintf("usable: %d left", r.Limit)
	case "exhausted":
		return "exhausted: the service answered that nothing is left"
	case "barred":
		return "barred: another ledger may spend the same units"
	case "block":
		return fmt.Sprintf("budget %d: block", r.Budget)
	}
	return fmt.Sprintf("budget %d: %s %d, %d used", r.Budget, r.Rule, r.Limit, r.Used)
}

// BlockedError refuses the admission of a run. Its numbers are in units and
// from the transaction that refused.
type BlockedError struct {
	// Run is the id of the run that was refused.
	Run string `json:"run"`
	// Requested is its Max.
	Requested int64 `json:"requested"`
	// Granted is what was granted in all.
	Granted int64 `json:"granted"`
	// Spent is what counts as spent.
	Spent int64 `json:"spent"`
	// Held is what active runs may still draw.
	Held int64 `json:"held"`
	// Floor is what ordinary runs may not touch; 0 is none.
	Floor int64 `json:"floor"`
	// Available is Granted − Spent − Held. It may be negative.
	Available int64 `json:"available"`
	// Usable is Available − Floor. It may be negative.
	Usable int64 `json:"usable"`
	// Refusals are all reasons, one at least.
	Refusals []Refusal `json:"refusals"`
	// Holders are the runs that have not ended; empty without any.
	Holders []Holder `json:"holders"`
	// Bar is zero unless the ledger is barred.
	Bar Bar `json:"bar,omitzero"`
}

// Error prints all numbers, every reason and every holder.
func (e *BlockedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "blocked: %d requested, %d usable (granted %d, spent %d, held %d, available %d, floor %d)",
		e.Requested, e.Usable, e.Granted, e.Spent, e.Held, e.Available, e.Floor)
	for _, r := range e.Refusals {
		b.WriteString("\n  refused by " + r.String())
	}
	if e.Bar != (Bar{}) {
		b.WriteString("\n  because " + e.Bar.String())
	}
	for _, h := range e.Holders {
		b.WriteString("\n  held by " + h.String())
	}
	return b.String()
}

// Is reports a match with [ErrBlocked].
func (e *BlockedError) Is(target error) bool { return target == ErrBlocked }

// stamp prints a time as the ledger's messages do.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
