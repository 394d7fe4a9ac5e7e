package bounded_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
)

// server answers with what it was sent, by limits that a test tightens.
type server struct {
	t    *testing.T
	addr string
	// working gets a value for each request to /work, which ends by one from goOn.
	working chan string
	goOn    chan struct{}
	written chan error // what became of the answer to /large
}

func serve(t *testing.T, limits bounded.Limits) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, addr: l.Addr().String(), working: make(chan string, 100), goOn: make(chan struct{}, 100), written: make(chan error, 1)}
	servers := &bounded.Servers{Gate: bounded.NewGate(limits)}
	servers.Serve(l, s)
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/refused": // without a look at the body
		http.Error(w, "no", http.StatusUnauthorized)
		return
	case "/large":
		_, err := w.Write(make([]byte, 64<<20))
		s.written <- err
		return
	case "/answer", "/held": // a long one, for which there has to be room
		if err := bounded.Answer(r.Context(), 8<<20); err != nil {
			status, text := bounded.Reason(err)
			http.Error(w, text, status)
			return
		}
		s.working <- r.RemoteAddr
		if r.URL.Path == "/held" {
			<-s.goOn
		}
		_, _ = w.Write(make([]byte, 8<<20))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		status, text := bounded.Reason(err)
		http.Error(w, text, status)
		return
	}
	if r.URL.Path == "/work" {
		s.working <- r.RemoteAddr
		<-s.goOn
	}
	_, _ = fmt.Fprint(w, len(body))
}

// works waits until a request to /work is worked on.
func (s *server) works() {
	s.t.Helper()
	select {
	case <-s.working:
	case <-time.After(10 * time.Second):
		require.FailNow(s.t, "nothing is worked on")
	}
}

// piped is a server whose connections are in memory, for a test with a time of its own:
// on a busy machine a body, or an answer, takes longer than a test waits for it.
func piped(t *testing.T, limits bounded.Limits) (s *server, connect func(text string) *caller) {
	t.Helper()
	s = &server{t: t, working: make(chan string, 100), goOn: make(chan struct{}, 100)}
	servers := &bounded.Servers{Gate: bounded.NewGate(limits)}
	l := &pipes{conns: make(chan net.Conn)}
	servers.Serve(l, s)
	t.Cleanup(func() {
		assert.NoError(t, servers.Close())
		<-time.After(time.Second) // net/http waits half of it where a body was not read
	})
	return s, func(text string) *caller {
		c, theirs := net.Pipe()
		l.conns <- theirs
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		t.Cleanup(func() { _ = c.Close() })
		go func() { _, _ = io.WriteString(c, text) }() // which is read once it is admitted
		synctest.Wait()
		return &caller{t, c, bufio.NewReader(c)}
	}
}

// caller is one connection.
type caller struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func (s *server) connect(text string) *caller {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = c.Close() })
	require.NoError(s.t, c.SetDeadline(time.Now().Add(time.Minute)))
	one := &caller{s.t, c, bufio.NewReader(c)}
	one.sends(text)
	return one
}

func (c *caller) sends(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(c.t, err)
}

// post is the beginning of a request whose body is said to have that many bytes.
func post(path string, bytes int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, bytes)
}

// answer is the status and the text of the next answer.
func (c *caller) answer() (int, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	require.NoError(c.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// closed waits until the server has ended the connection.
func (c *caller) closed() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.in)
	assert.False(c.t, errors.Is(err, os.ErrDeadlineExceeded), "it is open")
}

// soon is a time that callers in a test may take.
const soon = 100 * time.Millisecond

func TestBodyHasALimit(t *testing.T) {
	t.Parallel()
	s := serve(t, bounded.Limits{Body: 1000})
	c := s.connect(post("/", 1000) + strings.Repeat("x", 1000))
	status, text := c.answer()
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "1000", text)

	status, text = s.connect(post("/", 1001)).answer()
	assert.Equal(t, http.StatusRequestEntityTooLarge, status, "and none of it was waited for")
	assert.Equal(t, "the request's body is longer than 1000 bytes", text)
	c = s.connect("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("x", 1001))
	status, _ = c.answer()
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
}

