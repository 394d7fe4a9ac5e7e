package mockapi_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/mockidp/control"
)

var start = time.Date(2027, 2, 20, 12, 0, 0, 0, time.UTC)

// signingKey is made once: what a test signs with does not matter to it.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// service is a Server behind real sockets, one for each host.
type service struct {
	*mockapi.Server
	t    testing.TB
	env  avalara.Environment
	urls map[avalara.API]string
	// documented has every answer compared with the OpenAPI document.
	documented bool
}

func serve(t testing.TB, cfg mockapi.Config) *service {
	t.Helper()
	cfg.Key = func(kid string) *rsa.PublicKey {
		if kid != "K1" {
			return nil
		}
		return &signingKey().PublicKey
	}
	if cfg.Clock == nil {
		cfg.Clock = control.NewClock(func() time.Time { return start })
	}
	if cfg.Environment == "" {
		cfg.Environment = avalara.Sandbox
	}
	srv, err := mockapi.New(cfg)
	require.NoError(t, err)
	s := &service{
		Server: srv, t: t, env: cfg.Environment, urls: map[avalara.API]string{},
		documented: !cfg.BareErrors && cfg.Templates == nil,
	}
	for _, api := range avalara.APIs() {
		ts := httptest.NewServer(srv.Handler(api))
		t.Cleanup(ts.Close)
		s.urls[api] = ts.URL
	}
	return s
}

