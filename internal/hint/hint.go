// Package hint is the one place that knows which command helps against which error:
// libraries say what happened, with the numbers, and whoever shows an error to a
// person asks here what to type next. It may touch every package that has errors of
// its own; only what speaks to people may ask it.
package hint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

const (
	reconcile = "hsharness quota reconcile --observed N --note WHY"
	newer     = "find the ledger that was in use, or, if this one goes on, say what the service has counted: " + reconcile
)

// sentinels are the errors that need no look at their numbers, in the order in which
// they are looked for: an error that matches several has the advice of the first.
var sentinels = []struct {
	err    error
	advice string
}{
	{quota.ErrDisplaced, "let what uses it end, then: hsharness quota verify"},
	{quota.ErrNoHighWater, "hsharness doctor"},
	{quota.ErrNoLedger, "find it, or make one: " + string(FirstLedger)},
	{quota.ErrNewerSchema, "install the version of hsharness that wrote it, or a later one"},
	{quota.ErrReadOnly, "let its owner do it: hsharness quota status"},
	{quota.ErrNotLedger, "name another file by --ledger sqlite:PATH or by ledger: in hsharness.yaml"},
	{quota.ErrBusy, "let that process go on, or end it"},
	{quota.ErrUnsafePlace, "a ledger in a file needs a local disk, one name, and the right to write the file and its folder, one on a server the setting that is named; or name another place by --ledger"},
	{quota.ErrLocalInCI, "use a postgres:// ledger, or set policy.ci_ledger: local if this disk outlives the job; policy.loopback: exempt, if the sandbox is a stand-in"},
	{quota.ErrOtherAccount, "use the ledger of this account, or make one: " + string(FirstLedger)},
	{quota.ErrWentBack, newer},
	{quota.ErrUnreachable, "is the server there, and may this machine reach it? Try again: hsharness doctor"},
	{quota.ErrDamaged, "undo what was done to it, restore a backup, or make a ledger of an export: hsharness quota import FILE --ledger sqlite:PATH"},
	{quota.ErrPoisoned, "see that its disk keeps what is written, start again what uses it, and then: hsharness quota verify"},
	{quota.ErrNoRun, "hsharness quota runs"},
	{quota.ErrHoldUsed, "repeat with a larger --max-spend"},
	{quota.ErrRunOver, "hsharness quota runs"},
	{guard.ErrRunEnds, "let the command of hsharness exec wait for what it starts: that is the run"},
	{services.ErrGuardGone, "start again: hsharness exec -- CMD; or, of a serve that ended: unset HSHARNESS_CONTROL_URL"},
	{scenario.ErrExecForbidden, "allow them with --allow-exec"},
}

// callers are the errors of a ledger that only the program that called it can mend.
var callers = []error{quota.ErrLedgerExists, quota.ErrClosed, quota.ErrConflict, quota.ErrSpent, quota.ErrNoSpend, quota.ErrNoProof}

// verdicts is the advice for a refusal whose error has none.
var verdicts = map[guard.Verdict]string{
	guard.Blocked:           "hsharness quota runs",
	guard.LedgerUnavailable: "hsharness doctor",
	guard.Stopped:           "hsharness quota status",
	guard.RecordingDamaged:  "hsharness recordings scan",
	guard.RecordingFailed:   "hsharness doctor",
}

// For is what to type or to do next about an error; empty where nothing is known that
// helps.
func For(err error) string {
	if advice := own(err); advice != "" {
		return string(advice)
	}
	if advice := typed(err); advice != "" {
		return advice
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.advice
		}
	}
	var refusal *guard.Refusal
	if errors.As(err, &refusal) {
		return verdicts[refusal.Verdict]
	}
	var ledger *session.LedgerError
	if errors.As(err, &ledger) && !slices.ContainsFunc(callers, func(known error) bool { return errors.Is(err, known) }) {
		return string(Diagnose)
	}
	return ""
}

// typed is the advice that needs the numbers of an error.
func typed(err error) string {
	var (
		barred     *quota.BarredError
		blocked    *quota.BlockedError
		active     *quota.RunsActiveError
		late       *quota.NoAnswerError
		stopped    *guard.StoppedError
		missed     *guard.MissError
		stale      *guard.StaleError
		flying     *guard.UnderWayError
		credential *guard.CredentialError
		past       *guard.PastGuardError
		open       *services.NotLoopbackError
		noProject  *session.NoProjectError
		noAmount   *session.NoAmountError
		unlearned  *shape.Error
		ciMiss     *session.CIMissError
		unsealed   *session.UnsealedError
		wait       *pace.WaitError
		shared     *recording.SharedError
		tooMuch    *share.TooMuchError
	)
	switch {
	case errors.As(err, &shared):
		return fmt.Sprintf("let the owner of the ledger's database take it out: %s; then, where the folder has the answer: hsharness recordings push", shared.Removal)
	case errors.As(err, &tooMuch):
		return fmt.Sprintf("let the owner of the ledger's database look at them, and delete what nobody bought: %s", tooMuch.Look)
	case errors.As(err, &wait):
		return fmt.Sprintf("repeat with --max-wait %s, or see who waits: hsharness quota status", wait.Longer())
	case errors.As(err, &unsealed):
		return inSeal(err, unsealed)
	case errors.As(err, &unlearned):
		return "mend it, or write it anew: hsharness recordings learn"
	case errors.As(err, &barred):
		return Bar(barred.Bar)
	case errors.As(err, &blocked):
		return admission(err, blocked)
	case errors.As(err, &active):
		return "wait for its end, or: hsharness quota end " + active.Run
	case errors.As(err, &late) && late.Holder != "":
		return "let that process go on, or end it"
	case errors.As(err, &late):
		return "hsharness doctor"
	case errors.As(err, &stopped) && stopped.Exhausted:
		return reconcile
	case errors.As(err, &missed) && missed.Production:
		return "repeat with --mode offline"
	case errors.As(err, &missed) && missed.Mend != "":
		return missed.Mend
	case errors.As(err, &missed):
		return fmt.Sprintf("repeat with --mode record --max-spend %d%s", max(1, missed.Units), missed.Where)
	case errors.As(err, &stale):
		return fmt.Sprintf("hsharness recordings refresh %.12s --max-spend %d", stale.Key, stale.Units)
	case errors.As(err, &flying):
		return "they are unknown until their run ends: hsharness quota runs"
	case errors.As(err, &credential):
		return "hsharness doctor"
	case errors.As(err, &past):
		return "use the URLs that hsharness exec sets"
	case errors.As(err, &open):
		return "use 127.0.0.1, or --listen-anywhere if you mean it"
	case errors.As(err, &noProject):
		return "write hsharness.yaml, with version: 1 and environments.sandbox, or: hsharness init"
	case errors.As(err, &noAmount):
		return "repeat with --max-spend N, or set per_run in " + noAmount.File
	case errors.As(err, &ciMiss):
		return "leave --on-miss out, or write recordings: { on_miss: mock } into " + ciMiss.File
	case guard.Quarantined(err):
		return "hsharness recordings scan"
	}
	return ""
}

