package resolver_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/hsharness/hsharness/cmd/internal/seal/resolver"
)

var hosts = map[string]netip.Addr{
	"Identity.Avalara.com.":  netip.MustParseAddr("127.0.77.1"),
	"ai-sbx.avlr.sh":         netip.MustParseAddr("127.0.77.2"),
	"six.avlr.sh":            netip.MustParseAddr("fd00::77"),
	"hscode.api.avalara.com": netip.MustParseAddr("::ffff:127.0.77.3"),
}

// sealed is a resolver that answers on loopback.
type sealed struct {
	*resolver.Resolver
	udp, tcp string
}

func serve(t *testing.T, search ...string) sealed {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	conns, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := resolver.New(hosts, search...)
	r.Serve(packets, conns)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return sealed{r, packets.LocalAddr().String(), conns.Addr().String()}
}

// client is Go's resolver, which asks over network.
func (s sealed) client(network string) *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		addr := s.udp
		if network == "tcp" {
			addr = s.tcp
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
}

// ask sends one message by UDP, and returns the reply.
func (s sealed) ask(t *testing.T, message []byte) []byte {
	t.Helper()
	conn, err := net.Dial("udp", s.udp)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = conn.Write(message)
	require.NoError(t, err)
	reply := make([]byte, 64<<10)
	n, err := conn.Read(reply)
	require.NoError(t, err)
	return reply[:n]
}

// question is a message as a client sends it.
func question(t testing.TB, name string, kind dnsmessage.Type, change func(m *dnsmessage.Message)) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	if change != nil {
		change(&m)
	}
	packed, err := m.Pack()
	require.NoError(t, err)
	return packed
}

func TestKnownNames(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		s := serve(t)
		c := s.client(network)
		for name, want := range map[string][]string{
			"identity.avalara.com.":   {"127.0.77.1"},
			"IDENTITY.avalara.COM.":   {"127.0.77.1"},
			"hscode.api.avalara.com.": {"127.0.77.3"},
			"six.avlr.sh.":            {"fd00::77"},
			"x.localhost.":            {"127.0.0.1", "::1"},
		} {
			got, err := c.LookupHost(t.Context(), name)
			require.NoError(t, err, name)
			assert.ElementsMatch(t, want, got, name)
		}
		_, err := c.LookupIP(t.Context(), "ip6", "identity.avalara.com.")
		var dns *net.DNSError
		require.ErrorAs(t, err, &dns)
		assert.True(t, dns.IsNotFound)
		_, err = c.LookupMX(t.Context(), "identity.avalara.com.")
		require.ErrorAs(t, err, &dns, "it has no mail")
		names, err := c.LookupAddr(t.Context(), "127.0.77.2")
		require.NoError(t, err)
		assert.Equal(t, []string{"ai-sbx.avlr.sh."}, names)
		names, err = c.LookupAddr(t.Context(), "fd00::77")
		require.NoError(t, err)
		assert.Equal(t, []string{"six.avlr.sh."}, names)
		_, err = c.LookupAddr(t.Context(), "192.0.2.1")
		require.ErrorAs(t, err, &dns)
		assert.True(t, dns.IsNotFound)

		asked, more := s.Asked()
		assert.Empty(t, asked, "all of them are known, or no hosts: %s", network)
		assert.Zero(t, more)
	}
}

