package guard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/guard"
)

// waits is a request whose client hangs up while another one is under way.
func (l *live) waits(body string) *httptest.ResponseRecorder {
	ctx, hangUp := context.WithCancel(l.t.Context())
	hangUp()
	return l.do(l.request(http.MethodPost, hints, body).WithContext(ctx))
}

// Who waits for a token that another asks for, and hangs up, costs and fails nothing.
func TestClientThatHangsUpWhileATokenIsAskedFor(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	l := withIdentity(t, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-goOn
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- l.post(hints) }()
	<-asked
	l.refused(l.waits(`{}`), guard.Cancelled)
	verdict, _ := l.guard.Verdict()
	assert.Empty(t, verdict)
	close(goOn)
	l.refused(<-first, guard.UpstreamFailed)
	assert.Empty(t, l.journal())
}

// Who waits for the answer that another buys, and hangs up, is no failure of the
// recordings.
func TestClientThatHangsUpWhileAnotherBuys(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: t.TempDir(), API: func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-goOn
		_, _ = w.Write([]byte(`{}`))
	}})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- l.post(hints) }()
	<-asked
	l.refused(l.waits(`{"a":1}`), guard.Cancelled)
	verdict, reason := l.guard.Verdict()
	assert.Empty(t, verdict, reason)
	close(goOn)
	assert.Equal(t, http.StatusOK, (<-first).Code)
	assert.Equal(t, 1, l.spent())
}

// Who hangs up while its own request for a token is under way costs nothing, and the token
// is there for others.
func TestClientThatHangsUpDuringItsTokenRequest(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	asked := 0
	l := withIdentity(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		hangUp()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"a","expires_in":3600}`))
	})
	l.refused(l.do(l.request(http.MethodPost, hints, `{}`).WithContext(ctx)), guard.Cancelled)
	assert.Zero(t, l.counted.Load())
	assert.Equal(t, http.StatusOK, l.post(hints).Code)
	assert.Equal(t, 1, asked)
	assert.Equal(t, 1, l.spent())
}

// A test with a long name is one like others.
func TestLongNameOfATest(t *testing.T) {
	l := newLive(t, liveConfig{})
	r := l.request(http.MethodPost, hints, `{}`)
	r.Header.Set(guard.TestHeader, strings.Repeat("x", 5000))
	assert.Equal(t, http.StatusOK, l.do(r).Code)
	assert.Equal(t, 1, l.spent())
}
