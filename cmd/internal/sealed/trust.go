package sealed

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// trust counts connections to real hosts that clients broke off, because they don't trust
// the certificates of the run.
type trust struct {
	mu       sync.Mutex
	refused  map[string]int // by the name that was asked for, mostNames of them
	others   int            // by other names
	told     bool
	watching sync.WaitGroup
}

// mostNames is how many names are told: a program may ask for any number of them.
const mostNames = 20

// count counts a connection that was broken off, by the name that it asked for.
func (t *trust) count(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		t.refused = map[string]int{}
	}
	if _, known := t.refused[name]; !known && len(t.refused) >= mostNames {
		t.others++
		return
	}
	t.refused[name]++
}

// ended looks at how the handshake of a connection that is closed has ended.
func (t *trust) ended(c *tls.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told {
		return
	}
	// Whoever closes it may be in the middle of that handshake.
	t.watching.Go(func() {
		if err := c.Handshake(); err == nil || !distrusts(err) { // nothing is sent or read any more: it says what became of it
			return
		}
		t.count(cmp.Or(c.ConnectionState().ServerName, "a real host"))
	})
}

// distrusts tells whether a handshake failed because the client refused the certificate:
// by an alert that says so, or by one of OpenSSL's, which it sends without the keys that
// TLS 1.3 has by then.
func distrusts(err error) bool {
	text := err.Error()
	return strings.Contains(text, "remote error") && strings.Contains(text, "certificate") || strings.Contains(text, "bad record MAC")
}

// notes say to which names there were such connections.
func (t *trust) notes() (all []string) {
	t.mu.Lock()
	t.told = true
	t.mu.Unlock()
	t.watching.Wait()
	for _, name := range slices.Sorted(maps.Keys(t.refused)) {
		all = append(all, fmt.Sprintf("%s: %s broken off by a client that does not trust the certificates of this run: have it use the system's authorities, or those in the file that $SSL_CERT_FILE names inside", name, connections(t.refused[name])))
	}
	if t.others > 0 {
		all = append(all, "other names: "+connections(t.others)+" broken off in the same way")
	}
	return all
}

// listener speaks TLS, and sees how the handshakes end.
type listener struct {
	net.Listener
	config *tls.Config
	trust  *trust
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw := &conn{Conn: c, trust: l.trust}
	raw.tls = tls.Server(raw, l.config)
	return raw.tls, nil
}

// conn is what is below a connection of TLS.
type conn struct {
	net.Conn
	tls   *tls.Conn
	trust *trust
	once  sync.Once
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.trust.ended(c.tls) })
	return err
}

// SyscallConn implements [syscall.Conn]: a server that is full looks whose caller it
// waits for.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if below, ok := c.Conn.(syscall.Conn); ok {
		return below.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
