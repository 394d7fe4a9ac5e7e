package services_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// ownUpstream is a project's sandbox with hosts of its own.
func ownUpstream() guard.Upstream {
	return guard.Upstream{Identity: "https://login.sandbox.example", APIs: map[avalara.API]string{
		avalara.Current: "https://hscode.api.sbx.avalara.com", avalara.Legacy: "https://hscode.sandbox.example", avalara.Managed: "https://managed.sandbox.example:8443",
	}}
}

// reality is the real hosts of one set of services, over TLS.
type reality struct {
	t      *testing.T
	local  *services.Local
	server *httptest.Server
	sent   *atomic.Int64 // what reached the stand-in for the sandbox
}

// allowing is a meter that writes nothing down and allows everything.
type allowing struct{}

func (allowing) Spend(context.Context, quota.SpendSpec) (quota.Entry, error) {
	return quota.Entry{}, nil
}
func (allowing) Check(context.Context) error                { return nil }
func (allowing) Settle(quota.Settlement) error              { return nil }
func (allowing) Deny(error)                                 {}
func (allowing) Exhaust(context.Context, int, string) error { return nil }

// real serves the real hosts of services in a mode. What they buy comes from a stand-in.
func real(t *testing.T, mode guard.Mode, keys map[avalara.Environment]*mockidp.Keys) *reality {
	t.Helper()
	m := &reality{t: t, sent: new(atomic.Int64)}
	cfg := services.Config{
		Mode: mode, Upstream: ownUpstream(), Keys: keys,
		Clients: []mockidp.Client{{ID: "known", Secrets: []mockidp.Secret{{Value: "known-secret"}}}},
	}
	if mode != guard.Offline {
		store, err := recording.Open(recording.Config{Dir: t.TempDir()})
		require.NoError(t, err)
		cfg.Cassette = guard.NewCassette(store, 0)
	}
	if mode.Buys() {
		sandbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Path == avalara.PathToken {
				_, _ = io.WriteString(w, `{"access_token":"bought","token_type":"Bearer","expires_in":3600}`)
				return
			}
			m.sent.Add(1)
			_, _ = io.WriteString(w, `{"hsCode":"6109100012"}`)
		}))
		t.Cleanup(sandbox.Close)
		var ids atomic.Int64
		var err error
		cfg.Purchase, err = guard.NewPurchase(guard.PurchaseConfig{
			Meter: allowing{}, Upstream: guard.Upstream{Identity: sandbox.URL, APIs: map[avalara.API]string{
				avalara.Current: sandbox.URL, avalara.Legacy: sandbox.URL, avalara.Managed: sandbox.URL,
			}},
			Credential: guard.Credential{ClientID: "real", ClientSecret: "real-secret"},
			NewID:      func() string { return fmt.Sprint(ids.Add(1)) },
		})
		require.NoError(t, err)
	}
	var err error
	m.local, err = services.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.local.Close()) })
	m.server = httptest.NewUnstartedServer(m.local.RealHosts())
	m.server.EnableHTTP2 = true
	m.server.StartTLS()
	t.Cleanup(m.server.Close)
	return m
}

// client knows the real hosts by the names in URLs, and whatever it asks comes here.
func (m *reality) client(h2 bool) *http.Client {
	tr := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // certificates are tested where they are made
		ForceAttemptHTTP2: h2,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", m.server.Listener.Addr().String())
		},
	}
	if !h2 {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	m.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// answer is a response that was read whole.
type answer struct {
	status int
	header http.Header
	text   string
	proto  int
}

func (m *reality) do(c *http.Client, r *http.Request) answer {
	m.t.Helper()
	resp, err := c.Do(r)
	require.NoError(m.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(m.t, err)
	return answer{resp.StatusCode, resp.Header, string(text), resp.ProtoMajor}
}

// token asks a host for a token as a program does that has a credential built in.
func (m *reality) token(c *http.Client, host, id, secret, scope string) answer {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://"+host+avalara.PathToken, strings.NewReader(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {scope},
	}.Encode()))
	require.NoError(m.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return m.do(c, r)
}

