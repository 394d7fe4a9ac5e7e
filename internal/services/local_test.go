package services_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

func start(t *testing.T) *services.Local {
	t.Helper()
	s, err := services.New(services.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func post(t *testing.T, target, token string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, target, strings.NewReader(`{"description":"laptop","countryOfDestination":"US"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestTokenOpensItsOwnHostOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, env := range avalara.Environments() {
		for _, scope := range avalara.Scopes() {
			token, err := s.Token(t.Context(), env, scope)
			require.NoError(t, err)
			for _, at := range avalara.Environments() {
				for _, api := range []avalara.API{avalara.Current, avalara.Legacy} {
					base, err := s.APIURL(at, api)
					require.NoError(t, err)
					want := http.StatusOK
					switch {
					case at != env:
						want = http.StatusUnauthorized
					case avalara.HostOf(at, api).Scopes[0] != scope:
						want = http.StatusForbidden
					}
					got := post(t, base+avalara.PathClassify, token).StatusCode
					assert.Equal(t, want, got, "%s token of %s at %s %s", scope, env, at, api)
				}
			}
		}
	}
	tally, err := s.Tally()
	require.NoError(t, err)
	assert.Equal(t, 16, tally.Requests)
	assert.Equal(t, 2, tally.Price, "a sandbox answer for each scope; production and refusals are free")
}

// Whatever the clock does, the token that is given out is one that counts now: after a clock
// that went back, one that was asked for later would not be valid yet.
func TestTokensFollowTheClockBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	const years = 100 * 365 * 24 * time.Hour
	for _, move := range []time.Duration{0, 66 * time.Minute, -66 * time.Minute, years, -years, -years, years, 0} {
		require.NoError(t, s.Advance(move))
		token, err := s.Token(t.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Current).Scopes[0])
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, post(t, base+avalara.PathClassify, token).StatusCode, "after %s", move)
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.APIURL(avalara.Sandbox, avalara.Current)
	require.NoError(t, err)
	for defect, want := range map[string]int{"expired": 401, "bad_signature": 401, "wrong_scope": 403} {
		token, err := s.BadToken(avalara.Sandbox, avalara.Current, defect)
		require.NoError(t, err)
		assert.Equal(t, want, post(t, base+avalara.PathClassify, token).StatusCode, defect)
	}
	_, err = s.BadToken(avalara.Sandbox, avalara.Current, "odd")
	assert.Error(t, err)
	tally, err := s.Tally()
	require.NoError(t, err)
	assert.Zero(t, tally.Price)
}

// A fault for one client, or one scope, struck nobody where a guard stands before the API.
func TestFaultsOnAnAPIKnowWhoAsks(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, _ := s.Client()
	require.NoError(t, s.AddFaults(
		control.Fault{On: "api", Client: "another", Status: 501},
		control.Fault{On: "api", Client: id, Scope: avalara.ScopeAvaTax, Status: 502},
		control.Fault{On: "api", Scope: avalara.ScopeHSCode, Status: 503},
	))
	ask := func(api avalara.API, scope string) int {
		base, err := s.APIURL(avalara.Sandbox, api)
		require.NoError(t, err)
		token, err := s.Token(t.Context(), avalara.Sandbox, scope)
		require.NoError(t, err)
		return post(t, base+avalara.PathClassify, token).StatusCode
	}
	assert.Equal(t, 403, ask(avalara.Legacy, avalara.ScopeHSCode), "a token that is refused is nobody's")
	assert.Equal(t, 503, ask(avalara.Current, avalara.ScopeHSCode))
	assert.Equal(t, 200, ask(avalara.Current, avalara.ScopeHSCode), "it struck once")
	assert.Equal(t, 502, ask(avalara.Legacy, avalara.ScopeAvaTax))
}

func TestURLsAreStable(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, err := s.APIURL(avalara.Sandbox, avalara.Managed)
	require.NoError(t, err)
	again, err := s.APIURL(avalara.Sandbox, avalara.Managed)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.NotEqual(t, s.IdentityURL(avalara.Sandbox), s.IdentityURL(avalara.Production))
	assert.Equal(t, s.IdentityURL(avalara.Sandbox)+"/connect/token", s.TokenURL(avalara.Sandbox))
}

func TestEnvironGivesACommandAllItNeeds(t *testing.T) {
	t.Parallel()
	s := start(t)
	environ, err := s.Environ(avalara.Sandbox)
	require.NoError(t, err)
	vars := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	resp, err := http.PostForm(vars["HSHARNESS_TOKEN_URL"], url.Values{
		"grant_type": {"client_credentials"}, "client_id": {vars["HSHARNESS_CLIENT_ID"]},
		"client_secret": {vars["HSHARNESS_CLIENT_SECRET"]}, "scope": {"hs-code-classification"},
	})
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&token))
	assert.Equal(t, 200, post(t, vars["HSHARNESS_API_URL"]+avalara.PathClassify, token.AccessToken).StatusCode)
	for _, name := range []string{"HSHARNESS_IDENTITY_URL", "HSHARNESS_LEGACY_API_URL", "HSHARNESS_MANAGED_API_URL", "HSHARNESS_CONTROL_URL"} {
		assert.True(t, strings.HasPrefix(vars[name], "http://127.0.0.1:"), name)
	}
	assert.Equal(t, "offline", vars["HSHARNESS_MODE"])
}

func TestServeGivesConsecutivePorts(t *testing.T) {
	t.Parallel()
	// The port after one that is free may be another test's: then the next pair.
	var s *services.Server
	var first int
	var err error
	for range 50 {
		l, listenErr := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, listenErr)
		first = l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		s, err = services.Serve(services.Config{}, services.Addresses{
			Identity: "127.0.0.1:" + strconv.Itoa(first), API: "127.0.0.1:0", Control: "127.0.0.1:0",
		})
		if err == nil {
			break
		}
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	assert.Equal(t, "http://127.0.0.1:"+strconv.Itoa(first), s.Endpoints.Sandbox.Identity)
	assert.Equal(t, "http://127.0.0.1:"+strconv.Itoa(first+1), s.Endpoints.Production.Identity)

	// A taken port leaves nothing open.
	_, err = services.Serve(services.Config{}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:" + strconv.Itoa(first)})
	assert.ErrorContains(t, err, "address already in use")
}

func TestServeRefusesAddressesThatOthersReach(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "10.1.2.3:8700", "[::]:0", "example.com:80"} {
		_, err := services.Serve(services.Config{}, services.Addresses{Identity: "127.0.0.1:0", API: addr, Control: "127.0.0.1:0"})
		var notLoopback *services.NotLoopbackError
		assert.ErrorAs(t, err, &notLoopback, addr)
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:65535"} {
		_, err := services.Serve(services.Config{}, services.Addresses{Identity: addr, API: "127.0.0.1:0", Control: "127.0.0.1:0"})
		assert.Error(t, err, addr)
	}
}

func TestControlEndpoint(t *testing.T) {
	t.Parallel()
	s := start(t)
	base, err := s.ControlURL()
	require.NoError(t, err)
	again, err := s.ControlURL()
	require.NoError(t, err)
	assert.Equal(t, base, again)
	call := func(method, path, body string) (int, string) {
		r, err := http.NewRequest(method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		answer             string
	}{
		"wrong since":         {"GET", "/requests?since=x", "", 400, "no sequence number"},
		"since below zero":    {"GET", "/requests?since=-1", "", 400, "no sequence number"},
		"since in octal":      {"GET", "/requests?since=01", "", 400, "no sequence number"},
		"no advance":          {"POST", "/clock", `{}`, 400, "advance is missing"},
		"times by a fraction": {"POST", "/faults", `{"status":500,"times":1.0}`, 400, "times is 1.0"},
		"a list with null":    {"POST", "/faults", `[{"status":null}]`, 400, "[0].status is null"},
		"unknown member":      {"POST", "/clock", `{"advanc":"1m"}`, 400, "advanc is unknown"},
		"more than one value": {"POST", "/clock", `{"advance":"1m"} {}`, 400, "more follows"},
		"wrong duration":      {"POST", "/clock", `{"advance":"1"}`, 400, "no duration"},
		"a fault of nothing":  {"POST", "/faults", `{}`, 400, "must do something"},
		"wrong environment":   {"POST", "/keys/rotate", `{"environment":"prod"}`, 400, "neither sandbox nor production"},
		"wrong defect":        {"POST", "/tokens", `{"defect":"odd"}`, 400, "odd"},
		"wrong method":        {"PUT", "/clock", ``, 405, ""},
		"a list of faults":    {"POST", "/faults", `[{"on":"jwks","status":503},{"on":"jwks","status":500}]`, 204, ""},
	} {
		status, answer := call(tt.method, tt.path, tt.body)
		assert.Equal(t, tt.status, status, name)
		assert.Contains(t, answer, tt.answer, name)
	}

	before := s.Clock.Now()
	status, _ := call("POST", "/clock", `{"advance":"+66m"}`)
	require.Equal(t, 200, status)
	assert.WithinDuration(t, before.Add(66*time.Minute), s.Clock.Now(), time.Minute)

	for _, want := range []int{503, 500, 200} {
		resp, err := http.Get(s.IdentityURL(avalara.Sandbox) + avalara.PathJWKS)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode)
	}
	_, answer := call("GET", "/requests?since=2", "")
	var entries []control.Entry
	require.NoError(t, json.Unmarshal([]byte(answer), &entries))
	require.Len(t, entries, 1)
	assert.Equal(t, "jwks", entries[0].Endpoint)
	status, _ = call("DELETE", "/requests", "")
	assert.Equal(t, 204, status)
	assert.Empty(t, s.Journal.Entries(0))

	status, _ = call("POST", "/keys/rotate", `{"environment":"sandbox"}`)
	assert.Equal(t, 204, status)
	status, _ = call("POST", "/reset", "")
	assert.Equal(t, 204, status)
	assert.Zero(t, s.Clock.Offset())
}

func TestKeysOfAMockGuardNothingThatCosts(t *testing.T) {
	for _, mode := range []guard.Mode{guard.Offline, guard.Replay, guard.Record, guard.Live} {
		for env, keys := range services.NewKeys(mode) {
			assert.Equal(t, !mode.Buys(), keys.MockOnly(), "%s %s", mode, env)
		}
		_, err := services.New(services.Config{Mode: mode, Keys: services.NewKeys(guard.Offline)})
		if mode.Buys() {
			require.ErrorContains(t, err, "a mock's key")
		}
	}
}