// TestCodes looks at the replies themselves: a name that exists without an address of
// a family is not one that does not exist, or programs give up on the other family.
func TestCodes(t *testing.T) {
	t.Parallel()
	s := serve(t)
	edns := func(version uint32) func(m *dnsmessage.Message) {
		return func(m *dnsmessage.Message) {
			var h dnsmessage.ResourceHeader
			require.NoError(t, h.SetEDNS0(4096, 0, true))
			h.TTL |= version << 16
			m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{Options: []dnsmessage.Option{{Code: 10, Data: []byte("cookie..")}}}})
		}
	}
	ok, none := dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError
	for _, c := range []struct {
		name    string
		kind    dnsmessage.Type
		change  func(m *dnsmessage.Message)
		code    dnsmessage.RCode
		answers int
	}{
		{"ai-sbx.avlr.sh.", dnsmessage.TypeA, nil, ok, 1},
		{"ai-sbx.avlr.sh.", dnsmessage.TypeALL, nil, ok, 1},
		{"ai-sbx.avlr.sh.", dnsmessage.TypeAAAA, nil, ok, 0},
		{"ai-sbx.avlr.sh.", 65, nil, ok, 0},
		{"ai-sbx.avlr.sh.", dnsmessage.TypeA, edns(0), ok, 1},
		{"ai-sbx.avlr.sh.", dnsmessage.TypeA, edns(1), 16, 0},
		{"x.ai-sbx.avlr.sh.", dnsmessage.TypeA, nil, none, 0},
		{"pypi.org.", dnsmessage.TypeAAAA, edns(0), none, 0},
		{"localhost.", dnsmessage.TypeA, nil, ok, 1},
		{"localhost.", dnsmessage.TypeAAAA, nil, ok, 1},
		{"localhost.", dnsmessage.TypeMX, nil, ok, 0},
		{"1.0.0.127.in-addr.arpa.", dnsmessage.TypePTR, nil, ok, 1},
		{"1.0.0.127.in-addr.arpa.", dnsmessage.TypeA, nil, ok, 0},
		{"999.0.0.127.in-addr.arpa.", dnsmessage.TypePTR, nil, none, 0},
		{".", dnsmessage.TypeNS, nil, ok, 0},
		{"version.bind.", dnsmessage.TypeTXT, func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }, dnsmessage.RCodeRefused, 0},
		{"pypi.org.", dnsmessage.TypeA, func(m *dnsmessage.Message) { m.OpCode = 4 }, dnsmessage.RCodeNotImplemented, 0},
		{"pypi.org.", dnsmessage.TypeA, func(m *dnsmessage.Message) { m.Questions = nil }, dnsmessage.RCodeFormatError, 0},
		{"pypi.org.", dnsmessage.TypeA, func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }, dnsmessage.RCodeFormatError, 0},
		{"pypi.org.", dnsmessage.TypeA, func(m *dnsmessage.Message) { edns(0)(m); edns(0)(m) }, dnsmessage.RCodeFormatError, 0},
	} {
		message := question(t, c.name, c.kind, c.change)
		var got dnsmessage.Message
		require.NoError(t, got.Unpack(s.ask(t, message)))
		code := got.RCode
		for _, extra := range got.Additionals {
			code = extra.Header.ExtendedRCode(code)
		}
		assert.Equal(t, c.code, code, "%s %s", c.name, c.kind)
		assert.Len(t, got.Answers, c.answers, "%s %s", c.name, c.kind)
		assert.True(t, got.Response)
		assert.Equal(t, uint16(77), got.ID)
	}
	broken := question(t, "pypi.org.", dnsmessage.TypeA, nil)
	var got dnsmessage.Message
	require.NoError(t, got.Unpack(s.ask(t, broken[:len(broken)-3])))
	assert.Equal(t, dnsmessage.RCodeFormatError, got.RCode)
}

func TestAsked(t *testing.T) {
	t.Parallel()
	s := serve(t, "told.example")
	for _, network := range []string{"udp", "tcp"} {
		c := s.client(network)
		for _, name := range []string{"PyPI.org.", "pypi.org.", "example.com.", "db.", "x.identity.avalara.com."} {
			_, err := c.LookupHost(t.Context(), name)
			var dns *net.DNSError
			require.ErrorAs(t, err, &dns)
			assert.True(t, dns.IsNotFound, name)
		}
	}
	// What resolvers make of these and of known names.
	for _, noise := range []string{"pypi.org.corp.example.", "ai-sbx.avlr.sh.corp.example.", "db.corp.example.", "db.told.example.", "ai-sbx.avlr.sh.lan."} {
		s.ask(t, question(t, noise, dnsmessage.TypeA, nil))
	}
	// Names that are longer than others, and mean something else.
	for _, name := range []string{"example.co.", "example.co.uk.", "db.other.example."} {
		s.ask(t, question(t, name, dnsmessage.TypeA, nil))
	}
	// Text that would command a terminal, a CI system, or the list it stands in.
	for _, name := range []string{"a, b.", "\x1b[2J.", "::error.", "ü\xff.x."} {
		s.ask(t, question(t, name, dnsmessage.TypeA, nil))
	}
	got, more := s.Asked()
	assert.Equal(t, []string{
		`\x1b\x5b2j`, `\x3a\x3aerror`, `\xc3\xbc\xff.x`, `a\x2c\x20b`,
		"db", "db.other.example", "example.co", "example.co.uk", "example.com", "pypi.org", "x.identity.avalara.com",
	}, got)
	assert.Zero(t, more)
}

func TestAskedIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t)
	conn, err := net.Dial("tcp", s.tcp)
	require.NoError(t, err)
	defer func() { conn.Close() }()
	for i := range 600 {
		if i%200 == 0 { // as many as one connection may ask
			conn.Close()
			conn, err = net.Dial("tcp", s.tcp)
			require.NoError(t, err)
		}
		exchange(t, conn, question(t, fmt.Sprintf("h%03d.example.", i%550), dnsmessage.TypeA, nil))
	}
	names, more := s.Asked()
	assert.Len(t, names, 100)
	assert.True(t, slices.IsSorted(names))
	assert.Equal(t, "h000.example", names[0])
	assert.Equal(t, 450, more, "each is counted once")
}

// exchange asks over a connection.
func exchange(t *testing.T, conn net.Conn, message []byte) []byte {
	t.Helper()
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	require.NoError(t, err)
	var size [2]byte
	_, err = io.ReadFull(conn, size[:])
	require.NoError(t, err)
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err = io.ReadFull(conn, reply)
	require.NoError(t, err)
	return reply
}

// TestConnectionsAreBounded: idle connections keep others waiting for a moment, and
// the guard's process from nothing.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var idle []net.Conn
	for range 33 {
		conn, err := net.Dial("tcp", s.tcp)
		require.NoError(t, err)
		defer conn.Close()
		idle = append(idle, conn)
	}
	last := idle[32]
	message := question(t, "ai-sbx.avlr.sh.", dnsmessage.TypeA, nil)
	_, err := last.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	require.NoError(t, err)
	require.NoError(t, last.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = last.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout(), "32 others are served")
	require.NoError(t, idle[0].Close())
	require.NoError(t, last.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = last.Read(make([]byte, 1))
	require.NoError(t, err, "one of them is gone")
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := serve(t)
	conn, err := net.Dial("tcp", s.tcp)
	require.NoError(t, err)
	defer conn.Close()
	exchange(t, conn, question(t, "pypi.org.", dnsmessage.TypeA, nil))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice is once")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	var timeout net.Error
	assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection was closed")
	_, err = net.Dial("tcp", s.tcp)
	require.Error(t, err)
	names, _ := s.Asked()
	assert.Equal(t, []string{"pypi.org"}, names)

	late, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Serve(nil, late)
	_, err = late.Accept()
	require.ErrorIs(t, err, net.ErrClosed, "what comes late is closed")
}

// FuzzMessage: whatever comes, nothing breaks; a reply is one, fits into a datagram,
// and what is kept is harmless to print.
func FuzzMessage(f *testing.F) {
	for _, name := range []string{"ai-sbx.avlr.sh.", "pypi.org.", "1.0.0.127.in-addr.arpa.", "localhost.", ".", "\x1b, x.", strings.Repeat("abcdefg.", 31)} {
		f.Add(question(f, name, dnsmessage.TypeALL, nil))
		f.Add(question(f, name, dnsmessage.TypePTR, func(m *dnsmessage.Message) {
			var h dnsmessage.ResourceHeader
			require.NoError(f, h.SetEDNS0(512, 0, false))
			m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
		}))
	}
	f.Add([]byte{})
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01")) // a name that points to itself
	f.Add([]byte("\x00\x01\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"))     // an answer
	f.Fuzz(func(t *testing.T, message []byte) {
		r := resolver.New(hosts)
		reply := r.Answer(message)
		if reply != nil {
			var m dnsmessage.Message
			require.NoError(t, m.Unpack(reply))
			assert.True(t, m.Response)
			assert.Equal(t, binary.BigEndian.Uint16(message), m.ID)
			assert.LessOrEqual(t, len(reply), 512)
			assert.Nil(t, r.Answer(reply), "an answer is not answered")
		}
		names, more := r.Asked()
		assert.LessOrEqual(t, len(names)+more, 1)
		for _, name := range names {
			assert.Regexp(t, `^([a-z0-9._-]|\\x[0-9a-f]{2})+$`, name)
			assert.LessOrEqual(t, len(name), 4*255)
		}
	})
}