func (m *reality) classify(c *http.Client, host, token string) answer {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://"+host+avalara.PathClassify, strings.NewReader(`{"description":"men's cotton t-shirt","countryOfDestination":"US"}`))
	require.NoError(m.t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return m.do(c, r)
}

func accessToken(t *testing.T, a answer) string {
	t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.text), &token), a.text)
	require.NotEmpty(t, token.AccessToken, a.text)
	return token.AccessToken
}

// The sandbox's hosts and the project's own answer in every mode, by HTTP/1.1 and 2, with
// a credential that nobody here knows.
func TestRealHostsOfTheSandbox(t *testing.T) {
	t.Parallel()
	keys := services.NewKeys(guard.Live)
	for _, mode := range []guard.Mode{guard.Offline, guard.Replay, guard.Record, guard.Live} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			m := real(t, mode, keys)
			for i, h2 := range []bool{false, true} {
				c := m.client(h2)
				got := m.token(c, "ai-sbx.avlr.sh", "built-in", "built-in-secret", avalara.ScopeHSCode)
				require.Equal(t, 200, got.status, got.text)
				assert.Equal(t, i+1, got.proto)
				token := accessToken(t, got)
				own := accessToken(t, m.token(c, "login.sandbox.example", "built-in", "other-secret", avalara.ScopeHSCode))
				avatax := accessToken(t, m.token(c, "ai-sbx.avlr.sh", "built-in", "built-in-secret", avalara.ScopeAvaTax))

				want := map[guard.Mode]int{guard.Offline: 200, guard.Replay: 424, guard.Record: 200, guard.Live: 200}[mode]
				for _, token := range []string{token, own} {
					got = m.classify(c, "hscode.api.sbx.avalara.com", token)
					assert.Equal(t, want, got.status, got.text)
				}
				if mode == guard.Replay {
					assert.Equal(t, string(guard.Missed), got.header.Get(guard.VerdictHeader))
				}
				assert.Equal(t, want, m.classify(c, "HSCODE.sandbox.example.", avatax).status, "the project's legacy host")
				assert.Equal(t, 403, m.classify(c, "hscode.sandbox.example", token).status, "has its own scope")
				assert.Equal(t, 401, m.classify(c, "hscode.api.sbx.avalara.com", "").status)
				assert.Equal(t, 401, m.token(c, "hscode.api.sbx.avalara.com", "x", "y", "").status, "an API gives no token")

				discovery, err := c.Get("https://ai-sbx.avlr.sh" + avalara.PathDiscovery)
				require.NoError(t, err)
				var meta avalara.Metadata
				require.NoError(t, json.NewDecoder(discovery.Body).Decode(&meta))
				_ = discovery.Body.Close()
				assert.Equal(t, avalara.MetadataOf("https://ai-sbx.avlr.sh"), meta)

				got = m.token(c, "ai-sbx.avlr.sh", "known", "wrong", avalara.ScopeHSCode)
				assert.Equal(t, 400, got.status)
				assert.JSONEq(t, `{"error":"invalid_client"}`, got.text, "a client of the run is no stranger")
				assert.Equal(t, 200, m.token(c, "ai-sbx.avlr.sh", "known", "known-secret", avalara.ScopeHSCode).status)
				assert.Equal(t, 400, m.token(c, "ai-sbx.avlr.sh", "built-in", "", avalara.ScopeHSCode).status, "no secret is none")
			}
			verdict, _ := m.local.Verdict()
			assert.Equal(t, map[guard.Mode]guard.Verdict{guard.Replay: guard.Missed}[mode], verdict)
			if mode.Buys() {
				assert.EqualValues(t, map[guard.Mode]int{guard.Record: 2, guard.Live: 6}[mode], m.sent.Load(), "bought once in record")
			}
			resp, err := http.PostForm(m.local.TokenURL(avalara.Sandbox), url.Values{"grant_type": {"client_credentials"}, "client_id": {"built-in"}, "client_secret": {"x"}})
			require.NoError(t, err)
			_ = resp.Body.Close()
			assert.Equal(t, 400, resp.StatusCode, "where others can ask, strangers get nothing")
		})
	}
}

