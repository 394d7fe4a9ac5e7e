package mockapi

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Config says what a [Server] mirrors. The zero Config is a sandbox with no
// end to its allowance and no key: it refuses every token.
type Config struct {
	// Environment is which one is mirrored. Empty means the sandbox.
	Environment avalara.Environment
	// Issuers are the accepted iss values. None means the environment's
	// identity URL alone.
	Issuers []string
	// Key returns the public key of a key id, or nil when there is none. It
	// must be safe for concurrent use. Nil knows no key.
	Key func(kid string) *rsa.PublicKey
	// TokenSkew is how long after its expiry, and before its start, a token is
	// still accepted. Zero means 5 minutes, as ASP.NET Core does; negative none.
	TokenSkew time.Duration

	// Basic says whether the managed host accepts an id with a secret by Basic
	// authentication, as that host's clients of 2022 send it; the id is then the
	// account. It must be safe for concurrent use. Nil means that it accepts
	// none.
	Basic func(id, secret string) bool

	// RateLimit is how many requests each account may make in a RateWindow,
	// units or not. Beyond it the answer is 429 with Retry-After, and nothing is
	// counted. Zero means any number: the service's own limit is not public.
	RateLimit int
	// RateWindow is how long, by Clock, the RateLimit is for. Zero means a
	// second.
	RateWindow time.Duration

	// Allowance is how many units each account may ever use. Nil means that
	// there is no end, zero that it is used up from the start.
	Allowance *int64
	// Counts is a server whose counts this one shares: every unit used here is
	// one of CountsAs there, against that server's allowance. Allowance and
	// StateFile must then be unset. Nil means counts of its own.
	Counts *Server
	// CountsAs names an account as Counts knows it. One that is not in it has the
	// same name there.
	CountsAs map[string]string
	// Exhausted is the answer when the allowance is used up. Empty means
	// RequestLimit.
	Exhausted Profile
	// StateFile keeps the counts and the managed classifications over restarts,
	// a kill among them, for one Server at a time: what a request changes is on
	// disk before it is answered. Empty keeps them in memory.
	StateFile string

	// BareErrors leaves the outer "error" of an error body out, as the schema of
	// the vendor's 2019 swagger has it; its examples have it.
	BareErrors bool

	// Catalogue is where the codes come from. Nil means catalogue.Default.
	Catalogue *catalogue.Catalogue
	// Schedules are what codes can be declared where. Nil means those of the United
	// States and of the European Union that come with the program; in other countries
	// a code is six digits and zeros.
	Schedules *nomenclature.Schedules

	// Templates replaces the shapes of the /hscode operations, which are assumed:
	// files named like those of this package's folder templates, any of them.
	// request.json names the members of a request; the others are text/template
	// and make the answers. Nil replaces none.
	Templates fs.FS

	// Learned are the shapes of operations as recordings show them. Nil are none, and where
	// there are Templates it counts for nothing.
	Learned *shape.Set

	// ManagedReads is how many GETs of a managed classification say PENDING
	// before one says the result. Zero means one, or none when ManagedDelay is
	// given. Negative means none: without a delay the POST itself then says the
	// result, as for the vendor's "Auto HS" customers.
	ManagedReads int
	// ManagedDelay is how long, by Clock, a managed classification stays
	// PENDING. Where both are given both must be over.
	ManagedDelay time.Duration

	// Clock tells the time of tokens and answers. Nil means the real time.
	Clock *control.Clock
	// Faults strike calls of the endpoint "api". Nil means a new, empty script.
	Faults *control.Script
	// Journal keeps what was asked. Nil means a new one.
	Journal *control.Journal
}

// Usage is what was counted, over all accounts. It is the wire form of
// GET /usage.
type Usage struct {
	// Granted is each account's allowance, nil when it has no end.
	Granted *int64 `json:"granted"`
	// Served is how many units were used, over all restarts where there is a
	// state file.
	Served int64 `json:"served"`
	// Refused is how many requests got the exhausted answer since the start.
	Refused int64 `json:"refused"`
}

