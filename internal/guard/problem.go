package guard

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// Verdict says how a request ended. That of a refusal is sent in the header
// [VerdictHeader].
type Verdict string

// VerdictHeader is on every answer that the guard made itself, on those of the mock API
// in place of a recording, with the verdict [Unbought], and on no other.
const VerdictHeader = "Hsharness-Verdict"

// The verdicts of a refusal. A program that ends with one says so by its own exit
// codes.
const (
	Blocked           Verdict = "blocked"            // the ledger refused, or the allowance is exhausted
	LedgerUnavailable Verdict = "ledger-unavailable" // the ledger could not be asked
	Stopped           Verdict = "stopped"            // the sandbox answered a request before with 403 or 429
	UpstreamFailed    Verdict = "upstream-failed"    // the sandbox or the network
	Policy            Verdict = "policy"             // production, an operation without a price, a secret in a recording
	Missed            Verdict = "missed"             // nothing was recorded for the request
	RecordingDamaged  Verdict = "recording-damaged"  // a recording can't be read
	NoHost            Verdict = "no-host"            // nobody knows where the sandbox has this API
	RecordingFailed   Verdict = "recording-failed"   // a bought answer could not be recorded
	Capped            Verdict = "capped"             // a client's max, or a scenario's quota.max
	Cancelled         Verdict = "cancelled"          // the client hung up before anything was sent
)

// The verdicts of a request that was answered.
const (
	Mocked       Verdict = "mocked"       // by the mock API
	Unbought     Verdict = "unbought"     // by the mock API, in a replay that lets it answer what was never bought
	Replayed     Verdict = "replayed"     // by a recording
	Bought       Verdict = "bought"       // by the sandbox
	Unauthorized Verdict = "unauthorized" // as the API answers to a bad token
	Unreadable   Verdict = "unreadable"   // 413, 408, 503 or 400: its body is too long, too slow, too much just now, or did not come whole
)

// gravest lists the verdicts that fail a run, the gravest first.
func gravest() []Verdict {
	return []Verdict{Blocked, LedgerUnavailable, RecordingDamaged, NoHost, Missed, Stopped, UpstreamFailed, Policy, RecordingFailed, Capped}
}

// Graver tells whether a verdict says more of a run than another does: of several
// that a run met it ends with the gravest. Those of answered requests, [Cancelled] and the
// empty one say nothing.
func (v Verdict) Graver(than Verdict) bool {
	rank := func(v Verdict) int {
		if i := slices.Index(gravest(), v); i >= 0 {
			return i
		}
		return len(gravest())
	}
	return rank(v) < rank(than)
}

// Refusal is why the guard answered a request itself. It is an error, too, and
// wraps the one behind it.
type Refusal struct {
	Verdict Verdict
	// Units is what the request would have cost.
	Units int
	Err   error
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// problem is the body of a refusal (RFC 9457).
type problem struct {
	Type    string  `json:"type"`
	Title   string  `json:"title"`
	Status  int     `json:"status"`
	Detail  string  `json:"detail"`
	Units   int     `json:"units"`
	Numbers any     `json:"numbers,omitempty"`
	Command string  `json:"command,omitempty"`
	Verdict Verdict `json:"verdict"`
}

var titles = map[Verdict]string{
	Blocked:           "the ledger does not allow this request",
	LedgerUnavailable: "the ledger can't be asked, so nothing is sent",
	Stopped:           "the run is stopped, so nothing is sent",
	UpstreamFailed:    "the sandbox did not answer",
	Policy:            "a rule forbids this request",
	Missed:            "there is no recording of this request",
	RecordingDamaged:  "a recording can't be read",
	NoHost:            "where the sandbox has this API is not known",
	RecordingFailed:   "the recordings can't be used, so nothing is sent",
	Capped:            "the most that this client or scenario may use does not allow this request",
	Cancelled:         "the client hung up, so nothing is sent",
}

// Write answers with 424, or with 502 when the sandbox was asked and failed. Advise
// gives the next command, empty for none; nil is no advice.
func (r *Refusal) Write(w http.ResponseWriter, advise func(error) string) {
	status := http.StatusFailedDependency
	if r.Verdict == UpstreamFailed {
		status = http.StatusBadGateway
	}
	p := problem{
		Type: "urn:hsharness:" + string(r.Verdict), Title: titles[r.Verdict], Status: status,
		Detail: r.Err.Error(), Units: r.Units, Verdict: r.Verdict,
	}
	if advise != nil {
		p.Command = advise(r)
	}
	var blocked *quota.BlockedError
	var used *quota.HoldUsedError
	var stopped *StoppedError
	var missed *MissError
	var capped *CapError
	var wait *pace.WaitError
	switch {
	case errors.As(r.Err, &wait):
		p.Numbers = wait
	case errors.As(r.Err, &capped):
		p.Numbers = capped
	case errors.As(r.Err, &missed):
		p.Numbers = map[string]int{"units": missed.Units, "differences": len(missed.Differences)}
	case errors.As(r.Err, &blocked):
		p.Numbers = blocked
	case errors.As(r.Err, &used):
		p.Numbers = map[string]int64{"requested": used.Requested, "max": used.Max, "spent": used.Spent}
	case errors.As(r.Err, &stopped):
		p.Numbers = stopped
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set(VerdictHeader, string(r.Verdict))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
