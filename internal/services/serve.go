package services

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
)

// Addresses are the first addresses of each kind of service, as host:port. The
// services of one kind take consecutive ports; port 0 gives each a free one.
type Addresses struct {
	Identity string
	API      string
	Control  string
	// Anywhere allows addresses that are not on loopback. The URLs of a service
	// that listens on every address name localhost.
	Anywhere bool
	// TLS serves everything by HTTPS. Nil means HTTP.
	TLS *tls.Config
	// Public are the URLs by which a [Server] is reached, where those are others.
	Public Public
}

// Server is a set of [Mocks] that listens on known ports: what `hsharness
// serve` runs.
type Server struct {
	*Mocks
	Endpoints Endpoints

	clients   clients
	calls     calls
	served    int64 // by the sandbox before it started
	listeners bounded.Servers
}

// NotLoopbackError says that a service was asked to listen where others can
// reach it.
type NotLoopbackError struct{ Address string }

func (e *NotLoopbackError) Error() string {
	return fmt.Sprintf("%s is not on loopback: the mock services give tokens to anybody who asks", e.Address)
}

// Serve starts the mocks of both environments and their control endpoint. On an
// error nothing is left open.
func Serve(cfg Config, at Addresses) (*Server, error) {
	var opened []net.Listener
	fail := func(err error) (*Server, error) {
		for _, l := range opened {
			err = errors.Join(err, l.Close())
		}
		return nil, err
	}
	open := func(first string, offset int) (net.Listener, error) {
		l, err := at.open(first, offset)
		if err == nil {
			opened = append(opened, l)
		}
		return l, err
	}

	s := &Server{}
	cfg.gate = bounded.NewGate(cfg.Limits)
	s.listeners.Gate = cfg.gate
	identity := map[avalara.Environment]net.Listener{}
	apis := map[apiOf]net.Listener{}
	for i, env := range avalara.Environments() {
		l, err := open(at.Identity, i)
		if err != nil {
			return fail(err)
		}
		identity[env] = l
		urls := URLs{Identity: at.url(l)}
		for j, api := range avalara.APIs() {
			l, err := open(at.API, i*len(avalara.APIs())+j)
			if err != nil {
				return fail(err)
			}
			apis[apiOf{env, api}] = l
			urls.set(api, at.url(l))
		}
		public := at.Public.Sandbox
		if env == avalara.Production {
			public = at.Public.Production
		}
		*s.Endpoints.Of(env) = public.Over(urls)
	}
	controls, err := open(at.Control, 0)
	if err != nil {
		return fail(err)
	}
	s.Endpoints.ControlURL = cmp.Or(at.Public.Control, at.url(controls))

	if s.Mocks, err = NewMocks(cfg, func(env avalara.Environment) string { return s.Endpoints.Of(env).Identity }); err != nil {
		return fail(err)
	}
	s.Endpoints.ClientID, s.Endpoints.ClientSecret = s.Client()
	if at.Anywhere || beyond(at.Public.Control) {
		s.Endpoints.ControlToken = hex.EncodeToString(randomBytes(16))
	}
	if err := s.takeClients(cfg, at); err != nil {
		return fail(err)
	}
	for env, l := range identity {
		s.listeners.Serve(l, s.clients.serving(place{kind: identityPlace, env: env}, s.Identity(env)))
	}
	for f, l := range apis {
		s.listeners.Serve(l, s.clients.serving(place{env: f.env, api: f.api}, s.api(f)))
	}
	s.listeners.Serve(controls, s.clients.serving(place{kind: controlPlace}, &endpoint{s.routes(), s.Endpoints.ControlToken}))
	return s, nil
}

// takeClients readies the server for clients, which are offline, as it is itself.
// They listen where its control endpoint does, but for the services that have a public
// URL: there they are below it.
func (s *Server) takeClients(cfg Config, at Addresses) error {
	host, _, err := net.SplitHostPort(at.Control)
	if err != nil {
		return err
	}
	theirs := at
	theirs.Control = net.JoinHostPort(host, "0")
	cfg.Mode, cfg.controlToken = guard.Offline, s.Endpoints.ControlToken
	cfg.Listen = func() (net.Listener, string, error) { return theirs.Open(theirs.Control) }
	cfg.public = at.Public.of
	outer, err := guard.New(guard.Config{Mock: func(env avalara.Environment, api avalara.API) http.Handler { return s.API(env).Handler(api) }})
	if err != nil {
		return err
	}
	s.served = s.API(avalara.Sandbox).Usage().Served
	s.clients.parent = parent{cfg: cfg, mocks: s.Mocks, guard: outer, calls: &s.calls}
	return nil
}