// Bar is what opens a ledger that is closed, or where to go on.
func Bar(b quota.Bar) string {
	switch b.Reason {
	case quota.Copying, quota.Arriving:
		return fmt.Sprintf("hsharness quota copy --ledger %s --to %s", plain.Word(b.From), plain.Word(b.To))
	case quota.Moved:
		return "hsharness quota status --ledger " + plain.Word(b.To)
	}
	return reconcile
}

// admission is what helps a run that was not admitted, or who asked whether one would
// be, which has no run. The numbers are in the error.
func admission(err error, e *quota.BlockedError) string {
	if e.Bar != (quota.Bar{}) {
		return Bar(e.Bar)
	}
	if len(e.Refusals) == 0 {
		return "hsharness quota status"
	}
	left := e.Requested
	for _, r := range e.Refusals {
		left = min(left, r.Limit-r.Used)
	}
	var help []string
	switch least := least(err); {
	case least > max(0, left):
		help = append(help, fmt.Sprintf("choose fewer with --tags, --filter or paths: %d units are bought at least, and %d fit", least, max(0, left)))
	case left > 0 && e.Run != "":
		help = append(help, fmt.Sprintf("repeat with --max-spend %d, which fits", left))
	}
	if cost := price(err); cost != "" && e.Refusals[0].Budget > 0 {
		help = append(help, "see what it costs: "+cost)
	}
	switch first := e.Refusals[0]; {
	case first.Rule == "exhausted":
		return reconcile
	case first.Rule == "max_per_day":
		help = append(help, "wait for the next day (UTC)", budget(first))
	case first.Budget > 0:
		help = append(help, budget(first))
	case len(e.Holders) > 0:
		help = append(help, "hsharness quota runs; and if the process of a run is gone: hsharness quota end "+held(e.Holders))
	case e.Floor > 0 && e.Available >= e.Requested:
		help = append(help, "lower the floor, which keeps the rest: hsharness quota floor N")
	default:
		help = append(help, "if the service granted more: hsharness quota grant N --note WHY")
	}
	return strings.Join(help, "; or ")
}

// budget is where the rule stands that refuses a run.
func budget(r quota.Refusal) string {
	return fmt.Sprintf("change budget %d in hsharness.yaml", r.Budget)
}

// held is the holder that is most likely not to let go by itself.
func held(holders []quota.Holder) string {
	for _, h := range holders {
		if h.Ahead {
			return h.ID
		}
	}
	return holders[0].ID
}

// longestLine is how much of a line of an error a person is shown, in bytes: a cell of a file
// that is quoted may have 64 MB.
const longestLine = 8 << 10

// bounded cuts the lines of a text that are longer.
func bounded(text string) string {
	if len(text) <= longestLine {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if len(line) <= longestLine {
			b.WriteString(line)
			continue
		}
		fmt.Fprintf(&b, "%s… (%d bytes more)", strings.ToValidUTF8(line[:longestLine], ""), len(line)-longestLine)
		if strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Text is an error as a person reads it: what happened, and what to do next.
func Text(err error) string {
	text, advice := bounded(said(err)), For(err)
	switch {
	case advice == "":
		return text
	case strings.Contains(text, "\n"), errors.Is(err, quota.ErrBlocked):
		return text + "\n  next: " + advice
	case own(err) != "":
		return text + "; " + advice
	}
	return text + ": " + advice
}

// Exec is how Go tests may spend in a mode.
func Exec(mode string) string {
	return "hsharness exec --mode " + mode + " --max-spend N -- go test ./..."
}

// More is how a run gets so many units more.
func More(units int) string {
	return fmt.Sprintf("repeat hsharness exec with a --max-spend that is larger by %d", units)
}

// Warnings are those of a status, with what helps.
func Warnings(s quota.Status) []string {
	all := make([]string, len(s.Warnings))
	for i, w := range s.Warnings {
		all[i] = w
		switch {
		case s.Bar != (quota.Bar{}) && strings.HasSuffix(w, s.Bar.String()):
			all[i] += ": " + Bar(s.Bar)
		case strings.Contains(w, quota.ErrWentBack.Error()):
			all[i] += ": " + newer
		}
		for _, h := range s.ActiveRuns {
			if h.Ahead && strings.HasPrefix(w, "run "+h.ID+" ") {
				all[i] += ". If its process is gone: hsharness quota end " + h.ID
			}
		}
	}
	return all
}
