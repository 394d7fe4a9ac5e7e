// Package resolver is the DNS of a sealed run: the few names that are answered there,
// and for every other one that it does not exist, which is kept for the bill.
//
// New takes the names, Serve the sockets, which somebody else has opened, and Asked
// tells what was asked for and is not there. It asks nobody, and touches nothing but
// those sockets.
package resolver

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// What one run may use of its guard's process. Those who wait for an answer have all
// of it soon: nothing here waits for others.
const (
	connections = 32              // over TCP, at the same time; the next one waits
	questions   = 200             // by one connection
	patience    = 5 * time.Second // for a question, and until an answer is taken
)

// Resolver answers for the names it was given. Its methods may be called concurrently.
type Resolver struct {
	hosts   map[string]netip.Addr // by name, in lower case, without the dot at its end
	reverse map[netip.Addr]string
	asked   asked

	slots  chan struct{}
	closed chan struct{}
	ended  sync.WaitGroup

	mu   sync.Mutex
	open map[io.Closer]struct{} // nil once it is closed
}

// New returns a resolver for names and the address of each. Localhost, and what is below
// it, is known: RFC 6761 §6.3. The domains in search are those that programs append to
// a name that is not found as it is.
func New(hosts map[string]netip.Addr, search ...string) *Resolver {
	r := &Resolver{
		hosts:   make(map[string]netip.Addr, len(hosts)),
		reverse: map[netip.Addr]string{netip.AddrFrom4([4]byte{127, 0, 0, 1}): "localhost", netip.IPv6Loopback(): "localhost"},
		slots:   make(chan struct{}, connections),
		closed:  make(chan struct{}),
		open:    make(map[io.Closer]struct{}),
	}
	for name, addr := range hosts {
		name, addr = canonical(name), addr.Unmap()
		r.hosts[name] = addr
		if first, ok := r.reverse[addr]; !ok || name < first && first != "localhost" {
			r.reverse[addr] = name
		}
	}
	for _, domain := range search {
		r.asked.search = append(r.asked.search, canonical(domain))
	}
	return r
}

// Serve answers over UDP at packets and over TCP at conns, and returns at once. Both
// belong to the resolver from now on; either may be nil.
func (r *Resolver) Serve(packets net.PacketConn, conns net.Listener) {
	if packets != nil {
		r.start(packets, func() { r.serveUDP(packets) })
	}
	if conns != nil {
		r.start(conns, func() { r.serveTCP(conns) })
	}
}

// Close closes what Serve was given and each connection, and returns when nothing is
// answered any more. Asked may be called after it.
func (r *Resolver) Close() error {
	r.mu.Lock()
	var errs []error
	if r.open != nil {
		close(r.closed)
		for c := range r.open {
			if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		r.open = nil
	}
	r.mu.Unlock()
	r.ended.Wait()
	return errors.Join(errs...)
}

// start runs serve until c is closed; on a closed resolver it closes c.
func (r *Resolver) start(c io.Closer, serve func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		_ = c.Close()
		return
	}
	r.open[c] = struct{}{}
	r.ended.Add(1)
	go func() {
		defer r.ended.Done()
		serve()
		r.mu.Lock()
		delete(r.open, c)
		r.mu.Unlock()
		_ = c.Close()
	}()
}

// again tells whether to go on after an error of a socket, which may be one caller's:
// Windows reports with the next read that the one before is gone.
func (r *Resolver) again(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	select {
	case <-r.closed:
		return false
	case <-time.After(5 * time.Millisecond):
		return true
	}
}

func (r *Resolver) serveUDP(packets net.PacketConn) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := packets.ReadFrom(buf)
		if err != nil {
			if r.again(err) {
				continue
			}
			return
		}
		if reply := r.Answer(buf[:n]); reply != nil {
			_, _ = packets.WriteTo(reply, from) // who asked is gone
		}
	}
}

func (r *Resolver) serveTCP(conns net.Listener) {
	for {
		select {
		case r.slots <- struct{}{}:
		case <-r.closed:
			return
		}
		conn, err := conns.Accept()
		if err != nil {
			<-r.slots
			if r.again(err) {
				continue
			}
			return
		}
		r.start(conn, func() {
			defer func() { <-r.slots }()
			r.converse(conn)
		})
	}
}

// converse answers the questions of one connection: RFC 7766 §8.
func (r *Resolver) converse(conn net.Conn) {
	for range questions {
		if conn.SetDeadline(time.Now().Add(patience)) != nil {
			return
		}
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		reply := r.Answer(message)
		if reply == nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil { //nolint:gosec // a reply has less than 64 KiB
			return
		}
	}
}
