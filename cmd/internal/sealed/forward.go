package sealed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// forwards are connections to ports of this machine's loopback.
type forwards struct {
	going context.Context // until close, from the first that accepts
	end   context.CancelFunc

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]struct{}
	ended     sync.WaitGroup
	nobody    map[int]int // connections to a port at which nobody listens
}

// loopbacks are the addresses that a server of this machine may listen at.
var loopbacks = []string{"127.0.0.1", "::1"}

// ports are those that were typed and those of the project.
func (cfg *Config) ports() []int {
	all := slices.Clone(cfg.Forward)
	for _, port := range cfg.Project.Exec.Forward {
		if !slices.Contains(all, port) {
			all = append(all, port)
		}
	}
	return all
}

// checkForwards refuses a port that would lead around the guard: that of a sandbox on
// this machine.
func (cfg *Config) checkForwards(upstream guard.Upstream) error {
	if slices.Contains(cfg.ports(), resolverPort) {
		return fmt.Errorf("forward %d: names are asked for there inside, and answered by the seal", resolverPort)
	}
	for _, base := range append(slices.Collect(maps.Values(upstream.APIs)), upstream.Identity) {
		_, at, err := avalara.ReadURL(base)
		if err == nil && (at.Loopback() || ours(at)) && slices.Contains(cfg.ports(), at.Port) {
			return fmt.Errorf("forward %d: there is the sandbox of this project, and only the guard may reach it", at.Port)
		}
	}
	return nil
}

// ours tells whether an address is this machine's own: a server there may listen on
// loopback as well.
func ours(at avalara.Address) bool {
	if own, err := os.Hostname(); err == nil && strings.EqualFold(own, at.Name) {
		return true
	}
	all, err := net.InterfaceAddrs()
	return at.IP.IsValid() && (err != nil || slices.ContainsFunc(all, func(one net.Addr) bool {
		network, ok := one.(*net.IPNet)
		return ok && network.IP.Equal(at.IP.AsSlice())
	}))
}

// forward lets the command reach a port of this machine's loopback by the same number.
func (p *Place) forward(port int) error {
	opened := 0
	var errs []error
	for _, host := range loopbacks { // some machines have no IPv6
		l, err := p.Listen(net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		opened++
		p.forwards.accept(l, port)
	}
	if opened == 0 {
		return fmt.Errorf("forward %d: %w", port, errors.Join(errs...))
	}
	return nil
}

// later is when to accept again where that failed, as it does for as long as this process
// has too many open files.
const later = 20 * time.Millisecond

func (f *forwards) accept(l net.Listener, port int) {
	if f.going == nil {
		f.going, f.end = context.WithCancel(context.Background())
	}
	f.listeners = append(f.listeners, l)
	f.ended.Go(func() {
		for {
			inside, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				select {
				case <-time.After(later):
					continue
				case <-f.going.Done():
					return
				}
			}
			f.ended.Go(func() { f.join(inside, port) })
		}
	})
}

// join carries one connection until both ends have closed.
func (f *forwards) join(inside net.Conn, port int) {
	if !f.hold(inside) {
		return
	}
	defer f.drop(inside)
	outside, err := dial(f.going, port)
	if err != nil { // the command sees a connection that is closed at once
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.closed { // perhaps somebody would have listened
			return
		}
		if f.nobody == nil {
			f.nobody = map[int]int{}
		}
		f.nobody[port]++
		return
	}
	if !f.hold(outside) {
		return
	}
	defer f.drop(outside)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(outside, inside)
	}()
	pass(inside, outside)
	<-done
}

// dial may wait for as long as a server accepts nothing.
func dial(ctx context.Context, port int) (conn net.Conn, err error) {
	for _, host := range loopbacks {
		if conn, err = new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// pass copies one way, and passes on that it has ended.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the other end may be gone
		return
	}
	_ = to.Close() // neither way works any more
	_ = from.Close()
}

// hold keeps a connection to be closed at the end; false closes it now.
func (f *forwards) hold(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close() // it was never used
		return false
	}
	if f.conns == nil {
		f.conns = map[net.Conn]struct{}{}
	}
	f.conns[c] = struct{}{}
	return true
}

func (f *forwards) drop(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	_ = c.Close() // both ends have what they sent
}

// notes say where nobody listened.
func (f *forwards) notes() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, port := range slices.Sorted(maps.Keys(f.nobody)) {
		all = append(all, fmt.Sprintf("forward %d: nobody listens at this port of the machine's loopback, and %s closed: start the server, or name its port", port, connections(f.nobody[port])))
	}
	return all
}

// connections are how many were, or was.
func connections(n int) string {
	if n == 1 {
		return "1 connection was"
	}
	return fmt.Sprintf("%d connections were", n)
}

// close ends all of it.
func (f *forwards) close() error {
	f.mu.Lock()
	f.closed = true
	if f.end != nil {
		f.end()
	}
	var err error
	for _, l := range f.listeners {
		err = errors.Join(err, l.Close())
	}
	for c := range f.conns {
		_ = c.Close() // the command is gone
	}
	f.mu.Unlock()
	f.ended.Wait()
	return err
}
