package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// metrics count what a gateway did since it started. Their labels are
// names of keys and fixed words.
type metrics struct {
	requests, units, unended counter
	ledger                   histogram
	store                    quota.Store // nil where there is none
}

func newMetrics() *metrics {
	return &metrics{
		requests: counter{
			name: "hsharness_requests_total", help: "Requests by key and by what became of them: bought, replayed, or why they were refused.",
			labels: []string{"key", "verdict"},
		},
		units: counter{
			name: "hsharness_units_spent_total", help: "Units that this instance wrote down as spent, by key.",
			labels: []string{"key"},
		},
		unended: counter{
			name: "hsharness_runs_left_to_expire_total", help: "Runs that the ledger could not be told the end of; they expire.",
		},
		ledger: histogram{
			name: "hsharness_ledger_seconds", help: "How long the ledger took to answer, by call.", label: "call",
			bounds: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		},
	}
}

// asked notes how long a call of the ledger took that began at start.
func (m *metrics) asked(call string, start time.Time) {
	m.ledger.observe(call, time.Since(start).Seconds())
}

// observe counts a request.
func (m *metrics) observe(e guard.Event) {
	m.requests.add(1, e.Client, string(e.Verdict))
}

// collectTime is how long the ledger may take to answer a collector.
const collectTime = 2 * time.Second

// ServeHTTP writes all figures.
func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e exposition
	m.requests.write(&e)
	m.units.write(&e)
	m.unended.write(&e)
	m.ledger.write(&e)
	m.allowance(r.Context(), &e)
	process(&e)
	w.Header().Set("Content-Type", expositionType)
	_, _ = w.Write(e.Bytes())
}

// allowance asks the ledger for its figures each time that somebody collects them: it is
// the one truth of all instances.
func (m *metrics) allowance(ctx context.Context, e *exposition) {
	if m.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	s, err := m.store.Status(ctx)
	up := 1.0
	if err != nil {
		up = 0
	}
	e.one("hsharness_ledger_up", "gauge", "1 when the ledger answered, 0 when it did not.", up)
	if err != nil {
		return
	}
	const units = "hsharness_allowance_units"
	e.family(units, "gauge", "The allowance as the ledger has it: granted, spent, unknown (part of spent), held, floor, and left for runs.")
	for _, is := range []struct {
		state string
		units int64
	}{
		{"granted", s.Granted}, {"spent", s.Spent}, {"unknown", s.Unknown}, {"held", s.Held}, {"floor", s.Floor}, {"left", max(s.Usable, 0)},
	} {
		e.figure(units, float64(is.units), "state", is.state)
	}
}
