package guard_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/secret"
)

func TestSecretHidesItself(t *testing.T) {
	c := guard.Credential{ClientID: "id", ClientSecret: "hunter2"}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text = fmt.Appendf(text, verb+verb, c, c.ClientSecret)
	}
	text = append(text, c.ClientSecret.String()...)
	assert.NotContains(t, string(text), "hunter2")
	assert.NotContains(t, string(text), fmt.Sprintf("%x", "hunter2"))
}

// withIdentity is a live guard whose identity service answers as given.
func withIdentity(t *testing.T, identity http.HandlerFunc) *live {
	t.Helper()
	service := httptest.NewServer(identity)
	t.Cleanup(service.Close)
	l := newLive(t, liveConfig{})
	p, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter:      guard.Metered(l.run, l.store),
		Upstream:   guard.Upstream{Identity: service.URL + "/", APIs: map[avalara.API]string{avalara.Current: l.apiURL}},
		Credential: guard.Credential{ClientID: realID, ClientSecret: realSecret},
		NewID:      rand.Text,
	})
	require.NoError(t, err)
	l.guard, err = guard.New(guard.Config{Mode: guard.Live, Tenants: tenants(), Purchase: p})
	require.NoError(t, err)
	return l
}

func TestNothingIsSpentWithoutAToken(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the credential went to another host: %s", r.URL)
	}))
	defer elsewhere.Close()
	for name, tt := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"bad credential":      {400, `{"error":"invalid_client"}`, "check environments.sandbox.client_id"},
		"scope not allowed":   {400, `{"error":"invalid_scope"}`, "status 400 invalid_scope"},
		"echoes the secret":   {400, `{"error":"` + realSecret + `","error_description":"` + realSecret + `"}`, "status 400"},
		"out of order":        {503, realSecret, "status 503"},
		"redirects":           {307, ``, "status 307"},
		"no token":            {200, `{}`, "access_token"},
		"no JSON":             {200, realSecret, "gave no token"},
		"no number of time":   {200, `{"access_token":"abc","expires_in":"` + realSecret + `"}`, "gave no token"},
		"a token of 65 kB":    {200, `{"access_token":"` + strings.Repeat("a", 64<<10+1) + `"}`, "its token has 65537 bytes, and may have 65536"},
		"header in the token": {200, `{"access_token":"a\r\nX-Evil: 1"}`, "Authorization"},
	} {
		l := withIdentity(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, avalara.PathToken, r.URL.Path)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		rec := l.post(hints)
		l.refused(rec, guard.UpstreamFailed)
		assert.Contains(t, rec.Body.String(), tt.says, name)
		assert.NotContains(t, rec.Body.String(), realSecret, name)
		assert.Zero(t, l.counted.Load(), name)
		assert.Zero(t, l.spent(), name)
	}
}

// A token as long as one may be buys: one byte more is refused above.
func TestTheLongestTokenBuys(t *testing.T) {
	l := withIdentity(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"` + strings.Repeat("a", 64<<10) + `"}`))
	})
	assert.Equal(t, 200, l.do(l.request(http.MethodGet, managedGet, "")).Code)
}

// What is no HTTP is quoted in the error of whoever reads it.
func TestAnswerThatIsNoHTTPShowsNoSecret(t *testing.T) {
	for name, answer := range map[string]string{
		"status":  "HTTP/1.1 " + realSecret + "\r\n\r\n",
		"header":  "HTTP/1.1 200 OK\r\n" + realSecret + "\r\n\r\n",
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: " + realSecret + "\r\n\r\n",
		"base64":  "HTTP/1.1 200 OK\r\n" + base64.StdEncoding.EncodeToString([]byte("id:"+realSecret)) + "\r\n\r\n",
		"percent": "HTTP/1.1 200 OK\r\n" + strings.ReplaceAll(realSecret, "-", "%2d") + "\r\n\r\n",
	} {
		raw := func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			require.NoError(t, err)
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
		unspent, spent := withIdentity(t, raw), newLive(t, liveConfig{API: raw})
		for l, units := range map[*live]int{unspent: 0, spent: 1} {
			rec := l.post(hints)
			l.refused(rec, guard.UpstreamFailed)
			assert.Contains(t, rec.Body.String(), ": ", name)
			f, err := secret.NewFinder(secret.Secret{Name: "client_secret", Value: realSecret})
			require.NoError(t, err)
			assert.Empty(t, f.Names(rec.Body.Bytes()), name)
			assert.Equal(t, units, l.spent(), name)
		}
	}
}

func TestTokenIsKeptUntilItGetsOld(t *testing.T) {
	for _, expiresIn := range []string{`,"expires_in":3600`, `,"expires_in":60`, ``, `,"expires_in":0`} {
		asked := 0
		l := withIdentity(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"a"` + expiresIn + `}`))
		})
		for range 3 {
			assert.Equal(t, 200, l.do(l.request(http.MethodGet, managedGet, "")).Code)
		}
		assert.Equal(t, 1, asked, expiresIn)
	}
}