// token signs a token of this environment's identity service.
func (s *service) token(client string, change map[string]any) string {
	claims := map[string]any{
		"iss": avalara.IdentityURL(s.env), "client_id": client, "scope": avalara.Scopes(),
		"nbf": start.Unix(), "exp": start.Unix() + avalara.TokenLifetime,
	}
	for name, value := range change {
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	require.NoError(s.t, err)
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"K1"}`)) +
		"." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, signingKey(), crypto.SHA256, sum[:])
	require.NoError(s.t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// at is the value at a path of object keys and array indexes in the body.
func (a answer) at(t testing.TB, path ...any) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "no object at %v in %s", p, a.body)
			v = m[p]
		case int:
			list, ok := v.([]any)
			require.True(t, ok && p < len(list), "no element %v in %s", p, a.body)
			v = list[p]
		}
	}
	return v
}

// send makes a request of the usual client, with JSON as its content type
// unless edit says otherwise.
func (s *service) send(api avalara.API, method, path, body string, edit ...func(*http.Request)) (answer, error) {
	req, err := http.NewRequest(method, s.urls[api]+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token("2000000001", nil))
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edit {
		e(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	a := answer{res.StatusCode, res.Header, string(data)}
	if err == nil && s.documented {
		checkDocumented(s.t, api, req, a)
	}
	return a, err
}

func (s *service) do(api avalara.API, method, path, body string, edit ...func(*http.Request)) answer {
	s.t.Helper()
	a, err := s.send(api, method, path, body, edit...)
	require.NoError(s.t, err)
	return a
}

func withHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (s *service) as(client string, change map[string]any) func(*http.Request) {
	return withHeader("Authorization", "Bearer "+s.token(client, change))
}

const shirt = `{"description":"men's cotton t-shirt","countryOfDestination":"US"}`

// classify asks for the shirt on the current host.
func (s *service) classify(edit ...func(*http.Request)) answer {
	s.t.Helper()
	return s.do(avalara.Current, http.MethodPost, avalara.PathClassify, shirt, edit...)
}

func (s *service) served() int64 { return s.Usage().Served }

func TestTokenIsBoundToEnvironmentAndHost(t *testing.T) {
	invalid := func(text string) string { return `Bearer error="invalid_token", error_description="` + text + `"` }
	for _, env := range avalara.Environments() {
		s := serve(t, mockapi.Config{Environment: env})
		other := avalara.IdentityURL(avalara.Production)
		if env == avalara.Production {
			other = avalara.IdentityURL(avalara.Sandbox)
		}
		for _, api := range avalara.APIs() {
			path := avalara.PathClassify
			if api == avalara.Managed {
				path = managedPath
			}
			scopes := avalara.HostOf(env, api).Scopes
			for _, scope := range append(avalara.Scopes(), "openid") {
				t.Run(strings.Join([]string{string(env), string(api), scope}, " "), func(t *testing.T) {
					got := s.do(api, http.MethodPost, path, "{}", s.as("c", map[string]any{"scope": []string{scope}}))
					if slices.Contains(scopes, scope) {
						assert.Equal(t, http.StatusUnprocessableEntity, got.status, "past the token")
						return
					}
					assert.Equal(t, http.StatusForbidden, got.status)
					assert.NotContains(t, got.header, "Www-Authenticate")
					assert.NotContains(t, got.header, "Content-Type")
					assert.Empty(t, got.body)
				})
			}
			got := s.do(api, http.MethodPost, path, "{}", s.as("c", map[string]any{"iss": other}))
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, invalid("The issuer '"+other+"' is invalid"), got.header.Get("WWW-Authenticate"))
			assert.Empty(t, got.body)

			got = s.do(api, http.MethodPost, path, "{}", func(r *http.Request) { r.Header.Del("Authorization") })
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"))
		}
		assert.Zero(t, s.Usage())
	}
}

func TestTokenAgesByTheMocksClock(t *testing.T) {
	clock := control.NewClock(func() time.Time { return start })
	s := serve(t, mockapi.Config{Clock: clock})
	require.NoError(t, clock.Advance(64*time.Minute))
	assert.Equal(t, http.StatusOK, s.classify().status)
	require.NoError(t, clock.Advance(2*time.Minute))
	got := s.classify()
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Equal(t, `Bearer error="invalid_token", error_description="The token expired at '02/20/2027 13:00:00'"`, got.header.Get("WWW-Authenticate"))
}

func TestChecksComeInOrder(t *testing.T) {
	zero := int64(0)
	s := serve(t, mockapi.Config{Allowance: &zero})
	noToken := func(r *http.Request) { r.Header.Del("Authorization") }
	text := withHeader("Content-Type", "text/plain")
	huge := strings.Repeat(" ", 1<<20) + "{}"
	post := http.MethodPost
	for name, row := range map[string]struct {
		got    answer
		status int
		number int
	}{
		"path before method":        {s.do(avalara.Current, http.MethodPut, "/nothing", "", noToken), 404, 0},
		"method before token":       {s.do(avalara.Current, http.MethodPut, avalara.PathClassify, "", noToken), 405, 0},
		"token before content type": {s.do(avalara.Current, post, avalara.PathClassify, huge, noToken, text), 401, 0},
		"content type before size":  {s.do(avalara.Current, post, avalara.PathClassify, huge, text), 415, 4016},
		"size before JSON":          {s.do(avalara.Current, post, avalara.PathClassify, huge), 413, 187},
		"JSON before fields":        {s.do(avalara.Current, post, avalara.PathClassify, `{"description":`), 400, 70},
		"fields before allowance":   {s.do(avalara.Current, post, avalara.PathClassify, `{}`), 422, 5},
		"allowance before work":     {s.do(avalara.Current, post, avalara.PathClassify, shirt), 429, 1715},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.status, row.got.status)
			assert.NotEmpty(t, row.got.header.Get("X-Correlation-Id"))
			if row.number == 0 {
				assert.Empty(t, row.got.body)
				return
			}
			assert.EqualValues(t, row.number, row.got.at(t, "error", "details", 0, "number"))
		})
	}
}

func TestPathsOfOtherHostsAreNotFound(t *testing.T) {
	s := serve(t, mockapi.Config{})
	for api, paths := range map[avalara.API][]string{
		avalara.Current: {managedPath, "/", "/hscode/classify/", "/HSCODE/classify", "//hscode/classify", "/api/v2/companies"},
		avalara.Legacy:  {managedPath},
		avalara.Managed: {
			avalara.PathClassify, "/api/v2/companies/3402/classifications", "/api/v2/companies/0/classifications/hs",
			"/api/v2/companies/x/classifications/hs", "/api/v2/companies/+1/classifications/hs", managedPath + "//", managedPath + "/a/b",
			managedPath + "x", "/api/v2/companies/",
		},
	} {
		for _, path := range paths {
			assert.Equal(t, http.StatusNotFound, s.do(api, http.MethodPost, path, shirt).status, path)
		}
	}
	got := s.do(avalara.Managed, http.MethodPut, managedPath+"/3402-SKU001-CA", "{}")
	assert.Equal(t, http.StatusMethodNotAllowed, got.status, "the 2026 index has no PUT any more")
	assert.Equal(t, "GET", got.header.Get("Allow"))

	unknown := httptest.NewRecorder()
	s.Handler("self-serve").ServeHTTP(unknown, httptest.NewRequest(http.MethodPost, avalara.PathClassify, nil))
	assert.Equal(t, http.StatusNotFound, unknown.Code)
}

func TestCorrelationID(t *testing.T) {
	s := serve(t, mockapi.Config{})
	assert.Equal(t, "my-id", s.classify(withHeader("x-correlation-id", "my-id")).header.Get("X-Correlation-Id"))
	a, b := s.classify().header.Get("X-Correlation-Id"), s.classify().header.Get("X-Correlation-Id")
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, a)
	assert.NotEqual(t, a, b)
	long := strings.Repeat("x", 129)
	assert.NotEqual(t, long, s.classify(withHeader("x-correlation-id", long)).header.Get("X-Correlation-Id"))
}

func TestJournalNamesHostClientAndStatus(t *testing.T) {
	s := serve(t, mockapi.Config{})
	s.classify()
	s.do(avalara.Managed, http.MethodGet, managedPath+"/x", "", func(r *http.Request) { r.Header.Del("Authorization") })
	s.do(avalara.Legacy, http.MethodPost, "/big", strings.Repeat("x", 1<<20))
	got := s.Journal().Entries(0)
	require.Len(t, got, 3)
	assert.Equal(t, "1 sandbox api current POST /hscode/classify -> 200", got[0].String())
	assert.Equal(t, "2 sandbox api managed GET /api/v2/companies/3402/classifications/hs/x -> 401", got[1].String())
	assert.Equal(t, "2000000001", got[0].Client)
	assert.Equal(t, shirt, got[0].Body)
	assert.Equal(t, "Bearer ***", got[0].Header.Get("Authorization"))
	assert.Equal(t, start, got[0].Time)
	assert.Empty(t, got[1].Client)
	assert.Len(t, got[2].Body, 4<<10)
}

func TestConfigErrors(t *testing.T) {
	minus := int64(-1)
	for want, cfg := range map[string]mockapi.Config{
		"environment staging is neither sandbox nor production":                                                  {Environment: "staging"},
		"the allowance must not be negative":                                                                     {Allowance: &minus},
		`exhausted profile "teapot" is none of [request_limit subscription rate_limit payment_required gateway]`: {Exhausted: "teapot"},
	} {
		_, err := mockapi.New(cfg)
		assert.EqualError(t, err, want)
	}
}

func TestZeroConfigRefusesEveryToken(t *testing.T) {
	srv, err := mockapi.New(mockapi.Config{})
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, avalara.PathClassify, bytes.NewReader(nil))
	req.Header.Set("Authorization", "Bearer a.b.c")
	req.Body = nil // as a caller in the same process may leave it
	w := httptest.NewRecorder()
	srv.Handler(avalara.Current).ServeHTTP(w, req)
	assert.Equal(t, http.StatusUnauthorized, w.Code)
}
