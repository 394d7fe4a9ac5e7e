package services

import (
	"crypto"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Config makes [Mocks] or a [Local]. The zero Config works.
type Config struct {
	// Clients of both identity services. Nil means the default client of
	// package mockidp.
	Clients []mockidp.Client
	// Resources are the APIs that tokens are for. Nil means those of package
	// mockidp.
	Resources []mockidp.Resource
	// AnyClient accepts any client id with any secret.
	AnyClient bool
	// Keys sign the tokens of an environment; sharing them between sets of services saves
	// making new ones, see [NewKeys]. A missing entry means new keys.
	Keys map[avalara.Environment]*mockidp.Keys
	// Clock is the one clock of all services. Nil means a new one.
	Clock *control.Clock
	// TokenSkew is how long after its expiry, and before its start, a token is
	// still accepted. Zero means 5 minutes, as ASP.NET Core does; negative none.
	TokenSkew time.Duration
	// SandboxAllowance is how many units the mock sandbox answers in its life.
	// Nil means any number.
	SandboxAllowance *int64
	// StateFile keeps the mock sandbox's count and its managed classifications
	// between processes. Empty keeps them in memory.
	StateFile string
	// BasicAuth lets the managed APIs of the mocks accept the clients by Basic
	// authentication too. A [Local]'s guard stands before them and does not.
	BasicAuth bool
	// API is how the mock APIs answer. What the fields here and the mocks
	// themselves say wins over its own: environment, issuers, keys, skew,
	// allowance, state file, catalogue, Basic, clock, faults and journal.
	API mockapi.Config
	// Catalogue answers the classifications. Nil means the built-in one.
	Catalogue *catalogue.Catalogue

	// The others are for a [Local] alone: its guard's mode, a project's own
	// prices, where recordings are, how answers are bought, the most that requests
	// may cost, and the log. See [guard.Config].
	Mode       guard.Mode
	Operations guard.Operations
	Cassette   *guard.Cassette
	Purchase   *guard.Purchase
	Cap        *guard.Cap
	Log        *slog.Logger
	// Advise gives the next command for the error of a refusal; nil is none.
	Advise func(error) string
	// Limits bound what callers can take, of all listeners together and of those of
	// the clients too.
	Limits bounded.Limits
	// Test names the test that requests belong to which don't say so themselves.
	Test string
	// Sealed says that whatever asks this guard is in a seal; see [Rules].
	Sealed bool
	// Upstream is the project's sandbox, whose hosts [Local.RealHosts] answers for. The
	// zero Upstream has none but the service's own.
	Upstream guard.Upstream
	// Listen opens a listener and gives its base URL. Nil is on loopback.
	Listen func() (net.Listener, string, error)
	// Max is the most that a client of the services may ask for, in units. Nil is
	// any number. It limits nothing else: that is the part of Cap, and of the
	// ledger.
	Max *int

	// within is what these services are a client of, nil for none; countsAs names its
	// accounts as the mock API of that knows them.
	within   *parent
	countsAs map[string]string
	// gate is the parent's, nil without one.
	gate *bounded.Gate
	// public is the base URL of a service that has no listener of its own, and is
	// reached below its parent's; empty for one that has. Nil is empty for all.
	public func(place) string
	// controlToken is what callers of the control endpoint must show. Empty where
	// others can't reach it.
	controlToken string
}

// Mocks are the identity service and the classification API of both
// environments. They share a clock, a fault script and a journal.
type Mocks struct {
	Clock   *control.Clock
	Faults  *control.Script
	Journal *control.Journal

	clients  []mockidp.Client
	identity map[avalara.Environment]*mockidp.Server
	api      map[avalara.Environment]*mockapi.Server
}

// SigningKey makes the keys of those who guard what costs; nil means RSA keys of 2048
// bits, which take some 150 ms each. Tests of whole programs, which start hundreds,
// set it before anything else.
var SigningKey func() (crypto.Signer, error)

// NewKeys are one set of signing keys for each environment, of the kind that a
// guard of this mode may trust: the cheap ones of package mockidp where nothing
// can be spent, and only there.
func NewKeys(mode guard.Mode) map[avalara.Environment]*mockidp.Keys {
	keys := map[avalara.Environment]*mockidp.Keys{}
	for _, env := range avalara.Environments() {
		keys[env] = mockidp.NewMockKeys()
		if mode.Buys() {
			keys[env] = mockidp.NewKeys(SigningKey)
		}
	}
	return keys
}

// NewMocks assembles the mocks. issuer gives the URL at which an environment's
// identity service will be reached.
func NewMocks(cfg Config, issuer func(avalara.Environment) string) (*Mocks, error) {
	return newMocks(cfg, issuer, &control.Script{}, nil)
}

// faults and journal are those of the mocks. Clients share the memory of what they are
// clients of.
func (cfg Config) faults() *control.Script {
	if cfg.within == nil {
		return &control.Script{}
	}
	return &control.Script{Within: cfg.within.mocks.Faults}
}

func (cfg Config) journal() *control.Journal {
	if cfg.within == nil {
		return &control.Journal{}
	}
	return &control.Journal{Within: cfg.within.mocks.Journal}
}

// newMocks takes the script of the APIs apart, because in a [Local] the APIs'
// faults strike in front of the guard.
func newMocks(cfg Config, issuer func(avalara.Environment) string, faults, apiFaults *control.Script) (*Mocks, error) {
	m := &Mocks{
		Clock:    cfg.Clock,
		Faults:   faults,
		Journal:  cfg.journal(),
		clients:  cfg.Clients,
		identity: map[avalara.Environment]*mockidp.Server{},
		api:      map[avalara.Environment]*mockapi.Server{},
	}
	if m.Clock == nil {
		m.Clock = control.NewClock(nil)
	}
	if apiFaults == nil {
		apiFaults = faults
	}
	fresh := NewKeys(cfg.Mode)
	for _, env := range avalara.Environments() {
		keys := cfg.Keys[env]
		if keys == nil {
			keys = fresh[env]
		}
		if cfg.Mode.Buys() && keys.MockOnly() {
			return nil, fmt.Errorf("a guard in mode %s must not trust tokens that are signed with a mock's key", cfg.Mode)
		}
		idp, err := mockidp.New(mockidp.Config{
			Name:      string(env),
			Issuer:    issuer(env),
			Clients:   cfg.Clients,
			Resources: cfg.Resources,
			AnyClient: cfg.AnyClient,
			Clock:     m.Clock,
			Keys:      keys,
			Faults:    faults,
			Journal:   m.Journal,
		})
		if err != nil {
			return nil, err
		}
		m.identity[env] = idp

		tenant := m.tenants(cfg.Upstream)[env]
		api := cfg.API
		api.Environment = env
		api.Issuers, api.Key, api.TokenSkew = tenant.Issuers, tenant.Key, cfg.TokenSkew
		api.Catalogue = cfg.Catalogue
		api.Clock, api.Faults, api.Journal = m.Clock, apiFaults, m.Journal
		api.Allowance, api.StateFile, api.Basic = nil, "", nil
		if cfg.BasicAuth {
			api.Basic = m.accepts(cfg.AnyClient)
		}
		if env == avalara.Sandbox {
			api.Allowance, api.StateFile = cfg.SandboxAllowance, cfg.StateFile
		}
		if cfg.within != nil {
			api.Counts, api.CountsAs = cfg.within.mocks.api[env], cfg.countsAs
		}
		if m.api[env], err = mockapi.New(api); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Identity is an environment's identity service.
func (m *Mocks) Identity(env avalara.Environment) *mockidp.Server { return m.identity[env] }

// API is an environment's classification API.
func (m *Mocks) API(env avalara.Environment) *mockapi.Server { return m.api[env] }

// tenants tell a validator which tokens to take: those of the service as it is
// reached here, and those it issued under its real name or that of a project's own.
func (m *Mocks) tenants(own guard.Upstream) map[avalara.Environment]guard.Tenant {
	all := map[avalara.Environment]guard.Tenant{}
	for env, idp := range m.identity {
		issuers := []string{idp.Issuer(), avalara.IdentityURL(env)}
		for name, host := range ownHosts(own) {
			if host.identity && env == avalara.Sandbox {
				issuers = append(issuers, "https://"+name)
			}
		}
		all[env] = guard.Tenant{Issuers: issuers, Key: idp.Keys().PublicKey}
	}
	return all
}

// accepts tells a managed API who may ask by Basic authentication: a client that
// is not disabled, with a secret that has not expired.
func (m *Mocks) accepts(anyClient bool) func(id, secret string) bool {
	return func(id, secret string) bool {
		if len(m.clients) == 0 && id == mockidp.DefaultClientID {
			return secret == mockidp.DefaultClientSecret
		}
		for _, c := range m.clients {
			if c.ID == id {
				return c.Accepts(secret, m.Clock.Now())
			}
		}
		return anyClient
	}
}

// Client is the id and secret that clients should use: the first client's that
// can get a token, with its first secret that has not expired.
func (m *Mocks) Client() (id, secret string) {
	if len(m.clients) == 0 {
		return mockidp.DefaultClientID, mockidp.DefaultClientSecret
	}
	for _, c := range m.clients {
		for _, s := range c.Secrets {
			if !c.Disabled && (s.Expires.IsZero() || s.Expires.After(m.Clock.Now())) {
				return c.ID, s.Value
			}
		}
	}
	return m.clients[0].ID, ""
}
