package guard_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// world is a guard in front of an API that echoes.
type world struct {
	guard  *guard.Guard
	served atomic.Int64
	now    time.Time
}

func newWorld(t *testing.T, operations guard.Operations) *world {
	t.Helper()
	w := &world{now: dawn}
	var err error
	w.guard, err = guard.New(guard.Config{
		Operations: operations,
		Tenants:    tenants(),
		Now:        func() time.Time { return w.now },
		Mock: func(avalara.Environment, avalara.API) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				w.served.Add(1)
				_, _ = io.Copy(rw, r.Body)
			})
		},
	})
	require.NoError(t, err)
	return w
}

// dawn is when the tests begin.
var dawn = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// signingKey is shared, because making one is slow.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// tenants accept what dummyToken makes.
func tenants() map[avalara.Environment]guard.Tenant {
	tenant := guard.Tenant{Issuers: []string{"https://idp.test"}, Key: func(kid string) *rsa.PublicKey {
		if kid != "k" {
			return nil
		}
		return &signingKey().PublicKey
	}}
	return map[avalara.Environment]guard.Tenant{avalara.Sandbox: tenant, avalara.Production: tenant}
}

// dummyToken is valid for an hour.
func dummyToken(t testing.TB, scope string, issued time.Time) string {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"iss": "https://idp.test", "exp": issued.Add(time.Hour).Unix(), "client_id": "c", "scope": []string{scope},
	})
	require.NoError(t, err)
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"RS256","kid":"k","typ":"at+jwt"}`)) + "." + enc.EncodeToString(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, signingKey(), crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + enc.EncodeToString(sig)
}

func (w *world) post(env avalara.Environment, api avalara.API, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	w.guard.Handler(env, api).ServeHTTP(rec, r)
	return rec
}

func TestOfflineAnswersByTheMockAndPricesTheRequest(t *testing.T) {
	w := newWorld(t, nil)
	token := dummyToken(t, avalara.ScopeHSCode, w.now)
	rec := w.post(avalara.Sandbox, avalara.Current, "/hscode/classify_from_hs6", token, `{"items":[{},{}]}`)
	assert.Equal(t, 200, rec.Code)
	assert.Equal(t, `{"items":[{},{}]}`, rec.Body.String(), "the mock must get the whole body, though the guard read it")
	assert.Equal(t, guard.Tally{Requests: 1, Mocked: 1, Price: 2}, w.guard.Tally())
}

func TestOfflineProductionCostsNothing(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.post(avalara.Production, avalara.Current, "/hscode/classify", dummyToken(t, avalara.ScopeHSCode, w.now), `{}`)
	assert.Equal(t, 200, rec.Code)
	assert.Equal(t, guard.Tally{Requests: 1, Mocked: 1}, w.guard.Tally(), "only the sandbox has an allowance")
}

func TestProjectOperationsComeFirst(t *testing.T) {
	w := newWorld(t, guard.Operations{{Match: "POST /hscode/hints", Cost: 5}})
	w.post(avalara.Sandbox, avalara.Current, "/hscode/hints", dummyToken(t, avalara.ScopeHSCode, w.now), `{}`)
	assert.Equal(t, 5, w.guard.Tally().Price)
}

func TestBadTokenReachesNobodyAndCostsNothing(t *testing.T) {
	w := newWorld(t, nil)
	good := dummyToken(t, avalara.ScopeHSCode, w.now)
	w.now = w.now.Add(66 * time.Minute)
	tests := []struct {
		name, token string
		api         avalara.API
		status      int
		challenge   string
	}{
		{"no token", "", avalara.Current, 401, "Bearer"},
		{"expired", good, avalara.Current, 401, `Bearer error="invalid_token", error_description="The token expired at '01/01/2027 01:00:00'"`},
		{"scope of the other host", dummyToken(t, avalara.ScopeHSCode, w.now), avalara.Legacy, 403, ""},
	}
	for i, tt := range tests {
		rec := w.post(avalara.Sandbox, tt.api, "/hscode/classify", tt.token, `{}`)
		assert.Equal(t, tt.status, rec.Code, tt.name)
		assert.Equal(t, tt.challenge, rec.Header().Get("WWW-Authenticate"), tt.name)
		assert.Equal(t, guard.Tally{Requests: i + 1, Refused: i + 1}, w.guard.Tally(), tt.name)
	}
	assert.Zero(t, w.served.Load())
}

// TestSeveralAuthorizationsAreNone: nobody knows which of them is meant, and the mock, or
// a proxy in between, may read another one than the guard.
func TestSeveralAuthorizationsAreNone(t *testing.T) {
	w := newWorld(t, nil)
	good := "Bearer " + dummyToken(t, avalara.ScopeHSCode, w.now)
	for _, values := range [][]string{{good, "Bearer e30.e30.e30"}, {"Bearer e30.e30.e30", good}, {good, good}, {good, ""}} {
		r := httptest.NewRequest(http.MethodPost, "/hscode/classify", strings.NewReader(`{}`))
		r.Header["Authorization"] = values
		rec := httptest.NewRecorder()
		w.guard.Handler(avalara.Sandbox, avalara.Current).ServeHTTP(rec, r)
		assert.Equal(t, 401, rec.Code)
		assert.Equal(t, `Bearer error="invalid_token"`, rec.Header().Get("WWW-Authenticate"))
	}
	assert.Zero(t, w.served.Load())
}

func TestEnvironmentWithoutATenantTakesNoToken(t *testing.T) {
	g, err := guard.New(guard.Config{Mock: func(avalara.Environment, avalara.API) http.Handler { return http.NotFoundHandler() }})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/hscode/classify", nil)
	r.Header.Set("Authorization", "Bearer e30.e30.e30")
	rec := httptest.NewRecorder()
	g.Handler(avalara.Sandbox, avalara.Current).ServeHTTP(rec, r)
	assert.Equal(t, 401, rec.Code)
}

func TestNewRefusesWhatItCannotDo(t *testing.T) {
	mock := func(avalara.Environment, avalara.API) http.Handler { return http.NotFoundHandler() }
	for name, cfg := range map[string]guard.Config{
		"a mode that buys":   {Mode: guard.Live, Mock: mock},
		"no mock":            {},
		"a wrong operation":  {Mock: mock, Operations: guard.Operations{{Match: "hints"}}},
		"a hidden operation": {Mock: mock, Operations: guard.Operations{{Match: "POST /**", Cost: 1}, {Match: "POST /hscode/hints"}}},
	} {
		_, err := guard.New(cfg)
		assert.Error(t, err, name)
	}
}
