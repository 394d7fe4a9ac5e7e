package guard_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// A guard for several clients knows who asks: it tells the mock, the meter and
// the observer, and shuts out a client whose token is still good.
func TestClientsAreToldApart(t *testing.T) {
	var mu sync.Mutex
	known := true
	var seen []guard.Event
	sandbox := tenants()[avalara.Sandbox]
	sandbox.Client = func(id string) bool {
		mu.Lock()
		defer mu.Unlock()
		return known && id != ""
	}
	g, err := guard.New(guard.Config{
		Tenants: map[avalara.Environment]guard.Tenant{avalara.Sandbox: sandbox},
		Mock: func(avalara.Environment, avalara.API) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Asked-By", guard.Client(r.Context()))
			})
		},
		Observe: func(e guard.Event) {
			mu.Lock()
			defer mu.Unlock()
			assert.Positive(t, e.Took)
			e.Took = 0
			seen = append(seen, e)
		},
	})
	require.NoError(t, err)
	handler := g.Handler(avalara.Sandbox, avalara.Current)
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, hints, strings.NewReader(asked))
		r.Header.Set("Authorization", "Bearer "+dummyToken(t, avalara.ScopeHSCode, time.Now()))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	w := ask()
	require.Equal(t, http.StatusOK, w.Code)
	client := w.Header().Get("Asked-By")
	assert.NotEmpty(t, client)

	mu.Lock()
	known = false
	mu.Unlock()
	w = ask()
	assert.Equal(t, http.StatusUnauthorized, w.Code)
	assert.Contains(t, w.Header().Get("WWW-Authenticate"), `error="invalid_token"`)
	assert.Equal(t, []guard.Event{
		{Client: client, Verdict: guard.Mocked, Tally: guard.Tally{Requests: 1, Mocked: 1, Price: 1}},
		{Verdict: guard.Unauthorized, Status: 401, Tally: guard.Tally{Requests: 1, Refused: 1}},
	}, seen)
	assert.Empty(t, guard.Client(t.Context()))
}