// A production host is judged by its name, before token and body: offline the mock
// answers; else it is refused, counted, and fails the run.
func TestRealHostsOfProduction(t *testing.T) {
	t.Parallel()
	keys := services.NewKeys(guard.Live)
	hosts := []string{"identity.avalara.com", "hscode.api.avalara.com", "hscode.avatax.avalara.com", "api.classification.avalara.net"}
	for _, mode := range []guard.Mode{guard.Offline, guard.Replay, guard.Record, guard.Live} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			m := real(t, mode, keys)
			c := m.client(true)
			if mode == guard.Offline {
				token := accessToken(t, m.token(c, hosts[0], "built-in", "s", avalara.ScopeHSCode))
				assert.Equal(t, 200, m.classify(c, hosts[1], token).status)
				assert.Equal(t, 401, m.classify(c, "hscode.api.sbx.avalara.com", token).status, "of the other environment")
				verdict, _ := m.local.Verdict()
				assert.Empty(t, verdict)
				return
			}
			for i, host := range hosts {
				for _, got := range []answer{m.token(c, host, "built-in", "s", ""), m.classify(c, host, "no-token")} {
					assert.Equal(t, 424, got.status)
					assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
					assert.Equal(t, string(guard.Policy), got.header.Get(guard.VerdictHeader))
					assert.Contains(t, got.text, host+" is production, which hsharness never calls")
				}
				assert.Equal(t, guard.Tally{Requests: 2 * (i + 1), Refused: 2 * (i + 1)}, tallyOf(t, m.local))
			}
			verdict, reason := m.local.Verdict()
			assert.Equal(t, guard.Policy, verdict, "exit code 6")
			assert.Contains(t, reason, "identity.avalara.com is production")
			assert.Zero(t, m.sent.Load())
		})
	}
}

// The SDKs' other hosts are refused by name in every mode, and say what to ask instead.
func TestRealHostsOfTheSDKs(t *testing.T) {
	t.Parallel()
	for _, mode := range []guard.Mode{guard.Offline, guard.Replay} {
		m := real(t, mode, nil)
		c := m.client(false)
		for host, instead := range map[string]string{
			"api.avalara.com": "hscode.api.avalara.com", "api.sbx.avalara.com": "hscode.api.sbx.avalara.com",
			"ai-awsfqa.avlr.sh": "ai-sbx.avlr.sh", "ai-awscqa.avlr.sh": "ai-sbx.avlr.sh",
		} {
			got := m.classify(c, host, "x")
			assert.Equal(t, 424, got.status)
			assert.Equal(t, string(guard.Policy), got.header.Get(guard.VerdictHeader))
			assert.Contains(t, got.text, host)
			assert.Contains(t, got.text, "ask "+instead+" instead")
		}
		assert.Equal(t, guard.Tally{Requests: 4, Refused: 4}, tallyOf(t, m.local))
		verdict, _ := m.local.Verdict()
		assert.Equal(t, guard.Policy, verdict)
	}
}

