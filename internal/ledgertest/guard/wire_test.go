package guard_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

func TestWhatNeverReachedTheWireIsRefunded(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	distrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	distrusted.Config.ErrorLog = nil
	var offered atomic.Value
	distrusted.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered.Store(hello.SupportedProtos)
		return nil, nil
	}}
	distrusted.StartTLS()
	defer distrusted.Close()

	for name, url := range map[string]string{
		"connection refused": "http://" + closed.Addr().String(),
		"no such host":       "http://a.-b",
		"TLS fails":          distrusted.URL,
	} {
		l := newLive(t, liveConfig{APIURL: url, Max: 1})
		for range 2 { // the second needs the unit of the first
			l.refused(l.post(hints), guard.UpstreamFailed)
		}
		assert.Equal(t, []string{"s1 spend 1", "s1 refund: no connection", "s2 spend 1", "s2 refund: no connection"}, l.journal(), name)
		assert.Zero(t, l.spent(), name)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, guard.UpstreamFailed, verdict, name)
	}
	assert.NotContains(t, offered.Load(), "h2", "net/http would send again by itself over HTTP/2")
}

func TestWhatMayHaveReachedTheWireCounts(t *testing.T) {
	for name, api := range map[string]http.HandlerFunc{
		"timeout": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the guard hung up
			<-r.Context().Done()
		},
		"EOF before answer":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"EOF within the body": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9") },
	} {
		l := newLive(t, liveConfig{API: api, Timeout: 200 * time.Millisecond})
		l.refused(l.post(hints), guard.UpstreamFailed)
		assert.Equal(t, 1, l.spent(), name)
		journal := l.journal()
		assert.Len(t, journal, 2, name)
		assert.Contains(t, journal[1], "s1 unknown", name)
		verdict, reason := l.guard.Verdict()
		assert.Equal(t, guard.UpstreamFailed, verdict, name)
		assert.Contains(t, reason, "POST /hscode/hints: ", name)
	}
}

func TestWhatTheSandboxGets(t *testing.T) {
	var got *http.Request
	var body []byte
	l := newLive(t, liveConfig{API: func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}})
	r := l.request(http.MethodPost, hints+"?q=a%20b", `{"a":1}`)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Correlation-Id", "17")
	for _, name := range []string{
		guard.TestHeader, "Hsharness-Anything", "Cookie", "Proxy-Authorization", "X-Http-Method-Override", "X-Hop", "Te", "Upgrade", "Expect",
		"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "A-Im",
	} {
		r.Header.Set(name, "private")
	}
	r.Header["hsharness-lower"] = []string{"private"}
	r.Header["authorization"] = []string{"private"}
	r.Header.Set("Connection", "close, X-Hop")
	require.Equal(t, 200, l.do(r).Code)

	assert.Equal(t, "q=a%20b", got.URL.RawQuery)
	assert.Equal(t, `{"a":1}`, string(body))
	assert.Equal(t, strings.TrimPrefix(l.apiURL, "http://"), got.Host)
	assert.Equal(t, http.Header{
		"Authorization": {"Bearer real-1"}, "Content-Type": {"application/json"}, "X-Correlation-Id": {"17"},
		"Content-Length": {"7"}, "User-Agent": {"hsharness"}, "Connection": {"close"},
	}, got.Header)
}

func TestWhatTheClientGets(t *testing.T) {
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Correlation-Id", "17")
		w.Header().Set(guard.VerdictHeader, "blocked")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.WriteHeader(201)
		_, _ = w.Write([]byte("made"))
	}})
	rec := l.post(hints)
	assert.Equal(t, 201, rec.Code)
	assert.Equal(t, "made", rec.Body.String())
	header := rec.Header()
	header.Del("Date")
	assert.Equal(t, http.Header{"X-Correlation-Id": {"17"}, "Content-Type": {"text/plain; charset=utf-8"}}, header)
}

func TestRealCredentialShowsNowhere(t *testing.T) {
	var wire bytes.Buffer
	l := newLive(t, liveConfig{Max: 3, API: func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization") // its place
		_ = r.Write(&wire)
		if wire.Len() > 1500 {
			panic(http.ErrAbortHandler)
		}
	}})
	out := &wire // what the API saw besides, and all that the clients got
	for range 5 {
		rec := l.post(hints)
		_ = rec.Result().Write(out)
	}
	_, reason := l.guard.Verdict()
	out.WriteString(reason)
	l.end()
	files, err := filepath.Glob(l.path + "*")
	require.NoError(t, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		out.Write(data)
	}
	for _, secret := range []string{realID, realSecret, "real-1", "eyJ"} {
		assert.NotContains(t, out.String(), secret)
	}
}
