package harness

import (
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
)

// Tally counts what became of the requests to the APIs, and their price.
type Tally struct {
	// Requests is how many came, whatever became of them.
	Requests int
	// Mocked is how many requests the mock API answered, Replayed how many a recording
	// did, Bought how many the sandbox did.
	Mocked, Replayed, Bought int
	// Unbought is the part of Mocked that a replay let the mock API answer, because it was
	// never bought: see recordings.on_miss in the project file.
	Unbought int
	// Stale is the part of Replayed that is older than the project's
	// recordings.max_age.
	Stale int
	// Refused is how many requests the guard answered itself: a bad token, an operation without
	// a price, no units left, no recording, a sandbox that did not answer.
	Refused int
	// Missed is the part of Refused for want of a recording, Capped the part that
	// the test's own maximum did not let through.
	Missed, Capped int
	// Units is what the requests cost at the price list: those that were sent did,
	// those that were mocked or replayed would have.
	Units int
	// Spent is what was written down as spent, in units: a part of Units, and
	// Resent. It is 0 but inside hsharness exec.
	Spent int
	// Again is how many of the requests that were bought had been bought before,
	// without an answer; Resent is the part of Spent, in units, that went into
	// requests that the guard sent once more after the sandbox refused its token.
	Again, Resent int
}

func tallied(t guard.Tally) Tally {
	return Tally{
		Requests: t.Requests, Mocked: t.Mocked, Unbought: t.Unbought, Replayed: t.Replayed, Bought: t.Bought, Stale: t.Stale,
		Refused: t.Refused, Missed: t.Missed, Capped: t.Capped,
		Units: t.Price, Spent: t.Paid, Again: t.Again, Resent: t.Resent,
	}
}

// Tally counts the requests to the APIs since [Start], and their price.
func (h *Harness) Tally() Tally {
	h.t.Helper()
	tally, err := h.services.Tally()
	if err != nil {
		h.t.Fatalf("harness: %s", hint.Text(err))
	}
	return tallied(tally)
}

// ExpectSpend fails the test when the requests since [Start] do not cost this
// many units at the price list, spent or not. It holds in every mode, so a
// retry that would cost money fails for free.
func (h *Harness) ExpectSpend(units int) {
	h.t.Helper()
	if got := h.Tally(); got.Units != units {
		h.t.Errorf("harness: the requests cost %d units, want %d (%d requests)", got.Units, units, got.Requests)
	}
}

// ExpectCalls fails the test when the guard did not see this many requests
// since [Start], faulted and refused ones counted.
func (h *Harness) ExpectCalls(n int) {
	h.t.Helper()
	if got := h.Tally().Requests; got != n {
		h.t.Errorf("harness: the guard saw %d requests, want %d", got, n)
	}
}
