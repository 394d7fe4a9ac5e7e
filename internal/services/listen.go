package services

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listeners are HTTP servers on loopback that are closed together. The zero
// value is ready to use. It is safe for concurrent use.
type Listeners struct {
	mu      sync.Mutex
	servers []*http.Server
	done    sync.WaitGroup
}

// Listen opens addr, for example "127.0.0.1:0", and returns the listener for
// [Listeners.Serve]. The base URL is http:// and its address.
func Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// URL is the base URL of a listener.
func URL(l net.Listener) string { return "http://" + l.Addr().String() }

// Serve answers what comes in at l with h until [Listeners.Close].
func (s *Listeners) Serve(l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // a connection that fails is its client's to tell
	}
	s.mu.Lock()
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	s.done.Go(func() { _ = srv.Serve(l) }) // it always ends in http.ErrServerClosed
}

// Close stops the servers and waits for them. Requests under way are cut off.
func (s *Listeners) Close() error { return s.stop((*http.Server).Close) }

// Shutdown stops the servers when the requests under way are answered, or when
// ctx ends: then it cuts them off. No new ones are taken meanwhile.
func (s *Listeners) Shutdown(ctx context.Context) error {
	return s.stop(func(srv *http.Server) error {
		if srv.Shutdown(ctx) == nil {
			return nil
		}
		return srv.Close()
	})
}

func (s *Listeners) stop(one func(*http.Server) error) error {
	s.mu.Lock()
	servers := s.servers
	s.servers = nil
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
