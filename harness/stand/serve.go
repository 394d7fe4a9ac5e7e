package stand

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
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
}

// Server is a set of [Mocks] that listens on known ports: what `hsharness
// serve` runs.
type Server struct {
	*Mocks
	Endpoints Endpoints

	listeners Listeners
}

// NotLoopbackError says that a service was asked to listen where others can
// reach it.
type NotLoopbackError struct{ Address string }

func (e *NotLoopbackError) Error() string {
	return fmt.Sprintf("%s is not on loopback: the mock services give tokens to anybody who asks; use 127.0.0.1, or --listen-anywhere if you mean it", e.Address)
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
	identity := map[avalara.Environment]net.Listener{}
	apis := map[face]net.Listener{}
	for i, env := range avalara.Environments() {
		l, err := open(at.Identity, i)
		if err != nil {
			return fail(err)
		}
		identity[env] = l
		urls := s.Endpoints.Of(env)
		urls.Identity, urls.Token = at.url(l), at.url(l)+avalara.PathToken
		for j, api := range avalara.APIs() {
			l, err := open(at.API, i*len(avalara.APIs())+j)
			if err != nil {
				return fail(err)
			}
			apis[face{env, api}] = l
			urls.set(api, at.url(l))
		}
	}
	controls, err := open(at.Control, 0)
	if err != nil {
		return fail(err)
	}
	s.Endpoints.ControlURL = at.url(controls)

	if s.Mocks, err = NewMocks(cfg, func(env avalara.Environment) string { return s.Endpoints.Of(env).Identity }); err != nil {
		return fail(err)
	}
	s.Endpoints.ClientID, s.Endpoints.ClientSecret = s.Client()
	for env, l := range identity {
		s.listeners.Serve(l, s.Identity(env))
	}
	for f, l := range apis {
		s.listeners.Serve(l, s.API(f.env).Handler(f.api))
	}
	s.listeners.Serve(controls, s.Control())
	return s, nil
}

// Close stops the services. Requests under way are cut off.
func (s *Server) Close() error { return s.listeners.Close() }

// Shutdown stops the services when the requests under way are answered, or cuts
// them off when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.listeners.Shutdown(ctx) }

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
	if err == nil && at.TLS != nil {
		l = tls.NewListener(l, at.TLS)
	}
	return l, err
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
	ip := net.ParseIP(host)
	if !at.Anywhere && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", &NotLoopbackError{first}
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n+offset > 65535 {
		return "", fmt.Errorf("%q has no port between 0 and 65535", first)
	}
	if n != 0 {
		n += offset
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}
