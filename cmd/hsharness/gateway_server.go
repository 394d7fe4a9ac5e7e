package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/quota"
)

// gateway is what callers and operators talk to.
type gateway struct {
	ring    *keyring
	mode    guard.Limit
	guard   *guard.Guard
	secrets []recording.Secret // that recordings must not hold
	metrics *gatewayMetrics
	// ledger and meter are nil where nothing is bought.
	ledger   *ledger.Ledger
	meter    *portions
	stopping atomic.Bool
	begun    time.Time

	drawing sync.Mutex
	drawn   time.Time
	charts  []template.HTML
}

// guardConfig is the guard for the keys of the ring: tokens of a key that is not
// accepted any more are refused though they have not expired.
func (g *gateway) guardConfig(log *slog.Logger) guard.Config {
	return guard.Config{
		Mode: g.mode.Mode, Log: log,
		Tenants: map[avalara.Environment]guard.Tenant{avalara.Sandbox: {
			Issuers: []string{g.ring.issuer}, Key: g.ring.sign.PublicKey, Client: g.ring.accepts,
		}},
		Observe: func(e guard.Event) {
			g.metrics.observe(e)
			if g.meter != nil && e.Client != "" {
				g.meter.observe(e)
			}
		},
	}
}

// legacyPath is where the legacy API is: its own paths are those of the current
// one.
const legacyPath = "/legacy"

// handler is all that callers reach: the token endpoint and the three APIs of
// the sandbox, whose paths don't collide.
func (g *gateway) handler() http.Handler {
	current := g.guard.Handler(avalara.Sandbox, avalara.Current)
	managed := g.guard.Handler(avalara.Sandbox, avalara.Managed)
	legacy := http.StripPrefix(legacyPath, g.guard.Handler(avalara.Sandbox, avalara.Legacy))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.ToLower(r.URL.Path); {
		case strings.HasPrefix(path, "/connect/"), strings.HasPrefix(path, "/.well-known/"):
			g.ring.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, legacyPath+"/"):
			legacy.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/api/"):
			managed.ServeHTTP(w, r)
		default:
			current.ServeHTTP(w, r)
		}
	})
}

// operations is what those who run the gateway look at.
//
//	GET /         the status page
//	GET /healthz  200 as long as the process answers
//	GET /readyz   200 when callers can be served: keys and ledger can be read
//	GET /metrics  for Prometheus
func (g *gateway) operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := g.ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /{$}", g.page)
	return mux
}

var errStopping = errors.New("the gateway is stopping")

// ready says why callers can't be served, or nil.
func (g *gateway) ready(ctx context.Context) error {
	if g.stopping.Load() {
		return errStopping
	}
	if err := g.ring.check(); err != nil {
		return err
	}
	if g.ledger == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	return g.ledger.Ready(ctx)
}

//go:embed gateway_page.html
var pageText string

var pageTemplate = template.Must(template.New("status").Funcs(template.FuncMap{
	"time": second, "dash": dash, "style": pages.Style, "used": func(s *quota.Status) int64 { return s.Spent + s.Held },
}).Parse(pageText))

// pageRuns is how many runs the page lists.
const pageRuns = 20

// statusPage is what the page shows.
type statusPage struct {
	Mode  guard.Limit
	Begun time.Time
	// Status is nil where nothing is bought, or the ledger does not answer; then
	// Wrong says why.
	Status *quota.Status
	Wrong  string
	Charts []template.HTML
	Keys   []keyUse
	Runs   []quota.RunInfo
}

// keyUse is what one key has drawn, over all instances and restarts.
type keyUse struct {
	gatewayKey
	Spent, Held int64
}

// Used is what the key has drawn and holds.
func (k keyUse) Used() int64 { return k.Spent + k.Held }

// Left is what the key may still draw: none where its cap was lowered below.
func (k keyUse) Left() int64 { return max(k.Cap-k.Used(), 0) }

func (g *gateway) page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), collectTime)
	defer cancel()
	p, err := g.status(ctx)
	if err != nil {
		p.Wrong = err.Error()
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_ = pageTemplate.Execute(w, p) // the reader has gone when this fails
}

// status collects the page. What could be read is in it even with an error.
func (g *gateway) status(ctx context.Context) (statusPage, error) {
	p := statusPage{Mode: g.mode, Begun: g.begun}
	keys, err := readKeys(g.ring.file)
	for _, k := range keys {
		p.Keys = append(p.Keys, keyUse{gatewayKey: k})
	}
	if err != nil || g.ledger == nil {
		return p, err
	}
	s, err := g.ledger.Status(ctx)
	if err != nil {
		return p, err
	}
	p.Status = &s
	p.Charts = g.draw(ctx, s)
	runs, err := g.ledger.Store.Runs(ctx, 0)
	for _, run := range runs {
		if run.Event != gatewayEvent {
			continue
		}
		if i := slices.IndexFunc(p.Keys, func(k keyUse) bool { return k.Name == run.Actor }); i >= 0 {
			p.Keys[i].Spent += run.Spent
			p.Keys[i].Held += run.Held()
		}
	}
	p.Runs = runs[:min(len(runs), pageRuns)]
	return p, err
}

// chartTime is how old the charts may be: they sum up the whole journal.
const chartTime = time.Minute

// draw returns the charts of the budget report, and the latest ones where the
// ledger can't sum up in time.
func (g *gateway) draw(ctx context.Context, s quota.Status) []template.HTML {
	g.drawing.Lock()
	defer g.drawing.Unlock()
	if time.Since(g.drawn) < chartTime {
		return g.charts
	}
	g.drawn = time.Now() // also when it fails: not with every look at the page
	statement, err := g.ledger.Store.Statement(ctx, time.Time{})
	if err != nil {
		return g.charts
	}
	b := report.NewBudget(s, statement, time.Now())
	burnDown, err1 := pages.BurnDown(b)
	perDay, err2 := pages.PerDay(b)
	if errors.Join(err1, err2) == nil {
		g.charts = []template.HTML{burnDown, perDay}
	}
	return g.charts
}
