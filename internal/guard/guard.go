package guard

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
	"github.com/hsharness/hsharness/internal/pace"
)

// Config makes a [Guard].
type Config struct {
	// Mode is how far the guard may go. Zero means offline.
	Mode Mode
	// Operations are the project's own prices; they come before
	// [BuiltinOperations]. Nil means the built-in ones alone, or with Within those of
	// the guards around it.
	Operations Operations
	// Within is the guard of the caller around this one. What is counted and
	// refused here is counted there too, and a request costs what the dearest of
	// both price lists says, so that nobody inside makes it cheaper. Nil means
	// that there is none.
	Within *Guard
	// Test names the test that requests belong to which don't say so themselves,
	// see [TestHeader]. Empty means none.
	Test string
	// Tenants are the mock identity services whose tokens the guard takes, by
	// their environment. A request to an environment without one is refused.
	Tenants map[avalara.Environment]Tenant
	// Now tells the time that their tokens expire by. Nil means time.Now.
	Now func() time.Time
	// TokenSkew is how long after its expiry, and before its start, a token is
	// still accepted. Zero means 5 minutes, as ASP.NET Core does; negative none.
	TokenSkew time.Duration
	// Mock answers for an API: offline, and what was never bought where the cassette lets
	// it. Each needs it.
	Mock func(avalara.Environment, avalara.API) http.Handler
	// Purchase is how answers are bought. It must be given for modes that buy,
	// and for no other.
	Purchase *Purchase
	// Cassette is where recordings are. Replay and record need it; a live guard
	// without one records nothing.
	Cassette *Cassette
	// Cap limits what requests cost together with those of other guards. Nil is
	// no limit but the run's own.
	Cap *Cap
	// Observe is told what became of each request, after it was answered. It is
	// called by many goroutines. Nil means nobody.
	Observe func(Event)
	// Strangers says that callers are on other machines, as those of a gateway are:
	// what is about this machine and its ledger goes into the log, not to them.
	Strangers bool
	// Advise gives the next command for the error of a refusal, empty for none, which
	// its body names. Nil means none.
	Advise func(error) string
	// Log takes one event a request: what became of it, its units, the key of
	// its recording and the entry that paid for it, and the reason for a refusal
	// that callers are not told. No header, query or body is in it. Nil means no
	// log.
	Log *slog.Logger
}

// Purchase is what a guard needs to buy answers from the sandbox. Guards may
// share one: together they are one run, which any of them may stop.
type Purchase struct {
	buyer  *buyer
	passed *passage
}

// PurchaseConfig makes a [Purchase].
type PurchaseConfig struct {
	// Meter is the admitted run.
	Meter Meter
	// Max is how many units it was admitted with, for [Guard.Left]. It limits
	// nothing: that is the meter's part.
	Max int
	// Upstream says where the sandbox is.
	Upstream Upstream
	// Credential is the account's.
	Credential Credential
	// Exhausted recognizes the answer of an exhausted sandbox. Nil means
	// [DefaultExhausted].
	Exhausted []ExhaustedRule
	// Unbilled lists the statuses that the service is known not to count. Nil
	// means none: what it counts is unknown.
	Unbilled []int
	// NewID makes the id of a spend; no two may ever be equal.
	NewID func() string
	// Pace has every request wait for its turn, and an answer 429 that says when to try
	// again pauses the account in place of stopping the run. Nil is no pace.
	Pace *pace.Pacer
}

