package gateway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// metrics count what a gateway did since it started. Their labels are
// names of keys and fixed words.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	units    *prometheus.CounterVec
	ledger   *prometheus.HistogramVec
	unended  prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hsharness_requests_total", Help: "Requests by key and by what became of them: bought, replayed, or why they were refused.",
		}, []string{"key", "verdict"}),
		units: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hsharness_units_spent_total", Help: "Units that this instance wrote down as spent, by key.",
		}, []string{"key"}),
		ledger: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hsharness_ledger_seconds", Help: "How long the ledger took to answer, by call.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"call"}),
		unended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hsharness_runs_left_to_expire_total", Help: "Runs that the ledger could not be told the end of; they expire.",
		}),
	}
	m.registry.MustRegister(m.requests, m.units, m.ledger, m.unended,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// asked notes how long a call of the ledger took that began at start.
func (m *metrics) asked(call string, start time.Time) {
	m.ledger.WithLabelValues(call).Observe(time.Since(start).Seconds())
}

// observe counts a request.
func (m *metrics) observe(e guard.Event) {
	m.requests.WithLabelValues(e.Client, string(e.Verdict)).Inc()
}

// ledgerCollector asks the ledger for its figures each time that somebody
// collects them: it is the one truth of all instances.
type ledgerCollector struct{ store quota.Store }

var (
	ledgerUp    = prometheus.NewDesc("hsharness_ledger_up", "1 when the ledger answered, 0 when it did not.", nil, nil)
	ledgerUnits = prometheus.NewDesc("hsharness_allowance_units", "The allowance as the ledger has it: granted, spent, unknown (part of spent), held, floor, and left for runs.", []string{"state"}, nil)
)

// collectTime is how long the ledger may take to answer a collector.
const collectTime = 2 * time.Second

func (c ledgerCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- ledgerUp
	descs <- ledgerUnits
}

func (c ledgerCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	s, err := c.store.Status(ctx)
	if err != nil {
		metrics <- prometheus.MustNewConstMetric(ledgerUp, prometheus.GaugeValue, 0)
		return
	}
	metrics <- prometheus.MustNewConstMetric(ledgerUp, prometheus.GaugeValue, 1)
	for state, units := range map[string]int64{
		"granted": s.Granted, "spent": s.Spent, "unknown": s.Unknown, "held": s.Held, "floor": s.Floor, "left": max(s.Usable, 0),
	} {
		metrics <- prometheus.MustNewConstMetric(ledgerUnits, prometheus.GaugeValue, float64(units), state)
	}
}
