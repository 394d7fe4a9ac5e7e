package stand

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Stand is what code under test talks to: mock identity services, and a guard
// in front of the classification APIs. It is safe for concurrent use.
type Stand struct {
	*Mocks

	guard     *guard.Guard
	mode      guard.Mode
	limited   bool // by a SandboxAllowance
	calls     atomic.Int64
	listeners Listeners
	identity  map[avalara.Environment]string // base URLs
	tokens    tokens

	mu      sync.Mutex
	api     map[face]string // base URLs of the faces that were asked for
	control string          // base URL of the control endpoint, once asked for
}

// face is one API of one environment.
type face struct {
	env avalara.Environment
	api avalara.API
}

// New starts a stand. The APIs' listeners are opened when their URL is first
// asked for.
func New(cfg Config) (*Stand, error) {
	s := &Stand{identity: map[avalara.Environment]string{}, api: map[face]string{}}
	listeners := map[avalara.Environment]net.Listener{}
	for _, env := range avalara.Environments() {
		l, err := Listen("127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		listeners[env] = l
		s.identity[env] = URL(l)
	}
	mocks, err := newMocks(cfg, s.IdentityURL, &control.Script{}, &control.Script{})
	if err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	s.Mocks = mocks
	gc := guard.Config{
		Mode: cfg.Mode, Operations: cfg.Operations, Tenants: mocks.tenants(), Now: mocks.Clock.Now, TokenSkew: cfg.TokenSkew,
		Tape: cfg.Tape, Purchase: cfg.Purchase, Cap: cfg.Cap, Log: cfg.Log,
	}
	if cfg.Mode == guard.Offline {
		gc.Mock = func(env avalara.Environment, api avalara.API) http.Handler { return mocks.API(env).Handler(api) }
	}
	s.mode, s.limited = cfg.Mode, cfg.SandboxAllowance != nil
	s.guard, err = guard.New(gc)
	if err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	for env, l := range listeners {
		s.listeners.Serve(l, mocks.Identity(env))
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
func (s *Stand) IdentityURL(env avalara.Environment) string { return s.identity[env] }

// TokenURL is its token endpoint.
func (s *Stand) TokenURL(env avalara.Environment) string {
	return s.identity[env] + avalara.PathToken
}

// APIURL is the base URL of the guard's face for one API. The first call opens
// its listener.
func (s *Stand) APIURL(env avalara.Environment, api avalara.API) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := face{env, api}
	if u, ok := s.api[f]; ok {
		return u, nil
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.listeners.Serve(l, s.Handler(env, api))
	s.api[f] = URL(l)
	return s.api[f], nil
}

// ControlURL is the base URL of the control endpoint. The first call opens its
// listener.
func (s *Stand) ControlURL() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control != "" {
		return s.control, nil
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.listeners.Serve(l, s.controlHandler())
	s.control = URL(l)
	return s.control, nil
}

// Handler is the guard's face for one API, behind the stand's faults. A fault
// that strikes before the guard costs nothing; one that strikes after it spoils
// an answer that was paid for.
func (s *Stand) Handler(env avalara.Environment, api avalara.API) http.Handler {
	guarded := s.guard.Handler(env, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		s.Faults.Next(control.Call{Endpoint: "api"}).Serve(w, r, guarded)
	})
}

// Tally is the guard's, with the requests that a fault kept from the guard.
// It never errs.
func (s *Stand) Tally() (guard.Tally, error) {
	t := s.guard.Tally()
	t.Requests = int(s.calls.Load())
	return t, nil
}

// Exit is the exit code that the guard's refusals lead to, 0 without any, and
// the first reason for it.
func (s *Stand) Exit() (code int, reason string) { return s.guard.Exit() }

// Mode is how far the stand's guard may go.
func (s *Stand) Mode() guard.Mode { return s.mode }

// Close stops every listener.
func (s *Stand) Close() error { return s.listeners.Close() }
