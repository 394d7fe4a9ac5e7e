package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Kind says what an [Entry] did.
type Kind string

// The kinds of entry, with what they do to the balances.
const (
	KindGrant     Kind = "grant"     // granted + units; a change of the floor is a grant of 0 units
	KindBegin     Kind = "begin"     // a run was admitted; moves nothing
	KindHold      Kind = "hold"      // held + units
	KindSpend     Kind = "spend"     // held − units, spent + units; 0 for a request that costs nothing
	KindSettle    Kind = "settle"    // what became of a spend; moves nothing
	KindRefund    Kind = "refund"    // spent − units, held + units
	KindEnd       Kind = "end"       // a run ended; moves nothing
	KindRelease   Kind = "release"   // held − units: what an ended run had not drawn
	KindExpire    Kind = "expire"    // held − units: what an expired run had not drawn
	KindBlock     Kind = "block"     // a run was refused; 0 units
	KindReconcile Kind = "reconcile" // spent + units, which may be negative
	KindExhaust   Kind = "exhaust"   // the service said that nothing is left, or the ledger is barred; 0 units
)

// Entry is one line of the ledger's journal. Entries are never changed and
// never deleted, and every balance is the sum of them; see [Audit].
type Entry struct {
	// Seq numbers the entries of one ledger from 1, without gaps in a file and
	// perhaps with gaps in a shared store.
	Seq int64 `json:"seq"`
	// Time is by the clock of the store, to the microsecond. Nothing but
	// reports and leases depends on it.
	Time time.Time `json:"time"`
	// Allowance is the name of the ledger's allowance.
	Allowance string `json:"allowance"`
	// Run is the run's id; empty for grants and reconciliations.
	Run string `json:"run,omitempty"`
	// Kind says what the entry did. It is never empty.
	Kind Kind `json:"kind"`
	// Units moved, as the kind says. A settle repeats those of its spend.
	Units int64 `json:"units"`
	// ID is the caller's id of the spend, grant or reconciliation. A settle or
	// refund has the id of its spend.
	ID string `json:"id,omitempty"`
	// Operation is that of the [SpendSpec], on spend. Empty is not known.
	Operation string `json:"operation,omitempty"`
	// RequestKey is that of the [SpendSpec], on spend. Empty is not known.
	RequestKey string `json:"request_key,omitempty"`
	// Test is that of the [SpendSpec], on spend. Empty is not known.
	Test string `json:"test,omitempty"`
	// Outcome is given on settle and refund.
	Outcome Outcome `json:"outcome,omitempty"`
	// Status is the HTTP status of the answer, 0 without one.
	Status int `json:"status,omitempty"`
	// DurationMS is how long the answer took, in milliseconds; 0 is not known.
	DurationMS int64 `json:"duration_ms,omitempty"`
	// Bytes is the length of the answer's body; 0 for an empty one and for none.
	Bytes int64 `json:"bytes,omitempty"`
	// Note is for people. That of a refund begins with its [Proof]. Empty is none.
	Note string `json:"note,omitempty"`

	// Floor is the floor after a grant, in units; of no meaning for other kinds.
	Floor int64 `json:"floor,omitempty"`
	// Spec is what was asked for, on begin and block.
	Spec *RunSpec `json:"spec,omitempty"`
	// Counters is given on end.
	Counters *Counters `json:"counters,omitempty"`
	// Refusals is given on block.
	Refusals []Refusal `json:"refusals,omitempty"`
	// Bar is given on an exhaust that the service has not said.
	Bar *Bar `json:"bar,omitempty"`
	// Leases is given on block where active runs have leases that end further
	// ahead than a lease can: their ends, by run. See [Unrenewed].
	Leases map[string]time.Time `json:"leases,omitempty"`
}

// mark tells this entry from any other that could stand at the same Seq of a
// copy of the ledger that went its own way.
func (e Entry) mark() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s %s %s", e.Seq, e.Time.UnixMicro(), e.Kind, e.Run, e.ID))
	return hex.EncodeToString(sum[:markLength/2])
}

// markLength is the length of a mark.
const markLength = 16

// Counters is what a run did besides spending, as its guard counted it. The ledger
// only writes it down.
type Counters struct {
	// Requests is how many requests came, whatever became of them.
	Requests int64 `json:"requests"`
	// Replayed is how many requests a recording answered.
	Replayed int64 `json:"replayed"`
	// Mocked is how many requests the mock API answered.
	Mocked int64 `json:"mocked"`
	// Missed is how many requests were refused for want of a recording.
	Missed int64 `json:"missed"`
	// WouldSpend is how many units the requests would have cost that were answered
	// without being sent.
	WouldSpend int64 `json:"would_have_spent"`
}

// Outcome is what became of a spend.
type Outcome string

// The outcomes. Answered and Unknown count; only Refunded gives units back.
const (
	Answered Outcome = "answered"
	Unknown  Outcome = "unknown"
	Refunded Outcome = "refunded"
)

// Proof is why a refund is safe: that nothing was written to the wire, or that
// the service is configured as not counting such an answer. There is no other
// reason, and none that time could give.
type Proof string

// The proofs that a [Settlement] may give for a refund.
const (
	// NoConnection: httptrace saw no connection.
	NoConnection Proof = "no connection"
	// NoHeaders: httptrace saw a connection, but no request header written.
	NoHeaders Proof = "no request written"
	// Unbilled: the status is in the project's list of unbilled ones.
	Unbilled Proof = "unbilled status"
)
