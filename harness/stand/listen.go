package stand

import (
	"errors"
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
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	s.mu.Lock()
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	s.done.Go(func() { _ = srv.Serve(l) }) // it always ends in http.ErrServerClosed
}

// Close stops the servers and waits for them. Requests under way are cut off.
func (s *Listeners) Close() error {
	s.mu.Lock()
	servers := s.servers
	s.servers = nil
	s.mu.Unlock()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Close())
	}
	s.done.Wait()
	return errors.Join(errs...)
}