func TestNewPurchaseRefusesWhatItCannotDo(t *testing.T) {
	l := newLive(t, liveConfig{})
	whole := guard.PurchaseConfig{
		Meter:      guard.Metered(l.run, l.store),
		Upstream:   guard.RealSandbox(),
		Credential: guard.Credential{ClientID: realID, ClientSecret: realSecret},
		NewID:      func() string { return "s" },
	}
	_, err := guard.NewPurchase(whole)
	require.NoError(t, err)
	for says, spoil := range map[string]func(*guard.PurchaseConfig){
		"bought without a ledger":            func(c *guard.PurchaseConfig) { c.Meter = nil },
		"nothing is bought":                  func(c *guard.PurchaseConfig) { c.NewID = nil },
		"needs a credential":                 func(c *guard.PurchaseConfig) { c.Credential.ClientSecret = "" },
		"set environments.sandbox.client_id": func(c *guard.PurchaseConfig) { c.Credential.ClientID = "" },
		"identity_url":                       func(c *guard.PurchaseConfig) { c.Upstream.Identity = "" },
		"is production":                      func(c *guard.PurchaseConfig) { c.Upstream.Identity = avalara.IdentityURL(avalara.Production) },
	} {
		cfg := whole
		spoil(&cfg)
		_, err := guard.NewPurchase(cfg)
		assert.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), realSecret)
	}
}

func TestUpstream(t *testing.T) {
	for says, base := range map[string]string{
		"is no base URL":            "sandbox.test",
		"scheme and a host":         "https://sandbox.test/v1",
		"nothing else":              "https://sandbox.test?x=1",
		"a user name or a password": "https://me:" + realSecret + "@sandbox.test",
		"such as":                   "ftp://sandbox.test",
		"avalara.com is production": "https://HSCODE.api.avalara.com.:443",
	} {
		err := guard.Upstream{APIs: map[avalara.API]string{avalara.Current: base}}.Validate()
		assert.ErrorContains(t, err, says, base)
		assert.NotContains(t, err.Error(), realSecret)
	}
	loopback := guard.Upstream{Identity: "http://localhost:8700", APIs: map[avalara.API]string{avalara.Current: "http://[::1]:8710/"}}
	require.NoError(t, loopback.Validate())
	assert.True(t, loopback.AllLoopback())
	mixed := guard.Upstream{Identity: "http://127.0.0.1:1", APIs: map[avalara.API]string{avalara.Current: "https://sandbox.test"}}
	assert.True(t, mixed.AnyLoopback())
	assert.False(t, mixed.AllLoopback())
	real := guard.RealSandbox()
	require.NoError(t, real.Validate())
	assert.False(t, real.AnyLoopback())
	assert.NotContains(t, real.APIs, avalara.Legacy, "its host is unknown")
	assert.False(t, guard.Upstream{}.AllLoopback())
}
