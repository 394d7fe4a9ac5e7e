package bounded_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/bounded"
)

// A connection of HTTP/2 with a request that is worked on makes no room for another, also
// where another request of it was answered long ago, or has a body that does not come.
func TestHTTP2ConnectionThatIsWorkedOnStays(t *testing.T) {
	t.Parallel()
	server := http2Only(t)
	synctest.Test(t, func(t *testing.T) {
		s := &server2{working: make(chan struct{}), goOn: make(chan struct{})}
		servers := bounded.Servers{Gate: bounded.NewGate(bounded.Limits{Connections: 1, BodyTime: time.Hour, IdleTime: time.Hour})}
		l := &pipes{conns: make(chan net.Conn)}
		servers.Serve(tls.NewListener(l, server), s)
		ask := func(c *http.Client, path string, body io.Reader) <-chan error {
			done := make(chan error, 1)
			go func() {
				resp, err := c.Post("https://x"+path, "text/plain", body)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					assert.NoError(t, resp.Body.Close())
				}
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first := l.caller()
		require.NoError(t, <-ask(first, "/", strings.NewReader("x")))
		worked := ask(first, "/work", strings.NewReader("x"))
		<-s.working
		require.NoError(t, <-ask(first, "/", strings.NewReader("x")), "on the same connection")
		silent, never := io.Pipe()
		stalls := ask(first, "/", silent)
		<-time.After(time.Minute)
		second := l.caller()
		other := ask(second, "/", strings.NewReader("x"))
		<-time.After(time.Minute)
		assert.Empty(t, other, "it waits")
		require.Empty(t, worked, "and the first goes on")
		s.goOn <- struct{}{}
		assert.NoError(t, <-worked)
		assert.NoError(t, <-other, "a body that does not come makes room")
		assert.Error(t, <-stalls)
		assert.NoError(t, never.Close())
		first.CloseIdleConnections()
		second.CloseIdleConnections()
		assert.NoError(t, servers.Close())
	})
}

// TestBodyThatNobodyWantsOverHTTP2: who is answered before its body came sends it all the
// same, as over HTTP/1, and is not told to stop: curl takes that for a failure of the
// stream, and has no answer.
func TestBodyThatNobodyWantsOverHTTP2(t *testing.T) {
	t.Parallel()
	server := http2Only(t)
	synctest.Test(t, func(t *testing.T) {
		var servers bounded.Servers
		l := &pipes{conns: make(chan net.Conn)}
		servers.Serve(tls.NewListener(l, server), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		}))
		c := l.caller()
		for _, late := range []time.Duration{0, 100 * time.Millisecond, time.Minute} {
			body, send := io.Pipe()
			status := make(chan int, 1)
			go func() {
				resp, err := c.Post("https://x/", "text/plain", body)
				if assert.NoError(t, err) {
					assert.NoError(t, resp.Body.Close())
					status <- resp.StatusCode
				}
			}()
			time.Sleep(late)
			synctest.Wait()
			_, err := io.WriteString(send, "x")
			if late == time.Minute {
				assert.Error(t, err, "it waits for no body that does not come")
			} else {
				assert.NoError(t, err, "after %s", late)
			}
			assert.NoError(t, send.Close())
			assert.Equal(t, http.StatusUnauthorized, <-status)
		}
		c.CloseIdleConnections()
		assert.NoError(t, servers.Close())
	})
}

// caller asks by HTTP/2.
func (l *pipes) caller() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of this test
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			c, theirs := net.Pipe()
			l.conns <- theirs
			return c, nil
		},
	}}
}

// server2 reads bodies, and works on what is sent to /work until it may go on.
type server2 struct{ working, goOn chan struct{} }

func (s *server2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		status, text := bounded.Reason(err)
		http.Error(w, text, status)
		return
	}
	if r.URL.Path == "/work" {
		s.working <- struct{}{}
		<-s.goOn
	}
}
