// Package gateway is the guard as a server for a team: callers with keys, whose
// caps the ledger holds over all instances and restarts. It may touch the guard,
// the mock identity service and an open ledger; which ones they are, its caller
// says.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Gateway is what callers and operators talk to. It is safe for concurrent use.
type Gateway struct {
	ring    *Keyring
	mode    guard.Limit
	guard   *guard.Guard
	guesses *guesses
	metrics *metrics
	// ledger, purchase and meter are nil where nothing is bought.
	ledger   *ledger.Ledger
	purchase *guard.Purchase
	meter    *meter
	paced    *paced // nil without a rate
	stopping atomic.Bool
	begun    time.Time

	looking sync.Mutex
	// seen is the latest look at the ledger, nil before, and next when there is another one.
	seen *look
	next time.Time
	// known is what the next look goes on from, and summing the sum that is under way; nil
	// for none. Stopping ends it.
	known   *tally.Journal
	summing chan summed
	ending  context.Context
	end     context.CancelFunc
}

// Config is what a gateway is made of.
type Config struct {
	// Keys are those who may call.
	Keys *Keyring
	// Mode is how far requests may go, and why no further: not offline.
	Mode guard.Limit
	// Guard has what a guard knows besides: prices, recordings, the log. Its mode,
	// tenants, purchase and observer are set by [New].
	Guard guard.Config
	// Ledger is what the keys draw on, Budgets are the project's rules beside their
	// caps, and Purchase is how the sandbox is reached, without a meter. They are
	// needed where Mode buys.
	Ledger   *ledger.Ledger
	Budgets  []quota.Rule
	Purchase guard.PurchaseConfig
	// Allotment is how many units a key holds at a time, unless one request needs
	// more; 1 or more where Mode buys.
	Allotment int64
	// MaxWait is how long a request may wait for its turn at the project's rates. Zero is
	// any time.
	MaxWait time.Duration
}

// New makes a gateway. It opens no connection.
func New(cfg Config) (*Gateway, error) {
	g := &Gateway{ring: cfg.Keys, mode: cfg.Mode, guesses: newGuesses(time.Now), metrics: newMetrics(), begun: time.Now()}
	g.ending, g.end = context.WithCancel(context.Background())
	of := cfg.Guard
	// Tokens of a key that is not accepted any more are refused though they have
	// not expired.
	of.Mode, of.Observe, of.Strangers = cfg.Mode.Mode, g.observe, true
	of.Tenants = map[avalara.Environment]guard.Tenant{avalara.Sandbox: {
		Issuers: []string{g.ring.issuer}, Key: g.ring.sign.PublicKey, Client: g.ring.accepts,
	}}
	var err error
	if cfg.Mode.Mode.Buys() {
		g.ledger = cfg.Ledger
		g.meter = &meter{
			client: cfg.Ledger.Client, budgets: cfg.Budgets, mode: cfg.Mode.Mode, size: cfg.Allotment,
			key: g.ring.key, newID: cfg.Purchase.NewID, now: time.Now, metrics: g.metrics,
		}
		cfg.Purchase.Meter = g.meter
		if cfg.Purchase.Pace, g.paced, err = newPacer(cfg.Ledger, g.meter, cfg.MaxWait); err != nil {
			return nil, err
		}
		if g.purchase, err = guard.NewPurchase(cfg.Purchase); err != nil {
			return nil, err
		}
		g.metrics.store = cfg.Ledger.Store
		of.Purchase = g.purchase
	}
	g.guard, err = guard.New(of)
	return g, err
}

// observe counts what became of a request.
func (g *Gateway) observe(e guard.Event) {
	g.metrics.observe(e)
	if g.meter != nil && e.Client != "" {
		g.meter.observe(e)
	}
}

// Run gives back what lies idle, and asks a ledger again that did not count, until the
// context ends.
func (g *Gateway) Run(ctx context.Context) {
	if g.meter == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.meter.sweep()
			g.meter.askAgain(ctx)
		}
	}
}

// sweepTime is how often idle allotments are looked for.
const sweepTime = 10 * time.Second

// Stop is ready for nobody any more, lets answer end what is under way, keeps what
// is paid for and ends the runs, all of it within grace. The last quarter of that is
// for the ledger: what the sandbox has not answered until then is cut off, counts,
// and is a [*guard.UnderWayError].
func (g *Gateway) Stop(grace time.Duration, answer func(context.Context) error) error {
	g.stopping.Store(true)
	within := func(part time.Duration) (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), part)
	}
	wait, cancel := within(grace * 3 / 4)
	defer cancel()
	settle, cancel := within(grace * 7 / 8)
	defer cancel()
	end, cancel := within(grace)
	defer cancel()
	err := answer(wait)
	if g.purchase != nil {
		err = errors.Join(err, g.purchase.Finish(wait, settle), g.meter.close(end))
		if g.paced != nil {
			err = errors.Join(err, session.Failed(g.paced.close(end)))
		}
	}
	g.stopLooking()
	return err
}

// maxTokenRequest is how long the body of a request for a token may be, in bytes.
const maxTokenRequest = 16 << 10

// LegacyPath is where the legacy API is: its own paths are those of the current
// one.
const LegacyPath = "/legacy"

// Handler is all that callers reach: the token endpoint and the three APIs of
// the sandbox, whose paths don't collide.
func (g *Gateway) Handler() http.Handler {
	current := g.guard.Handler(avalara.Sandbox, avalara.Current)
	managed := g.guard.Handler(avalara.Sandbox, avalara.Managed)
	legacy := http.StripPrefix(LegacyPath, g.guard.Handler(avalara.Sandbox, avalara.Legacy))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.ToLower(r.URL.Path); {
		case strings.HasPrefix(path, "/connect/"), strings.HasPrefix(path, "/.well-known/"):
			// Here the body is read before it is known who asks.
			r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
			g.guesses.serve(w, r, g.ring)
		case strings.HasPrefix(r.URL.Path, LegacyPath+"/"):
			legacy.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/api/"):
			managed.ServeHTTP(w, r)
		default:
			current.ServeHTTP(w, r)
		}
	})
}

// Operations is what those who run the gateway look at.
//
//	GET /         the status page
//	GET /healthz  200 as long as the process answers
//	GET /readyz   200 when callers can be served: keys and ledger can be read
//	GET /metrics  for Prometheus
func (g *Gateway) Operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := g.ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", g.metrics)
	mux.HandleFunc("GET /{$}", g.page)
	return mux
}

var errStopping = errors.New("the gateway is stopping")

// ready says why callers can't be served, or nil.
func (g *Gateway) ready(ctx context.Context) error {
	if g.stopping.Load() {
		return errStopping
	}
	if err := g.ring.Check(); err != nil {
		return err
	}
	if g.ledger == nil {
		return nil
	}
	if err := g.meter.trusted(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	return g.ledger.Ready(ctx)
}
