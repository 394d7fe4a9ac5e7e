package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// client is one of this process, behind the guard.
func (l *live) client() *http.Client {
	return &http.Client{Transport: l.guard.Transport(avalara.Sandbox, avalara.Current)}
}

func (l *live) outgoing(ctx context.Context, method, path, body string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, "https://hscode.api.sbx.avalara.com"+path, strings.NewReader(body))
	require.NoError(l.t, err)
	r.Header.Set("Authorization", "Bearer "+dummyToken(l.t, avalara.ScopeHSCode, l.now))
	return r
}

func TestTransportBuysLikeTheHandler(t *testing.T) {
	l := newLive(t, liveConfig{Max: 1, API: func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer real-1", r.Header.Get("Authorization"))
		w.Header().Set("X-Correlation-Id", "17")
		w.WriteHeader(201)
		_, _ = io.Copy(w, r.Body)
	}})
	r := l.outgoing(t.Context(), http.MethodPost, hints, `{"a":1}`)
	before := r.Header.Clone()
	resp, err := l.client().Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, `{"a":1}`, string(body))
	assert.Equal(t, "201 Created", resp.Status)
	assert.Equal(t, "17", resp.Header.Get("X-Correlation-Id"))
	assert.Equal(t, before, r.Header, "a RoundTripper leaves the request as it was")

	_, err = l.client().Do(l.outgoing(t.Context(), http.MethodPost, hints, `{}`))
	var refusal *guard.Refusal
	var used *quota.HoldUsedError
	require.ErrorAs(t, err, &refusal)
	require.ErrorAs(t, err, &used)
	assert.Equal(t, guard.Blocked, refusal.Verdict)
	assert.Equal(t, int64(1), used.Max)
	assert.Equal(t, guard.Tally{Requests: 2, Bought: 1, Refused: 1, Price: 1, Paid: 1}, l.guard.Tally())
	assert.Equal(t, []string{"s1 spend 1", "s1 answered 201"}, l.journal())
}

func TestTransportRefusesWithTypes(t *testing.T) {
	l := newLive(t, liveConfig{})
	_, err := l.client().Do(l.outgoing(t.Context(), http.MethodPost, "/v3/classify", `{}`))
	var unknown *guard.UnknownOperationError
	assert.ErrorAs(t, err, &unknown)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.guard.Transport(avalara.Sandbox, avalara.Current).RoundTrip(l.outgoing(ctx, http.MethodPost, hints, `{}`))
	assert.ErrorIs(t, err, context.Canceled)

	_, err = l.guard.Transport(avalara.Production, avalara.Current).RoundTrip(l.outgoing(t.Context(), http.MethodPost, hints, `{}`))
	var production *guard.ProductionError
	assert.ErrorAs(t, err, &production)
	assert.Zero(t, l.counted.Load())
	assert.Empty(t, l.journal())
}

// TestTransportSpendsForEachHop: an http.Client that follows a redirect comes
// back to the guard, which never goes to another host.
func TestTransportSpendsForEachHop(t *testing.T) {
	l := newLive(t, liveConfig{API: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == hints {
			http.Redirect(w, r, "https://elsewhere.test/hscode/classify", http.StatusTemporaryRedirect)
		}
	}})
	resp, err := l.client().Do(l.outgoing(t.Context(), http.MethodPost, hints, `{}`))
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	assert.EqualValues(t, l.counted.Load(), l.spent())
}

// closed notes that a body was closed.
type closed struct {
	io.Reader
	times int
}

func (c *closed) Close() error { c.times++; return nil }

// offline is a transport in front of a mock.
func offline(t *testing.T, mock http.HandlerFunc) http.RoundTripper {
	t.Helper()
	g, err := guard.New(guard.Config{
		Tenants: tenants(),
		Mock:    func(avalara.Environment, avalara.API) http.Handler { return mock },
	})
	require.NoError(t, err)
	return g.Transport(avalara.Sandbox, avalara.Current)
}

func TestTransportOffline(t *testing.T) {
	l := newLive(t, liveConfig{}) // for its requests
	transport := offline(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("Too", "late")
		_, _ = io.Copy(w, r.Body)
	})
	body := &closed{Reader: strings.NewReader("hello")}
	r := l.outgoing(t.Context(), http.MethodPost, hints, "")
	r.Body = body
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 202, resp.StatusCode)
	assert.Equal(t, "hello", string(got))
	assert.Empty(t, resp.Header)
	assert.Equal(t, 1, body.times)

	r = l.outgoing(t.Context(), http.MethodGet, managedGet, "")
	r.Body = nil
	r.Header.Set("Authorization", "Bearer nonsense")
	resp, err = transport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 401, resp.StatusCode, "a bad token is answered, as the API would")
}

func TestTransportTurnsAnAbortIntoAnError(t *testing.T) {
	l := newLive(t, liveConfig{})
	aborting := offline(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := aborting.RoundTrip(l.outgoing(t.Context(), http.MethodPost, hints, `{}`))
	assert.EqualError(t, err, "the mock API hung up")
	broken := offline(t, func(http.ResponseWriter, *http.Request) { panic("a bug") })
	assert.PanicsWithValue(t, "a bug", func() {
		_, _ = broken.RoundTrip(l.outgoing(t.Context(), http.MethodPost, hints, `{}`))
	})
}

// ExampleGuard_Transport shows what a refused request looks like in Go code.
func ExampleGuard_Transport() {
	ask := func() error { // stands for client.Do behind a guard whose run is used up
		return &guard.Refusal{Verdict: guard.Blocked, Units: 1, Err: &quota.HoldUsedError{Run: "r1", Requested: 1, Max: 2, Spent: 2}}
	}
	var used *quota.HoldUsedError
	if err := ask(); errors.As(err, &used) {
		fmt.Printf("%d of %d units are spent\n", used.Spent, used.Max)
	}
	// Output: 2 of 2 units are spent
}