// NewPurchase checks the configuration. It opens no connection.
func NewPurchase(cfg PurchaseConfig) (*Purchase, error) {
	if cfg.Meter == nil || cfg.NewID == nil {
		return nil, errors.New("nothing is bought without a ledger")
	}
	if cfg.Credential.ClientID == "" || cfg.Credential.ClientSecret == "" {
		return nil, errors.New("the sandbox needs a credential: set environments.sandbox.client_id and client_secret in hsharness.yaml")
	}
	var err error
	if cfg.Upstream, err = cfg.Upstream.Plain(); err != nil {
		return nil, err
	}
	if cfg.Upstream.Identity == "" {
		return nil, errors.New("the sandbox needs an identity service: set environments.sandbox.identity_url in hsharness.yaml")
	}
	if _, err := cfg.Upstream.Routes(); err != nil {
		return nil, err
	}
	if cfg.Exhausted == nil {
		cfg.Exhausted = DefaultExhausted()
	}
	passed := new(passage)
	transport := newTransport(cfg.Upstream.Proxy, passed)
	b := &buyer{
		upstream:  cfg.Upstream,
		transport: transport,
		tokens: &tokenSource{
			identity: cfg.Upstream.Identity, credential: cfg.Credential, now: time.Now,
			client: &http.Client{
				Transport: transport, Timeout: 30 * time.Second,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
			tokens: map[string]realToken{}, resent: map[string]bool{}, mayAsk: mayAsk(cfg.Meter),
			own: secretFinder(cfg.Credential), given: secretFinder(cfg.Credential),
		},
		meter:     cfg.Meter,
		exhausted: cfg.Exhausted,
		unbilled:  cfg.Unbilled,
		newID:     cfg.NewID,
		pace:      cfg.Pace,
	}
	b.cut, b.cutOff = context.WithCancel(context.Background())
	b.left.Store(int64(cfg.Max))
	return &Purchase{b, passed}, nil
}

// Proxies names the proxies that were asked so far, each as HOST:PORT; empty for
// none.
func (p *Purchase) Proxies() string { return p.passed.String() }

// Tenant is an identity service as a validator of its tokens sees it.
type Tenant struct {
	// Issuers are the accepted iss claims.
	Issuers []string
	// Key finds a signing key, or nil, by its id.
	Key func(kid string) *rsa.PublicKey
	// Client tells whether a client may still call, whose token is good. Nil
	// means that each may, until its token expires.
	Client func(id string) bool
}

// Guard prices, checks and answers requests. It is safe for concurrent use.
type Guard struct {
	cfg     Config
	prices  prices
	counter counter
	limit   atomic.Pointer[Cap]
	tokens  bearer.Memory
}

// New returns a guard, or says what is wrong with its configuration.
func New(cfg Config) (*Guard, error) {
	switch {
	case cfg.Mode == Offline && cfg.Mock == nil:
		return nil, errors.New("an offline guard needs a mock API")
	case cfg.mocksMisses() && cfg.Mock == nil:
		return nil, errors.New("a guard that lets a mock API answer what was never bought needs one")
	case !cfg.Mode.Buys() && cfg.Purchase != nil:
		return nil, fmt.Errorf("a guard in mode %s buys nothing", cfg.Mode)
	case cfg.Mode.Buys() && cfg.Purchase == nil:
		return nil, fmt.Errorf("a guard in mode %s needs a ledger", cfg.Mode)
	case (cfg.Mode == Replay || cfg.Mode == Record) && cfg.Cassette == nil:
		return nil, fmt.Errorf("a guard in mode %s needs a folder of recordings", cfg.Mode)
	}
	// A rule of the project may well cover a built-in one: it prices anew.
	if err := cfg.Operations.Validate(); err != nil {
		return nil, err
	}
	ops := slices.Clone(cfg.Operations)
	if cfg.Within == nil { // else the first of those around it has them, after prices that may be lower
		ops = append(ops, BuiltinOperations()...)
	}
	g := &Guard{cfg: cfg, prices: prices{lists: []Operations{ops}}}
	if cfg.Within != nil {
		g.prices.lists = append(g.prices.lists, cfg.Within.prices.lists...)
		g.counter.within = &cfg.Within.counter
	}
	g.SetCap(cfg.Cap)
	return g, nil
}

// mocksMisses tells whether the mock API answers for recordings.
func (c *Config) mocksMisses() bool { return c.Mode == Replay && c.Cassette != nil && c.Cassette.Mock }

// Verdict is the gravest of the guard's refusals so far that fail a run, and the
// first reason for it; empty without one.
func (g *Guard) Verdict() (v Verdict, reason string) { return g.counter.verdict() }

// Tally says what the guard counted since it was made.
func (g *Guard) Tally() Tally { return g.counter.tally() }

// Left is how many units the run may still spend through this guard, its cap
// looked at, for requests that are under way in all its guards too. It is false for a guard that buys nothing.
func (g *Guard) Left() (int, bool) {
	if g.cfg.Purchase == nil {
		return 0, false
	}
	left := int(g.cfg.Purchase.buyer.left.Load())
	for c := g.limit.Load(); c != nil; c = c.within {
		left = min(left, c.left())
	}
	return left, true
}

// checker judges the dummy tokens that come to one API.
func (g *Guard) checker(env avalara.Environment, api avalara.API) bearer.Checker {
	tenant := g.cfg.Tenants[env]
	if tenant.Key == nil {
		tenant.Key = func(string) *rsa.PublicKey { return nil }
	}
	return bearer.Checker{
		Issuers: tenant.Issuers,
		Key:     tenant.Key,
		Client:  tenant.Client,
		Scopes:  avalara.HostOf(env, api).Scopes,
		Now:     g.cfg.Now,
		Skew:    g.cfg.TokenSkew,
		Memory:  &g.tokens,
	}
}

// Caller is whose token the headers of a request to an API have, and its scopes; both are
// empty where that would be refused.
func (g *Guard) Caller(env avalara.Environment, api avalara.API, header http.Header) (client string, scopes []string) {
	token, _ := g.checker(env, api).Check(bearer.Header(header))
	return token.ClientID, token.Scopes
}

// units is what a request would cost. Only the sandbox has an allowance, so a
// request to production costs none of it. Offline, a request without a known
// price goes to the mock all the same: it refuses what it does not know.
func (g *Guard) units(env avalara.Environment, r *http.Request, body []byte) int {
	if env != avalara.Sandbox {
		return 0
	}
	price, err := g.price(r, body)
	if err != nil {
		return 0
	}
	return price.Units
}

// Dearer finds a rule of the guard, or of those around it, for the very same
// requests as op that costs more.
func (g *Guard) Dearer(op Operation) (Operation, bool) {
	for _, ops := range g.prices.lists {
		for _, known := range ops {
			if known.Match == op.Match && known.Items == op.Items && known.Cost > op.Cost {
				return known, true
			}
		}
	}
	return Operation{}, false
}
