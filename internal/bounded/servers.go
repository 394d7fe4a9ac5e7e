package bounded

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// Servers are HTTP servers that are closed together. The zero value is ready to
// use. It is safe for concurrent use.
type Servers struct {
	// Gate limits what they take. Nil is one of their own, with the defaults.
	Gate *Gate

	stopping bool // under Gate.mu

	mu      sync.Mutex
	servers []*http.Server
	done    sync.WaitGroup
}

// Serve answers what comes in at l with h until [Servers.Close].
func (s *Servers) Serve(l net.Listener, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Gate == nil {
		s.Gate = NewGate(Limits{})
	}
	g := s.Gate
	srv := &http.Server{
		Handler: g.handler(h), ReadHeaderTimeout: g.limits.HeaderTime, IdleTimeout: g.limits.IdleTime, MaxHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnread, MaxReceiveBufferPerStream: maxUnread},
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, g.add(nc, s))
		},
		ConnState: g.state,
		ErrorLog:  log.New(io.Discard, "", 0), // a connection that fails is its client's to tell
	}
	s.servers = append(s.servers, srv)
	s.done.Go(func() { _ = srv.Serve(&listener{Listener: l, gate: g}) }) // it always ends in http.ErrServerClosed
}

// connKey finds the connection in a request's context.
type connKey struct{}

// Close stops the servers and waits for them. Requests under way are cut off.
func (s *Servers) Close() error { return s.stop((*http.Server).Close) }

// Shutdown stops the servers when the requests under way are answered, or when
// ctx ends: then it cuts them off. No new ones are taken meanwhile.
func (s *Servers) Shutdown(ctx context.Context) error {
	return s.stop(func(srv *http.Server) error {
		if srv.Shutdown(ctx) == nil {
			return nil
		}
		return srv.Close()
	})
}

func (s *Servers) stop(one func(*http.Server) error) error {
	s.mu.Lock()
	servers := s.servers
	s.servers = nil
	if s.Gate != nil {
		s.Gate.stop(s)
	}
	s.mu.Unlock()
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, srv := range servers {
		all.Go(func() { errs[i] = one(srv) })
	}
	all.Wait()
	s.done.Wait()
	return errors.Join(errs...)
}
