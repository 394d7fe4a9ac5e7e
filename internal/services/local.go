package services

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Local is what code under test talks to: mock identity services, and a guard
// in front of the classification APIs. It is safe for concurrent use.
type Local struct {
	*Mocks

	id      string // of a client, else empty
	guard   *guard.Guard
	mode    guard.Mode
	max     *int
	limited bool // by a SandboxAllowance
	calls   calls
	clients clients
	leave   func()      // tells the parent of a client that it has ended
	left    atomic.Bool // it is told
	listen  func() (net.Listener, string, error)
	public  func(place) string // as that of [Config]

	controlToken string
	listeners    bounded.Servers
	identity     map[avalara.Environment]string // base URLs
	tokens       tokens

	mu      sync.Mutex
	api     map[apiOf]string // base URLs of the APIs that were asked for
	control string           // base URL of the control endpoint, once asked for
	mounts  map[place]http.Handler
}

// apiOf is one API of one environment.
type apiOf struct {
	env avalara.Environment
	api avalara.API
}

// New starts a set of services. The APIs' listeners are opened when their URL is first
// asked for.
func New(cfg Config) (*Local, error) {
	s := &Local{identity: map[avalara.Environment]string{}, api: map[apiOf]string{}, listen: cfg.Listen, controlToken: cfg.controlToken}
	if s.listen == nil {
		s.listen = func() (net.Listener, string, error) {
			l, err := Listen("127.0.0.1:0")
			if err != nil {
				return nil, "", err
			}
			return l, URL(l), nil
		}
	}
	if cfg.gate == nil { // else it is the parent's
		cfg.gate = bounded.NewGate(cfg.Limits)
	}
	s.listeners.Gate = cfg.gate
	if s.public = cfg.public; s.public == nil {
		s.public = func(place) string { return "" }
	}
	listeners := map[avalara.Environment]net.Listener{}
	for _, env := range avalara.Environments() {
		if s.identity[env] = s.public(place{kind: identityPlace, env: env}); s.identity[env] != "" {
			continue
		}
		l, url, err := s.listen()
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		listeners[env], s.identity[env] = l, url
	}
	mocks, err := newMocks(cfg, s.IdentityURL, cfg.faults(), &control.Script{})
	if err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	s.Mocks = mocks
	gc := guard.Config{
		Mode: cfg.Mode, Operations: cfg.Operations, Tenants: mocks.tenants(cfg.Upstream), Now: mocks.Clock.Now, TokenSkew: cfg.TokenSkew,
		Cassette: cfg.Cassette, Purchase: cfg.Purchase, Cap: cfg.Cap, Log: cfg.Log, Test: cfg.Test, Advise: cfg.Advise,
	}
	if cfg.within != nil {
		gc.Within, s.calls.within = cfg.within.guard, cfg.within.calls
	}
	if cfg.Mode == guard.Offline || cfg.Cassette != nil && cfg.Cassette.Mock {
		gc.Mock = func(env avalara.Environment, api avalara.API) http.Handler { return mocks.API(env).Handler(api) }
	}
	s.mode, s.limited, s.max = cfg.Mode, cfg.SandboxAllowance != nil, cfg.Max
	s.guard, err = guard.New(gc)
	if err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	s.clients.parent = parent{cfg: cfg, mocks: mocks, guard: s.guard, calls: &s.calls, max: cfg.Max}
	for _, env := range avalara.Environments() {
		if l := listeners[env]; l != nil {
			s.listeners.Serve(l, s.forgetting(s.preparing(env)))
		} else {
			s.mount(place{kind: identityPlace, env: env}, mocks.Identity(env))
		}
	}
	return s, nil
}

func closeAll(listeners map[avalara.Environment]net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// IdentityURL is the base URL of an environment's identity service.
func (s *Local) IdentityURL(env avalara.Environment) string { return s.identity[env] }

// TokenURL is its token endpoint.
func (s *Local) TokenURL(env avalara.Environment) string {
	return s.identity[env] + avalara.PathToken
}

// APIURL is the base URL of the guard for one API. The first call opens
// its listener.
func (s *Local) APIURL(env avalara.Environment, api avalara.API) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := apiOf{env, api}
	if u, ok := s.api[f]; ok {
		return u, nil
	}
	url, err := s.open(place{env: env, api: api}, s.Handler(env, api))
	if err != nil {
		return "", err
	}
	s.api[f] = url
	return url, nil
}