// A request is for the host that it names, which the connection must have been made
// for, whatever the spelling.
func TestRealHostsAreToldApart(t *testing.T) {
	t.Parallel()
	m := real(t, guard.Replay, nil)
	for _, row := range []struct {
		sni, target, host string
		want              int
	}{
		{"ai-sbx.avlr.sh", "/.well-known/openid-configuration", "ai-sbx.avlr.sh", 200},
		{"ai-sbx.avlr.sh", "/.well-known/openid-configuration", "AI-SBX.avlr.sh.:443", 200},
		{"", "/.well-known/openid-configuration", "ai-sbx.avlr.sh", 200},
		{"ai-sbx.avlr.sh", "https://ai-sbx.avlr.sh/.well-known/openid-configuration", "identity.avalara.com", 200},
		{"ai-sbx.avlr.sh", "https://identity.avalara.com/connect/token", "ai-sbx.avlr.sh", 421},
		{"ai-sbx.avlr.sh", "/connect/token", "identity.avalara.com", 421},
		{"ai-sbx.avlr.sh", "/hscode/classify", "hscode.api.sbx.avalara.com", 421},
		{"identity.avalara.com", "/connect/token", "ai-sbx.avlr.sh", 421},
		{"identity.avalara.com", "/connect/token", "identity.avalara.com", 424},
		{"ai-sbx.avlr.sh", "/", "ai-sbx.avlr.sh:8443", 421},
		{"ai-sbx.avlr.sh", "/", "127.0.0.1", 421},
		{"", "/", "127.0.0.1", 421},
		{"", "/", "localhost", 421},
		{"", "/", "other.avalara.com", 421},
		{"", "/", "ai-sbx.avlr.sh.evil.example", 421},
		{"", "/", "ai-sbx%2eavlr.sh", 421},
		{"", "/", "xn--ai-sbx.avlr.sh", 421},
		{"", "/", "", 421},
	} {
		raw, err := tls.Dial("tcp", m.server.Listener.Addr().String(), &tls.Config{ServerName: row.sni, InsecureSkipVerify: true}) //nolint:gosec // as above
		require.NoError(t, err)
		_, err = fmt.Fprintf(raw, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", row.target, row.host)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(raw), nil)
		require.NoError(t, err)
		_ = raw.Close()
		assert.Equal(t, row.want, resp.StatusCode, "%+v", row)
	}
	// A client of HTTP/2 that sends requests for several hosts over one connection is told
	// to make another.
	c := m.client(true)
	for host, want := range map[string]int{"ai-sbx.avlr.sh": 200, "identity.avalara.com": 421, "hscode.api.sbx.avalara.com": 421} {
		r, err := http.NewRequest(http.MethodGet, "https://ai-sbx.avlr.sh"+avalara.PathDiscovery, nil)
		require.NoError(t, err)
		r.Host = host
		got := m.do(c, r)
		assert.Equal(t, 2, got.proto)
		assert.Equal(t, want, got.status, host)
	}
	tally := tallyOf(t, m.local)
	assert.Equal(t, guard.Tally{Requests: 1, Refused: 1}, tally, "what is misdirected is nobody's request")

	plain := httptest.NewServer(m.local.RealHosts())
	defer plain.Close()
	r, err := http.NewRequest(http.MethodGet, plain.URL+avalara.PathDiscovery, nil)
	require.NoError(t, err)
	r.Host = "ai-sbx.avlr.sh"
	assert.Equal(t, 421, m.do(plain.Client(), r).status, "plain HTTP is no real host's")
}

func TestRealNames(t *testing.T) {
	t.Parallel()
	m := real(t, guard.Offline, nil)
	assert.Equal(t, []string{
		"ai-sbx.avlr.sh", "hscode.api.sbx.avalara.com", "api-sandbox.classification.avalara.net",
		"identity.avalara.com", "hscode.api.avalara.com", "hscode.avatax.avalara.com", "api.classification.avalara.net",
		"api.avalara.com", "api.sbx.avalara.com", "ai-awsfqa.avlr.sh", "ai-awscqa.avlr.sh",
		"hscode.sandbox.example", "login.sandbox.example",
	}, m.local.RealNames())
	assert.Empty(t, services.OwnNames(guard.RealSandbox()))
	assert.Empty(t, services.OwnNames(guard.Upstream{Identity: "http://127.0.0.1:1", APIs: map[avalara.API]string{
		avalara.Current: "https://10.0.0.1", avalara.Legacy: "http://sandbox.example", avalara.Managed: "https://localhost",
	}}))
}