func TestTimesHaveLimits(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		limits bounded.Limits
		text   string
		status int // 0 for none
	}{
		"headers":               {bounded.Limits{HeaderTime: soon}, "GET / HTTP/1.1\r\nHost", 0},
		"no request at all":     {bounded.Limits{HeaderTime: soon}, "", 0},
		"between requests":      {bounded.Limits{IdleTime: soon}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusOK},
		"a body":                {bounded.Limits{BodyTime: soon}, post("/", 10) + "{", http.StatusRequestTimeout},
		"a large body":          {bounded.Limits{BodyTime: soon}, post("/", 100_000) + strings.Repeat("x", 20_000), http.StatusRequestTimeout},
		"a body for nobody":     {bounded.Limits{}, post("/refused", 10) + "{", http.StatusUnauthorized},
		"headers that are long": {bounded.Limits{}, "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 40_000) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, one.limits).connect(one.text)
			if one.status != 0 {
				status, _ := c.answer()
				assert.Equal(t, one.status, status)
			}
			c.closed()
		})
	}
}

// An answer that nobody reads is given up: who looks later finds a part of it.
func TestAnswerHasATime(t *testing.T) {
	t.Parallel()
	s := serve(t, bounded.Limits{AnswerTime: soon})
	s.connect("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-s.written:
		assert.Error(t, err)
	case <-time.After(5 * time.Second):
		t.Error("it is still written")
	}
}

// Where there are as many connections as may be, the one that was waited for the
// longest makes room, a fresh one last; one that is being worked on never does, and
// where all are, the next waits its turn. Time is that of the test: on a busy machine a
// second goes by between two of its lines, and what was fresh is no more.
func TestConnectionsHaveALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, connect := piped(t, bounded.Limits{Connections: 3})
		first := connect(post("/work", 1) + "x")
		s.works()
		second, third := connect("GET / HT"), connect("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		status, _ := third.answer()
		require.Equal(t, http.StatusOK, status)
		synctest.Wait()

		fourth := connect(post("/work", 1) + "x")
		s.works()
		third.closed()
		fifth := connect(post("/work", 1) + "x")
		s.works()
		second.closed()

		sixth := connect("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		s.goOn <- struct{}{}
		answered := 0
		for _, c := range []*caller{first, fourth, fifth} {
			if answered == 1 {
				status, _ = sixth.answer()
				assert.Equal(t, http.StatusOK, status, "one of them is done")
				close(s.goOn)
			}
			status, _ := c.answer()
			assert.Equal(t, http.StatusOK, status)
			answered++
		}
		assert.Equal(t, 3, answered)
	})
}

// Large bodies share the memory: one that has no room waits, one that stalls
// meanwhile is cut off, and small ones never wait.
func TestMemoryHasALimit(t *testing.T) {
	t.Parallel()
	const large = 1 << 25 // half of it is more than sockets take: what is sent was read, and has its memory
	s := serve(t, bounded.Limits{Memory: large, Body: large})
	half := strings.Repeat("x", large/2)
	slow := s.connect(post("/", large) + half)
	next := s.connect(post("/work", large) + half[:20_000])
	small := s.connect(post("/", 10_000) + half[:10_000])
	status, _ := small.answer()
	assert.Equal(t, http.StatusOK, status)
	slow.closed()
	next.sends(half + half[20_000:])
	s.works()

	waiting := s.connect(post("/", large) + half[:20_000])
	s.goOn <- struct{}{}
	status, text := next.answer()
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, fmt.Sprint(large), text)
	waiting.sends(half + half[20_000:])
	status, _ = waiting.answer()
	assert.Equal(t, http.StatusOK, status, "its turn came")
}