// open has a service answer: at a listener of its own, or below its parent's. It must
// be called under the lock.
func (s *Local) open(at place, h http.Handler) (string, error) {
	if base := s.public(at); base != "" {
		s.mount(at, h)
		return base, nil
	}
	l, url, err := s.listen()
	if err != nil {
		return "", err
	}
	s.listeners.Serve(l, s.forgetting(h))
	return url, nil
}

// mount has a service answer below its parent's.
func (s *Local) mount(at place, h http.Handler) {
	if s.mounts == nil {
		s.mounts = map[place]http.Handler{}
	}
	s.mounts[at] = s.forgetting(s.clients.serving(at, h))
}

// mounted is a service that answers below its parent's, nil for another.
func (s *Local) mounted(at place) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mounts[at]
}

// ControlURL is the base URL of the control endpoint. The first call opens its
// listener.
func (s *Local) ControlURL() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control != "" {
		return s.control, nil
	}
	url, err := s.open(place{kind: controlPlace}, &endpoint{s.routes(), s.controlToken})
	if err != nil {
		return "", err
	}
	s.control = url
	return url, nil
}

// endpoints opens all listeners and says where they are.
func (s *Local) endpoints() (Endpoints, error) {
	e := Endpoints{ControlToken: s.controlToken}
	e.ClientID, e.ClientSecret = s.Client()
	var errs []error
	for _, env := range avalara.Environments() {
		urls := e.Of(env)
		urls.Identity, urls.Token = s.IdentityURL(env), s.TokenURL(env)
		for _, api := range avalara.APIs() {
			url, err := s.APIURL(env, api)
			urls.set(api, url)
			errs = append(errs, err)
		}
	}
	var err error
	e.ControlURL, err = s.ControlURL()
	return e, errors.Join(append(errs, err)...)
}

// Handler is the guard for one API, behind the services' faults. A fault
// that strikes before the guard costs nothing; one that strikes after it spoils
// an answer that was paid for.
func (s *Local) Handler(env avalara.Environment, api avalara.API) http.Handler {
	guarded := s.guard.Handler(env, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.add()
		call := control.Call{Endpoint: "api"}
		if len(s.Faults.List()) > 0 { // else nobody wants to know
			call.Client, call.Scopes = s.guard.Caller(env, api, r.Header)
		}
		s.Faults.Next(call).Serve(w, r, guarded)
	})
}

// Tally is the guard's, with the requests that a fault kept from the guard, and
// with those of the services' clients. It never errs.
func (s *Local) Tally() (guard.Tally, error) {
	t := s.guard.Tally()
	t.Requests = int(s.calls.n.Load())
	return t, nil
}

// Verdict is the gravest of the guard's refusals that fail a run, empty without
// any, and the first reason for it.
func (s *Local) Verdict() (guard.Verdict, string) { return s.guard.Verdict() }

// Max is the most that this client may use, in units; nil is any
// number.
func (s *Local) Max() *int { return s.max }

// Mode is how far the services' guard may go.
func (s *Local) Mode() guard.Mode { return s.mode }

// NewClient makes a client: services of its own, whose rules only
// tighten this one's and whose counts are in this one's, and which ends with
// this one at the latest. The error is a [*RuleError], [ErrEnded], or that a
// listener could not be opened.
func (s *Local) NewClient(r Rules) (*Local, error) { return s.clients.new(r) }

// Close stops every listener, those of the services' clients too.
func (s *Local) Close() error {
	err := errors.Join(s.listeners.Close(), s.clients.close())
	if s.leave != nil {
		s.leave()
		s.left.Store(true)
		s.forget()
	}
	return err
}

// forget gives back what a client held of the memory that all share.
func (s *Local) forget() {
	s.Faults.Clear()
	s.Journal.Clear()
	for _, api := range s.Mocks.api {
		_ = api.Reset() // without a state file it fails never
	}
}

// forgetting has h answer. A request may outlive the client that it is for, and what it
// left there nobody would ever give back.
func (s *Local) forgetting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if s.left.Load() {
				s.forget()
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// preparing has an environment's identity service answer, and its API get ready
// meanwhile: whoever asks for a token asks for a code with it.
func (s *Local) preparing(env avalara.Environment) http.Handler {
	idp, api := s.Identity(env), s.API(env)
	if s.mode != guard.Offline {
		return idp
	}
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == avalara.PathToken {
			once.Do(func() { go api.Prepare() })
		}
		idp.ServeHTTP(w, r)
	})
}
