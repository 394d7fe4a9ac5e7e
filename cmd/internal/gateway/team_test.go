package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

const realSecret = "the-real-license-key"

// team is a gateway in this process whose clock a test moves, in front of a
// sandbox that counts. Its ledger is a file, which further instances share.
type team struct {
	t       *testing.T
	server  *services.Server // the sandbox, whose own count is the truth
	project *project.Project
	dir     string
	gateway *Gateway
	url     string
	keys    map[string]string
	tokens  sync.Map      // by the key's name
	ahead   *atomic.Int64 // how far the clock was moved, in nanoseconds
	maxWait time.Duration
	asked   *atomic.Int64 // requests, so that none is like another
}

// newTeam makes a gateway with keys, each with its cap.
func newTeam(t *testing.T, granted, allotment int64, caps map[string]int64) *team {
	t.Helper()
	g := &team{t: t, dir: t.TempDir(), keys: map[string]string{}, ahead: &atomic.Int64{}, asked: &atomic.Int64{}}
	var err error
	g.server, err = services.Serve(services.Config{
		Clients:          []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: realSecret}}, Scopes: avalara.Scopes()}},
		SandboxAllowance: &granted,
	}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.server.Close()) })
	urls := g.server.Endpoints.Sandbox
	file := filepath.Join(g.dir, project.Name)
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil,
		"version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id } }\n", urls.Identity, urls.API), 0o600))
	g.project, err = project.Read(file, false, g.getenv)
	require.NoError(t, err)
	made, err := g.source().OpenBy(func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		return at.Init(t.Context(), quota.InitSpec{Allowance: at.Allowance, Account: client.Account, Granted: granted})
	})
	require.NoError(t, err)
	made.Close()

	var keys []Key
	for name, most := range caps {
		key, hash, err := NewKey()
		require.NoError(t, err)
		g.keys[name] = key
		keys = append(keys, Key{Name: name, Suite: "suite-of-" + name, Cap: most, SHA256: hash})
	}
	require.NoError(t, ChangeKeys(filepath.Join(g.dir, DefaultKeys), func([]Key) ([]Key, error) { return keys, nil }))
	g.start(allotment)
	return g
}

func (g *team) getenv(name string) string {
	return map[string]string{"XDG_STATE_HOME": g.dir}[name]
}

func (g *team) source() ledger.Source { return ledger.Source{Project: g.project, Getenv: g.getenv} }

// instance is another gateway on the same ledger, clock and keys.
func (g *team) instance(allotment int64) *team {
	other := &team{t: g.t, server: g.server, project: g.project, dir: g.dir, keys: g.keys, ahead: g.ahead, asked: g.asked, maxWait: g.maxWait}
	other.start(allotment)
	return other
}

func (g *team) start(allotment int64) {
	g.t.Helper()
	upstream, err := g.project.Upstream()
	require.NoError(g.t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.gateway.Handler().ServeHTTP(w, r) }))
	g.url = "http://" + server.Listener.Addr().String()
	opened, err := g.source().Open(g.t.Context())
	require.NoError(g.t, err)
	g.gateway, err = New(Config{
		Keys: NewKeyring(filepath.Join(g.dir, DefaultKeys), g.url, mockidp.NewKeys(nil)), Mode: guard.Limit{Mode: guard.Live, By: "--mode"},
		Ledger: opened, Allotment: allotment, MaxWait: g.maxWait,
		Purchase: guard.PurchaseConfig{
			Upstream: upstream, Credential: guard.Credential{ClientID: "real-id", ClientSecret: realSecret}, NewID: rand.Text,
		},
	})
	require.NoError(g.t, err)
	g.gateway.meter.now = func() time.Time { return time.Unix(0, g.ahead.Load()) } // it stands still unless a test moves it
	server.Start()
	g.t.Cleanup(func() {
		require.NoError(g.t, g.gateway.Stop(time.Minute, func(context.Context) error { server.Close(); return nil }))
		opened.Close()
	})
}

// served is the sandbox's own count.
func (g *team) served() int64 { return g.server.API(avalara.Sandbox).Usage().Served }

func (g *team) verify() {
	g.t.Helper()
	found, err := g.gateway.ledger.Store.Verify(g.t.Context())
	require.NoError(g.t, err)
	assert.Empty(g.t, found.Problems)
}

// ask classifies something that was never asked before, with a key, and returns
// the status and what the gateway itself says.
func (g *team) ask(key string) (status int, body string) {
	g.t.Helper()
	return g.post(key, "/hscode/classify", fmt.Sprintf(`{"description":"cup number %d","countryOfDestination":"US"}`, g.asked.Add(1)))
}

func (g *team) post(key, path, body string) (int, string) {
	g.t.Helper()
	token, ok := g.tokens.Load(key)
	if !ok {
		token = g.token(key)
		g.tokens.Store(key, token)
	}
	r, err := http.NewRequest(http.MethodPost, g.url+path, strings.NewReader(body))
	require.NoError(g.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.(string))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(g.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	assert.NotContains(g.t, string(text), realSecret)
	return resp.StatusCode, string(text)
}

func (g *team) token(key string) string {
	g.t.Helper()
	resp, err := http.PostForm(g.url+"/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {key}, "client_secret": {g.keys[key]}, "scope": {"hs-code-classification"},
	})
	require.NoError(g.t, err)
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(g.t, json.NewDecoder(resp.Body).Decode(&answer))
	require.NotEmpty(g.t, answer.AccessToken)
	return answer.AccessToken
}

func (g *team) later(d time.Duration) { g.ahead.Add(int64(d)) }

// settled waits for the runs that are ending, and returns what the ledger says.
func (g *team) settled() quota.Status {
	g.t.Helper()
	g.gateway.meter.ending.Wait()
	s, err := g.gateway.ledger.Store.Status(g.t.Context())
	require.NoError(g.t, err)
	return s
}

func (g *team) runs() []quota.RunInfo {
	g.t.Helper()
	runs, err := g.gateway.ledger.Store.Runs(g.t.Context(), 0)
	require.NoError(g.t, err)
	return runs
}

func (g *team) entries(kind quota.Kind) int {
	g.t.Helper()
	n := 0
	for e, err := range g.gateway.ledger.Store.Entries(g.t.Context(), 0) {
		require.NoError(g.t, err)
		if e.Kind == kind {
			n++
		}
	}
	return n
}
