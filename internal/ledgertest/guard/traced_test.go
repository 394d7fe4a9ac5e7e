package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClientsTraceSeesNothingOfTheWire: code under test that traces its requests, as
// OpenTelemetry does, would log the real token, and could write to the connection.
func TestClientsTraceSeesNothingOfTheWire(t *testing.T) {
	l := newLive(t, liveConfig{})
	var mu sync.Mutex
	var seen []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf(format, args...))
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn:          func(at string) { note("get %s", at) },
		ConnectStart:     func(_, at string) { note("connect %s", at) },
		GotConn:          func(c httptrace.GotConnInfo) { note("got %s", c.Conn.RemoteAddr()) },
		WroteHeaderField: func(name string, values []string) { note("%s: %s", name, strings.Join(values, ",")) },
	})
	resp, err := l.client().Do(l.outgoing(ctx, http.MethodPost, hints, `{}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.EqualValues(t, 1, l.counted.Load())
	mu.Lock()
	defer mu.Unlock()
	assert.Empty(t, seen)
}
