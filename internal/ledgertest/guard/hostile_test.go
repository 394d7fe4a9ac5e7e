package guard_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

// hostile is a server that speaks TCP and counts a request as soon as it has
// read its header, as a service might.
type hostile struct {
	url     string
	counted atomic.Int64
}

// exchange is one request as a hostile server sees it.
type exchange struct {
	*net.TCPConn
	in      *bufio.Reader
	request *http.Request
	first   bool // on the server's first connection
	again   bool // on a connection that had one before
}

func (x exchange) say(text string) { _, _ = io.WriteString(x, text) }

func (x exchange) readBody() { _, _ = io.Copy(io.Discard, x.request.Body) }

// ok is what a well-behaved server does.
func (x exchange) ok() {
	x.readBody()
	x.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

// startHostile serves each request by act, which returns false to close the
// connection.
func startHostile(t *testing.T, act func(exchange) bool) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &hostile{url: "http://" + l.Addr().String()}
	var open sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	open.Go(func() {
		for first := true; ; first = false {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { h.serve(conn.(*net.TCPConn), first, act) })
		}
	})
	return h
}

func (h *hostile) serve(conn *net.TCPConn, first bool, act func(exchange) bool) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a guard that never hangs up fails the test, but ends it
	in := bufio.NewReader(conn)
	for again := false; ; again = true {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		h.counted.Add(1)
		if !act(exchange{conn, in, r, first, again}) {
			return
		}
	}
}

// TestLedgerCountsWhatAHostileServerCounts: for whatever a server does, the
// ledger says what the server counted, and never less.
func TestLedgerCountsWhatAHostileServerCounts(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	redirect := func(status int) func(exchange) bool {
		return func(x exchange) bool {
			x.readBody()
			x.say(fmt.Sprintf("HTTP/1.1 %d Redirect\r\nLocation: %s/hscode/hints\r\nContent-Length: 0\r\n\r\n", status, elsewhere.URL))
			return true
		}
	}
	// The first connection is kept alive, dies after the server read its next
	// request: net/http would send that one again.
	deadKeepAlive := func(x exchange) bool {
		if x.first && x.again {
			return false
		}
		x.ok()
		return true
	}
	big := strings.Repeat("x", 8<<20)

	tests := []struct {
		name    string
		method  string // POST unless given
		header  [2]string
		body    string
		act     func(exchange) bool
		timeout time.Duration
		// statuses are what the client sees of each request, 502 for none, 0 for
		// either.
		statuses []int
		outcome  string // of the last spend
		says     string // to the client
	}{
		{name: "dead keep-alive", act: deadKeepAlive, statuses: []int{200, 200, 200}, outcome: "answered 200"},
		{name: "dead keep-alive, idempotency key", header: [2]string{"Idempotency-Key", "k"}, act: deadKeepAlive, statuses: []int{200, 200, 200}, outcome: "answered 200"},
		{name: "dead keep-alive, GET", method: "GET", act: deadKeepAlive, statuses: []int{200, 200, 200}, outcome: "answered 200"},
		{name: "closes a GET unanswered", method: "GET", act: func(exchange) bool { return false }, statuses: []int{502, 502}, outcome: "unknown 0"},
		{name: "redirect 302", act: redirect(302), statuses: []int{302}, outcome: "answered 302"},
		{name: "redirect 307", act: redirect(307), statuses: []int{307}, outcome: "answered 307"},
		{name: "redirect 308", act: redirect(308), statuses: []int{308}, outcome: "answered 308"},
		{name: "expect 100-continue", header: [2]string{"Expect", "100-continue"}, act: func(x exchange) bool {
			if x.request.Header.Get("Expect") != "" {
				x.say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
				return false
			}
			x.ok()
			return true
		}, statuses: []int{200}, outcome: "answered 200"},
		{name: "reset before the answer", act: func(x exchange) bool {
			_ = x.SetLinger(0)
			return false
		}, statuses: []int{502}, outcome: "unknown 0"},
		{name: "reset within the body", act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			_ = x.SetLinger(0)
			return false
		}, statuses: []int{502}, outcome: "unknown"},
		{name: "answers before it read the body", body: big, act: func(x exchange) bool {
			x.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			x.readBody()
			return false
		}, statuses: []int{413}, outcome: "answered 413"},
		{name: "answers and hangs up before it read the body", body: big, act: func(x exchange) bool {
			x.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			return false
		}, statuses: []int{0}, outcome: ""}, // the reset may overtake the answer
		{name: "early hints", act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
			x.ok()
			return true
		}, statuses: []int{200}, outcome: "answered 200"},
		{name: "early hints without end", act: func(x exchange) bool {
			for {
				if _, err := io.WriteString(x, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
					return false
				}
			}
		}, statuses: []int{502}, outcome: "unknown 0"},
		{name: "switches protocols", act: func(x exchange) bool {
			x.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
			_, _ = io.Copy(io.Discard, x.in) // until the guard hangs up
			return false
		}, statuses: []int{502}, outcome: "unknown 101", says: "switched protocols"},
		{name: "slow body", timeout: 200 * time.Millisecond, act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow")
			_, _ = io.Copy(io.Discard, x.in) // until the guard's time is up
			return false
		}, statuses: []int{502}, outcome: "unknown 200"},
		{name: "slow header", timeout: 200 * time.Millisecond, act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 200")
			_, _ = io.Copy(io.Discard, x.in)
			return false
		}, statuses: []int{502}, outcome: "unknown 0"},
		{name: "chunked without end", act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
			return false
		}, statuses: []int{502}, outcome: "unknown 200"},
		{name: "oversized answer", act: func(x exchange) bool {
			x.readBody()
			x.say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			for range 3 { // 24 MiB
				x.say(big)
			}
			return false
		}, statuses: []int{502}, outcome: "unknown 200", says: "longer than 16 MiB"},
		{name: "header without end", act: func(x exchange) bool {
			x.say("HTTP/1.1 200 OK\r\nX: ")
			for range 2 {
				x.say(big)
			}
			return false
		}, statuses: []int{502}, outcome: "unknown 0"},
		{name: "no HTTP at all", act: func(x exchange) bool {
			x.say("220 ready\r\n")
			return false
		}, statuses: []int{502}, outcome: "unknown 0"},
		{name: "two answers to one request", act: func(x exchange) bool {
			x.ok()
			x.say("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
			return false
		}, statuses: []int{200, 200}, outcome: "answered 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, tt.act)
			l := newLive(t, liveConfig{
				APIURL: h.url, Timeout: tt.timeout,
				Operations: guard.Operations{{Match: "GET /hscode/hints", Cost: 1}},
			})
			for _, want := range tt.statuses {
				body := tt.body
				if body == "" && tt.method != http.MethodGet {
					body = `{"a":1}`
				}
				method := tt.method
				if method == "" {
					method = http.MethodPost
				}
				r := l.request(method, hints, body)
				if tt.header[0] != "" {
					r.Header.Set(tt.header[0], tt.header[1])
				}
				rec := l.do(r)
				if want != 0 {
					assert.Equal(t, want, rec.Code)
				}
				assert.Contains(t, rec.Body.String(), tt.says)
			}
			journal := l.journal()
			require.NotEmpty(t, journal)
			assert.Contains(t, journal[len(journal)-1], tt.outcome)
			assert.EqualValues(t, h.counted.Load(), l.spent(), "ledger = server")
		})
	}
}

