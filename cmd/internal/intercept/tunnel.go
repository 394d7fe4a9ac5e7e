package intercept

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// mostTunnels is how many connections may go through a proxy at a time.
const mostTunnels = 512

// taken is a connection that was taken over from the server. It is over when it is
// closed.
type taken struct {
	net.Conn
	reader io.Reader
	once   sync.Once
	over   chan struct{}
}

func newBytes(b []byte) io.Reader { return bytes.NewReader(b) }

// Read implements [net.Conn].
func (t *taken) Read(b []byte) (int, error) { return t.reader.Read(b) }

// SyscallConn implements [syscall.Conn]: a server that is full looks whose caller it waits
// for.
func (t *taken) SyscallConn() (syscall.RawConn, error) {
	if c, ok := t.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Close implements [net.Conn].
func (t *taken) Close() error {
	err := t.Conn.Close()
	t.once.Do(func() { close(t.over) })
	return err
}

// handover is a listener that accepts what it is given. It implements [net.Listener].
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give has a connection accepted, and returns when it is over.
func (h *handover) give(t *taken) {
	select {
	case h.conns <- t:
		<-t.over
	case <-h.closed:
	case <-t.over:
	}
}

// Accept implements [net.Listener].
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements [net.Listener].
func (h *handover) Addr() net.Addr { return h.addr }

// tunnels are the connections that were taken over. It is safe for concurrent use.
type tunnels struct {
	mu    sync.Mutex
	over  bool
	count int
	most  int // 0 is mostTunnels
	conns map[net.Conn]struct{}
}

// room makes room for one, unless there are as many as may be.
func (t *tunnels) room() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.count >= cmp.Or(t.most, mostTunnels) {
		return false
	}
	t.count++
	return true
}

func (t *tunnels) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
}

// hold keeps a connection to be closed at the end; false has closed it now.
func (t *tunnels) hold(conn net.Conn) bool {
	t.mu.Lock()
	over := t.over
	if !over {
		if t.conns == nil {
			t.conns = map[net.Conn]struct{}{}
		}
		t.conns[conn] = struct{}{}
	}
	t.mu.Unlock()
	if over {
		t.drop(conn)
	}
	return !over
}

// drop closes a connection, and makes room for another.
func (t *tunnels) drop(conn net.Conn) {
	_ = conn.Close() // nobody needs it any more
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
	t.count--
}

// close ends all of them.
func (t *tunnels) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for conn := range t.conns {
		_ = conn.Close() // as in drop
	}
}

// lookup asks the system for a name.
func lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// allowedAddress refuses what a name must not lead to: this machine, and what is next to
// it and has no name.
func allowedAddress(ip netip.Addr) error {
	ip = ip.Unmap()
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return fmt.Errorf("it leads to %s, which no name may be let through to", ip)
	}
	return nil
}

// reach connects to an allowed host. What was judged is what is dialled.
func (p *Proxy) reach(at avalara.Address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), slow)
	defer cancel()
	all, err := p.resolve(ctx, at.Name)
	if err != nil {
		return nil, err
	}
	errs := []error{errors.New("it has no address")}
	for _, ip := range all {
		if err := p.leads(ip); err != nil {
			errs = append(errs, err)
			continue
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(ip, uint16(at.Port)).String())
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errs[len(errs)-1]
}

// tunnel connects a client to a host that --allow names.
func (p *Proxy) tunnel(w http.ResponseWriter, at avalara.Address) {
	server, err := p.reach(at)
	if err != nil {
		say(w, http.StatusBadGateway, fmt.Sprintf("%s can't be reached: %s", at, err))
		return
	}
	defer func() { _ = server.Close() }() // both have what they sent
	conn, ok := p.take(w)
	if !ok {
		return
	}
	defer p.tunnels.drop(conn)
	if connected(conn) != nil {
		return
	}
	name, hello, err := greeted(conn)
	if err != nil || name != at.Name {
		// By another name it would be another host's, perhaps one of the service.
		p.asked.note(avalara.Address{Name: name, Port: at.Port})
		return
	}
	if _, err := server.Write(hello); err != nil {
		return
	}
	both(conn, server)
}

var errGreeted = errors.New("the client has said whom it wants")

// greeted reads a client's TLS greeting: the name that it asks for, in lower case, and
// what it sent. An error is a client that speaks something else.
func greeted(conn net.Conn) (name string, hello []byte, err error) {
	_ = conn.SetReadDeadline(time.Now().Add(slow)) // it fails where the read will
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	var sent bytes.Buffer
	err = tls.Server(listening{conn, io.TeeReader(conn, &sent)}, &tls.Config{ //nolint:gosec // nothing is agreed upon
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = strings.ToLower(hello.ServerName)
			return nil, errGreeted
		},
	}).Handshake()
	if errors.Is(err, errGreeted) {
		err = nil
	}
	return name, sent.Bytes(), err
}

// listening is a connection on which nothing is said.
type listening struct {
	net.Conn
	reader io.Reader
}

func (l listening) Read(b []byte) (int, error)  { return l.reader.Read(b) }
func (l listening) Write(b []byte) (int, error) { return len(b), nil }

// both copies both ways until both have ended.
func both(a, b net.Conn) {
	var all sync.WaitGroup
	all.Go(func() { pass(a, b) })
	all.Go(func() { pass(b, a) })
	all.Wait()
}

// pass copies one way, and ends the other when nothing more can come.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if t, ok := to.(*taken); ok {
		to = t.Conn
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the other end may be gone
		return
	}
	_ = to.Close() // neither way works any more
	_ = from.Close()
}