// One that never gets its memory is told to come again.
func TestMemoryIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const large = 1 << 20
		s, connect := piped(t, bounded.Limits{Memory: large, BodyTime: 3 * soon})
		body := strings.Repeat("x", large)
		first := connect(post("/work", large) + body)
		s.works()
		status, text := connect(post("/", large) + body[:20_000]).answer()
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Contains(t, text, "ask again")
		s.goOn <- struct{}{}
		status, _ = first.answer()
		assert.Equal(t, http.StatusOK, status)
		again := connect(post("/", large) + body)
		status, _ = again.answer()
		assert.Equal(t, http.StatusOK, status, "nothing of it is lost")
	})
}

// Long answers share the memory: one that has no room is not made before there is, and
// one that nobody reads is cut off then. Ordinary ones never wait.
func TestAnswersShareTheMemory(t *testing.T) {
	t.Parallel()
	s := serve(t, bounded.Limits{Memory: 8 << 20})
	const ask = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n"
	for range 3 { // that are not read
		s.connect(ask)
	}
	s.works()
	small := s.connect(post("/", 1) + "x")
	status, _ := small.answer()
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, s.working, "no second one is made")
	last := s.connect(ask)
	status, text := last.answer()
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, text, 8<<20)
}

// One for which there never is room is told to come again, and nothing of it is lost.
func TestAnswersAreNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, connect := piped(t, bounded.Limits{Memory: 8 << 20, AnswerTime: 5 * soon})
		first := connect("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
		s.works()
		const ask = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n"
		status, text := connect(ask).answer()
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, "for 500ms there was no memory for an answer of this size: ask again", text)
		s.goOn <- struct{}{}
		for _, c := range []*caller{first, connect(ask)} {
			status, text = c.answer()
			assert.Equal(t, http.StatusOK, status)
			assert.Len(t, text, 8<<20)
		}
	})
	assert.NoError(t, bounded.Answer(t.Context(), 1<<40), "where no server has limits")
}

// http2Only is TLS for HTTP/2.
func http2Only(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	made := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"x"}}
	cert, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	require.NoError(t, err)
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
}

// A connection of HTTP/2 has no more requests at a time, and no more of their bodies
// unread, than were measured with.
func TestHTTP2HasLimits(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var servers bounded.Servers
	servers.Serve(tls.NewListener(l, http2Only(t)), http.NotFoundHandler())
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{NextProtos: []string{"h2"}, InsecureSkipVerify: true}) //nolint:gosec // of this test
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00") // and empty SETTINGS
	require.NoError(t, err)
	frame := make([]byte, 9) // RFC 9113 §4.1, §6.5
	_, err = io.ReadFull(c, frame)
	require.NoError(t, err)
	require.EqualValues(t, 4, frame[3], "SETTINGS")
	payload := make([]byte, int(frame[1])<<8|int(frame[2]))
	_, err = io.ReadFull(c, payload)
	require.NoError(t, err)
	settings := map[uint16]uint32{}
	for ; len(payload) >= 6; payload = payload[6:] {
		settings[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
	}
	assert.EqualValues(t, 32, settings[3], "MAX_CONCURRENT_STREAMS")
	assert.EqualValues(t, 128<<10, settings[4], "INITIAL_WINDOW_SIZE")
	assert.LessOrEqual(t, settings[6], uint32(20_000), "MAX_HEADER_LIST_SIZE")
}

// Those who have asked nothing are not waited for at the end.
func TestShutdownWaitsForThoseWhoAsked(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, addr: l.Addr().String(), working: make(chan string, 1), goOn: make(chan struct{}, 1), written: make(chan error, 1)}
	var servers bounded.Servers
	servers.Serve(l, s)
	asked := s.connect(post("/work", 1) + "x")
	s.works()
	silent := s.connect("")
	partly := s.connect("GET /")
	done := make(chan error, 1)
	go func() { done <- servers.Shutdown(t.Context()) }()
	begin := time.Now()
	silent.closed()
	partly.closed()
	assert.Less(t, time.Since(begin), 3*time.Second, "net/http alone would wait for 5 s")
	s.goOn <- struct{}{}
	status, _ := asked.answer()
	assert.Equal(t, http.StatusOK, status)
	assert.NoError(t, <-done)
}
