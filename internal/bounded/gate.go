package bounded

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Gate is what servers share that are limited together. It is safe for concurrent
// use.
type Gate struct {
	limits  Limits
	memory  memory // of bodies
	replies memory // apart: who answers has a body, and would wait for itself

	mu      sync.Mutex
	changed *sync.Cond // something of the following
	open    int        // accepted and not closed
	conns   map[net.Conn]*conn
	// waiting are the connections whose caller has to do something: send a request,
	// the rest of its body, or read the answer. Whoever was waited for the longest
	// is the first.
	waiting list.List
}

// NewGate makes one.
func NewGate(limits Limits) *Gate {
	g := &Gate{limits: limits.withDefaults(), conns: map[net.Conn]*conn{}}
	if most := openFiles() / 2; most > 0 {
		g.limits.Connections = max(min(g.limits.Connections, most), 1)
	}
	g.changed = sync.NewCond(&g.mu)
	g.memory.size, g.replies.size = g.limits.Memory, g.limits.Memory
	return g
}

// conn is one connection. Its fields are under Gate.mu.
type conn struct {
	net    net.Conn
	server *Servers
	place  *list.Element // in Gate.waiting; nil while the caller waits for us
	asking bool          // it has a request of which the headers have arrived
	begun  time.Time     // when it was accepted; zero after its first request
	taking time.Time     // since when it takes the answer; zero while it does not
	ended  time.Time     // when its answer was made and only its last bytes were on their way; zero before
	work   int           // requests of which the caller waits for us
	gone   bool
}

// request is one of a connection, of which HTTP/2 has several at a time.
type request struct {
	conn  *conn
	waits bool // for its caller; under Gate.mu
}

// plain is the connection itself, below TLS.
func (c *conn) plain() net.Conn {
	if t, ok := c.net.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c.net
}

// takeLess has the system take less of an answer before it is read, where it can be told.
func (c *conn) takeLess() {
	if tcp, ok := c.plain().(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(inFlight) // what is wrong with the connection then, its caller notices
	}
}

// cut closes a connection without a word: for TLS the farewell could block.
func (c *conn) cut() {
	_ = c.plain().Close() // what is wrong with it then is its caller's to tell
}

// admit counts a new connection in, once there is room for it. It returns false
// when the listener is closed first.
func (g *Gate) admit(l *listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !l.closed && g.open >= g.limits.Connections {
		c, wait := g.oldest()
		if c != nil {
			g.drop(c)
			c.cut()
			continue
		}
		// All of them are being worked on, or one is about to be free: the new one
		// waits its turn.
		again := time.AfterFunc(wait, g.changed.Broadcast)
		g.changed.Wait()
		again.Stop()
	}
	if l.closed {
		return false
	}
	g.open++
	return true
}

// oldest is the connection that makes room, nil for none, with how long to wait before
// it is looked for again: not one whose caller may be reading its answer, and not one that
// has sent what we have not read yet. A fresh one gets a moment for its first request,
// where others can make room, or are about to: between the last byte of an answer, which
// its caller may have read, and the end of its request net/http says nothing. It must be
// called under the lock.
func (g *Gate) oldest() (*conn, time.Duration) {
	var fresh *conn
	wait := look
	for at := g.waiting.Front(); at != nil; at = at.Next() {
		c := at.Value.(*conn)
		switch {
		case !c.taking.IsZero():
			if time.Since(c.taking) > stalled {
				return c, 0
			}
			if !c.ended.IsZero() && time.Since(c.ended) < ending {
				wait = ending
			}
		case !c.begun.IsZero() && time.Since(c.begun) < stalled:
			if fresh == nil && !unread(c.plain()) {
				fresh = c
			}
		case !unread(c.plain()):
			return c, 0
		}
	}
	if wait == ending {
		return nil, wait
	}
	return fresh, wait
}

// add knows a connection that was admitted.
func (g *Gate) add(nc net.Conn, s *Servers) *conn {
	c := &conn{net: nc, server: s, begun: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[nc] = c
	c.place = g.waiting.PushBack(c)
	if s.stopping {
		c.cut()
	}
	return c
}

// begins notes a request, which is worked on from now on.
func (g *Gate) begins(c *conn) *request {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.work++
	g.resume(c)
	return &request{conn: c}
}

// waits notes that the caller has to do something next for a request, from now on.
func (g *Gate) waits(r *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(r)
}

// answers notes that the caller has to read the answer, from now on.
func (g *Gate) answers(r *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.conn.taking = time.Now()
	g.leave(r)
}

// leave lets the connection make room where the caller waits for no other request of it.
// It must be called under the lock.
func (g *Gate) leave(r *request) {
	if !r.waits {
		r.waits = true
		r.conn.work--
	}
	if r.conn.work == 0 {
		g.pause(r.conn)
	}
}

// ends notes that the answer is made: what is left of it is short, and on its way.
func (g *Gate) ends(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.ended = time.Now()
}

// pause must be called under the lock.
func (g *Gate) pause(c *conn) {
	switch {
	case c.gone:
	case c.place == nil:
		c.place = g.waiting.PushBack(c)
	default:
		g.waiting.MoveToBack(c.place)
	}
	g.changed.Broadcast()
}

// works notes that the caller of a request waits for us.
func (g *Gate) works(r *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.waits {
		r.waits = false
		r.conn.work++
	}
	g.resume(r.conn)
}

// resume must be called under the lock.
func (g *Gate) resume(c *conn) {
	if c.place != nil {
		g.waiting.Remove(c.place)
		c.place = nil
	}
}

// drop forgets a connection. It must be called under the lock.
func (g *Gate) drop(c *conn) {
	if c.gone {
		return
	}
	c.gone = true
	g.resume(c)
	delete(g.conns, c.net)
	g.open--
	g.changed.Broadcast()
}

// state follows what net/http says of a connection.
func (g *Gate) state(nc net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.conns[nc]
	if c == nil {
		return
	}
	switch state {
	case http.StateNew: // add was first
	case http.StateActive:
		c.asking, c.taking, c.begun, c.ended = true, time.Time{}, time.Time{}, time.Time{}
		g.resume(c)
	case http.StateIdle:
		c.asking, c.taking, c.ended = false, time.Time{}, time.Time{}
		g.pause(c)
	case http.StateHijacked, http.StateClosed:
		g.drop(c)
	}
}

// stop cuts the connections of a server that have asked nothing yet, and those that
// it is still to get.
func (g *Gate) stop(s *Servers) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.stopping = true
	for _, c := range g.conns {
		if c.server == s && !c.asking {
			c.cut()
		}
	}
}

// listener admits what it accepts.
type listener struct {
	net.Listener
	gate   *Gate
	closed bool // under gate.mu
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.gate.admit(l) {
		_ = nc.Close() // nobody has used it
		return nil, net.ErrClosed
	}
	return nc, nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.gate.mu.Lock()
	l.closed = true
	l.gate.changed.Broadcast()
	l.gate.mu.Unlock()
	return l.Listener.Close()
}