// Server is the classification API of one environment. It is safe for
// concurrent use.
type Server struct {
	env     avalara.Environment
	issuers []string
	key     func(kid string) *rsa.PublicKey
	skew    time.Duration
	basic   func(id, secret string) bool

	rate      *rateLimit
	bare      bool
	templates *templates
	learned   *shape.Set
	serial    atomic.Uint64 // of the answers of learned shapes
	long      sync.Mutex    // held for the answer to a long body by a learned shape
	state     *state
	exhausted reply
	goods     goods

	clock   *control.Clock
	faults  *control.Script
	journal *control.Journal
}

// New makes a Server. It fails when a setting makes no sense, or when the state
// file can't be read or written.
func New(cfg Config) (*Server, error) {
	env := cmp.Or(cfg.Environment, avalara.Sandbox)
	if env != avalara.Sandbox && env != avalara.Production {
		return nil, errors.New("environment " + string(env) + " is neither sandbox nor production")
	}
	if cfg.Allowance != nil && *cfg.Allowance < 0 {
		return nil, errors.New("the allowance must not be negative")
	}
	if cfg.RateLimit < 0 || cfg.RateWindow < 0 {
		return nil, errors.New("the rate limit and its window must not be negative")
	}
	exhausted, err := cfg.Exhausted.reply()
	if err != nil {
		return nil, err
	}
	shapes, err := loadTemplates(cfg.Templates)
	if err != nil {
		return nil, err
	}
	if cfg.Counts != nil && (cfg.Allowance != nil || cfg.StateFile != "") {
		return nil, errors.New("a server that shares the counts of another has no allowance and no state file of its own")
	}
	st := newState(cfg.Allowance, cfg.ManagedReads, cfg.ManagedDelay)
	if cfg.Counts != nil {
		st.counts, st.countsAs = cfg.Counts.state, cfg.CountsAs
	}
	if cfg.StateFile != "" {
		if err := st.open(cfg.StateFile, env); err != nil {
			return nil, err
		}
	}
	s := &Server{
		env: env, issuers: cfg.Issuers, key: cfg.Key, skew: cfg.TokenSkew, basic: cfg.Basic,
		rate: newRateLimit(cfg.RateLimit, cfg.RateWindow), bare: cfg.BareErrors,
		templates: shapes, learned: cfg.Learned, state: st, exhausted: exhausted,
		goods: goods{catalogue.Default, cfg.Schedules},
		clock: cfg.Clock, faults: cfg.Faults, journal: cfg.Journal,
	}
	if cfg.Catalogue != nil {
		s.goods.catalogue = func() *catalogue.Catalogue { return cfg.Catalogue }
	}
	if len(s.issuers) == 0 {
		s.issuers = []string{avalara.IdentityURL(env)}
	}
	if cfg.Templates != nil {
		s.learned = nil
	}
	if s.clock == nil {
		s.clock = control.NewClock(nil)
	}
	if s.faults == nil {
		s.faults = new(control.Script)
	}
	if s.journal == nil {
		s.journal = new(control.Journal)
	}
	return s, nil
}

// Handler returns one host of the API, with all its paths at the root. The
// handler of a name that is none of the three answers 404 to everything.
func (s *Server) Handler(api avalara.API) http.Handler {
	return &host{
		Server: s,
		api:    api,
		name:   string(s.env) + " api " + string(api),
		checker: bearer.Checker{
			Issuers: s.issuers, Key: s.key, Now: s.clock.Now, Skew: s.skew,
			Scopes: avalara.HostOf(s.env, api).Scopes,
		},
	}
}

// Usage returns the counts so far.
func (s *Server) Usage() Usage { return s.state.usage() }

// Learned are the shapes that were learned, nil for none.
func (s *Server) Learned() *shape.Set { return s.learned }

// Reset forgets the managed classifications. The counts stay as they are. So do
// the clock, the faults and the journal, which other mocks may share: each has
// its own way to be cleared. It fails when the state file can't be written.
func (s *Server) Reset() error { return s.state.reset() }

// Clock returns the clock that the Server goes by.
func (s *Server) Clock() *control.Clock { return s.clock }

// Faults returns the script that the Server asks.
func (s *Server) Faults() *control.Script { return s.faults }

// Journal returns the journal that the Server writes.
func (s *Server) Journal() *control.Journal { return s.journal }