// NewClient makes a client of the server, as [Local.NewClient] does.
func (s *Server) NewClient(r Rules) (*Local, error) { return s.clients.new(r) }

// api is one API, whose requests are counted.
func (s *Server) api(f apiOf) http.Handler {
	h := s.API(f.env).Handler(f.api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.add()
		h.ServeHTTP(w, r)
	})
}

// routes are the calls of the server's own: it has no guard, so its units are
// those that its sandbox counted.
func (s *Server) routes() []route {
	return append(append(s.Mocks.routes(), s.clients.routes()...),
		route{"GET", "/tally", "what became of the requests so far, those of all clients too, and their price", func(w http.ResponseWriter, _ *http.Request) {
			n := int(s.calls.n.Load())
			writeJSON(w, guard.Tally{Requests: n, Mocked: n, Price: int(s.API(avalara.Sandbox).Usage().Served - s.served)})
		}},
		route{"GET", "/left", "null: nothing is spent here", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Left{}) }},
		route{"GET", "/verdict", "empty: nothing is refused here", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Outcome{}) }},
	)
}

// Learned says what the shapes of the mock APIs were learned from, with a semicolon; empty
// where they were not.
func (s *Server) Learned() string {
	learned := s.API(avalara.Sandbox).Learned()
	if learned == nil {
		return ""
	}
	return "the mock API's shapes are " + learned.String() + "; "
}

// Close stops the services, and the clients. Requests under way are cut off.
func (s *Server) Close() error { return errors.Join(s.listeners.Close(), s.clients.close()) }

// Shutdown stops the services when the requests under way are answered, or cuts
// them off when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	return errors.Join(s.listeners.Shutdown(ctx), s.clients.close())
}

// Open opens one address by the same rules, whichever of the addresses are set,
// and returns its base URL too: for a server of one's own.
func (at Addresses) Open(addr string) (net.Listener, string, error) {
	l, err := at.open(addr, 0)
	if err != nil {
		return nil, "", err
	}
	return l, at.url(l), nil
}

// open opens the address offset ports after first.
func (at Addresses) open(first string, offset int) (net.Listener, error) {
	addr, err := at.nth(first, offset)
	if err != nil {
		return nil, err
	}
	l, err := Listen(addr)
	if err != nil {
		return nil, err
	}
	// The name of an address says little: what was opened counts.
	if opened, ok := l.Addr().(*net.TCPAddr); !at.Anywhere && (!ok || !opened.IP.IsLoopback()) {
		return nil, errors.Join(&NotLoopbackError{first}, l.Close())
	}
	if at.TLS != nil {
		l = tls.NewListener(l, at.TLS)
	}
	return l, nil
}

// url is the base URL of a listener.
func (at Addresses) url(l net.Listener) string {
	u := URL(l)
	if addr, ok := l.Addr().(*net.TCPAddr); ok && addr.IP.IsUnspecified() {
		u = "http://localhost:" + strconv.Itoa(addr.Port)
	}
	if at.TLS != nil {
		u = "https" + strings.TrimPrefix(u, "http")
	}
	return u
}

// nth is the address offset ports after first, checked to be on loopback.
func (at Addresses) nth(first string, offset int) (string, error) {
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		return "", fmt.Errorf("%q is no address such as 127.0.0.1:8700", first)
	}
	if name, err := avalara.ReadAddress(strings.TrimSuffix(first, ":"+port)); !at.Anywhere && (err != nil || !name.Loopback()) {
		return "", &NotLoopbackError{first}
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n+offset > 65535 || port != strconv.Itoa(n) {
		return "", fmt.Errorf("%q has no port between 0 and 65535", first)
	}
	if n != 0 {
		n += offset
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}
