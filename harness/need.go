package harness

import (
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
)

// Need says what the test costs at most, in units, before it sends anything.
//
// In every mode a test whose requests cost more than that fails at its end, so
// a client that retries into money fails for free, offline. Under `hsharness
// exec --mode live` a test that needs more than the run has left fails at once,
// with nothing sent: half a test would be paid for and prove nothing. In record
// mode it begins all the same, because what it buys is kept for the next time.
//
// What the guard sends once more, because the sandbox refused its own token, is
// not counted here: that is no doing of the test's, and the run pays for it once
// for each scope at most.
//
// It holds no units back: tests in parallel may each find enough for itself and
// not for all. The run's own limit holds in any case.
func (h *Harness) Need(units int) {
	h.t.Helper()
	if h.services.Mode() == guard.Live {
		left, metered, err := h.services.Left()
		if err != nil {
			h.t.Fatalf("harness: %s", hint.Text(err))
		}
		if metered && left < units {
			h.t.Fatalf("harness: this test needs %d units and its run has %d left, so nothing was sent; %s",
				units, left, hint.More(units-left))
		}
	}
	h.t.Cleanup(func() {
		// The services are still there: what was registered last ends first.
		if got := h.Tally(); got.Units > units {
			h.t.Errorf("harness: the requests cost %d units, more than the %d that Need says (%d requests)", got.Units, units, got.Requests)
		}
	})
}