// TestRandomFaultsNeverCountLess lets the server fail in turn at every point,
// under many clients at once.
func TestRandomFaultsNeverCountLess(t *testing.T) {
	var n atomic.Int64
	h := startHostile(t, func(x exchange) bool {
		switch n.Add(1) % 5 {
		case 0:
			return false
		case 1:
			_ = x.SetLinger(0)
			return false
		case 2:
			x.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			return false
		case 3:
			// The first token alone: two in a row would stop the run.
			if x.request.Header.Get("Authorization") == "Bearer real-1" {
				x.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
				return true
			}
		}
		x.ok()
		return true
	})
	l := newLive(t, liveConfig{APIURL: h.url})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 15 {
				l.post(hints)
			}
		})
	}
	clients.Wait()
	assert.EqualValues(t, h.counted.Load(), l.spent())
	assert.Equal(t, 100, l.spent(), "all of the run's units were used")
}

// TestAnswerPassesUnchanged guards against a client of the guard that reads
// something else than the service said.
func TestAnswerPassesUnchanged(t *testing.T) {
	packed := append([]byte{0x1f, 0x8b}, bytes.Repeat([]byte{0}, 9)...)
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	}})
	r := l.request(http.MethodPost, hints, `{}`)
	r.Header.Set("Accept-Encoding", "gzip")
	rec := l.do(r)
	assert.Equal(t, packed, rec.Body.Bytes())
	assert.Equal(t, "gzip", rec.Header().Get("Content-Encoding"))
}
