// Package ending says how a run ended: its exit code, of several that it earned, and
// the verdict in its bill. It may touch the guard's verdicts and the bill, and nothing
// outside of this process.
package ending

import (
	"cmp"
	"errors"
	"slices"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/report"
)

// The exit codes that users may rely on. A run that is ended by signal n exits
// with 128+n.
const (
	OK       = 0
	Failed   = 1 // a test failed, or verify found a difference
	Usage    = 2 // the command line or a file is wrong; nothing was sent
	Missing  = 3 // a recording is missing
	Blocked  = 4 // the ledger refuses
	Upstream = 5 // the sandbox or the network failed
	Policy   = 6 // what is asked for is never allowed
	Ledger   = 7 // the ledger is missing, or can't be relied on
)

// verdicts are what the exit codes are called in a bill.
var verdicts = []string{
	OK: "ok", Failed: "failed", Usage: "usage", Missing: "missed", Blocked: "blocked", Upstream: "upstream", Policy: "policy", Ledger: "unavailable",
}

// Verdict is what an exit code of ours is called in a bill. One that is none, such as
// that of a signal, is a run that failed.
func Verdict(code int) string {
	if code < 0 || code >= len(verdicts) {
		code = Failed
	}
	return verdicts[code]
}

// Code is the exit code of a run that met a verdict of the guard, 0 without one.
func Code(v guard.Verdict) int {
	switch v {
	case guard.Blocked:
		return Blocked
	case guard.LedgerUnavailable:
		return Ledger
	case guard.Stopped, guard.UpstreamFailed:
		return Upstream
	case guard.Policy:
		return Policy
	case guard.Missed:
		return Missing
	case guard.RecordingDamaged, guard.NoHost:
		return Usage
	case guard.RecordingFailed, guard.Capped:
		return Failed
	}
	return OK
}

// Graver tells whether exit code a says more of a run than b does: of several
// that a run earned it ends with the gravest.
func Graver(a, b int) bool {
	order := []int{Blocked, Ledger, Usage, Missing, Upstream, Policy, Failed}
	rank := func(code int) int {
		if i := slices.Index(order, code); i >= 0 {
			return i
		}
		return len(order) // 0, and a command's own
	}
	return rank(a) < rank(b)
}

// Judge puts what the guard refused into the bill, what that is called, and how to
// make a ledger, for where there is none.
func Judge(bill *report.Bill, v guard.Verdict, reason string) {
	bill.Refusal, bill.Exit, bill.Reason = string(v), Code(v), reason
	bill.Verdict, bill.Next = Verdict(bill.Exit), string(hint.FirstLedger)
}

// Worse puts another end of the run into its bill where it is graver than the one
// that the bill has.
func Worse(bill *report.Bill, code int, why error) {
	if Graver(code, bill.Exit) {
		bill.Exit, bill.Verdict, bill.Reason = code, Verdict(code), hint.Text(why)
	}
}

// Within puts into the bill of a client whose run it is a part of: that of the exec
// around it, by its id. Most is the client's own maximum, nil without one.
func Within(bill *report.Bill, run string, mode guard.Mode, most *int) {
	bill.Run, bill.Mode, bill.ModeLimitedBy = run, mode.String(), "hsharness exec"
	bill.NotLeft = "the exec around it has the ledger"
	if most != nil {
		bill.MaxSpend = *most
	}
}

// Unasked is what is said of a command that called no API of the guard.
const Unasked = "the command sent nothing to the guard: does it read HSHARNESS_API_URL?"

// UnaskedIn is the same of a command that was sealed, or whose clients were intercepted.
func UnaskedIn(seal string) string {
	switch seal {
	case "sealed":
		return "the command asked the API for nothing, neither by its real URL nor by HSHARNESS_API_URL"
	case "intercept":
		return "the command asked the API for nothing: its clients may ask no proxy (HTTPS_PROXY), and so go around this one"
	}
	return Unasked
}

// Command is what became of a command behind the guard.
type Command struct {
	// Code is its exit code, and Err why it could not be run.
	Code int
	Err  error
	// MustAsk makes a command that called no API a run that policy forbids.
	MustAsk bool
}

// Settle puts the end of the command into the bill, which has what the guard refused.
// The run ends with the returned code and error. The command's own code is passed on,
// unless the guard's is 3 to 7.
func (c Command) Settle(bill *report.Bill) (int, error) {
	if c.Err == nil {
		bill.CommandExit = &c.Code
		// One that a signal ended did not get so far.
		if bill.Requests == 0 && c.Code <= signalled {
			unasked := UnaskedIn(bill.Seal)
			if c.MustAsk {
				Worse(bill, Policy, errors.New(unasked+" (policy.unasked is fail)"))
			}
			bill.Reason = cmp.Or(bill.Reason, unasked)
		}
	}
	switch {
	case bill.Exit >= Missing, bill.Exit != OK && c.Code == OK:
		return bill.Exit, errors.New(bill.Reason)
	case c.Err != nil:
		bill.Verdict, bill.Reason = Verdict(c.Code), cmp.Or(bill.Reason, hint.Text(c.Err))
	}
	refused := bill.Exit != OK
	bill.Exit = c.Code
	if refused && c.Err == nil { // its own tests may have swallowed it
		return c.Code, &guard.Refusal{Verdict: guard.Verdict(bill.Refusal), Err: errors.New(bill.Reason)}
	}
	return c.Code, c.Err
}

// signalled is what the exit code of a process that a signal ended is above.
const signalled = 128

// Tallied is what a guard's counts are in a bill.
func Tallied(t guard.Tally) report.Bill {
	return report.Bill{
		Requests: t.Requests, Replayed: t.Replayed, Mocked: t.Mocked, Missed: t.Missed, MissedUnits: t.MissedUnits,
		Refused: t.Refused - t.Missed, Spent: t.Paid, WouldHaveSpent: t.Saved(),
		AskedAgain: t.Again, Unbought: t.Unbought, UnboughtUnits: t.UnboughtUnits,
	}
}
