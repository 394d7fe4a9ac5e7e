package browser_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/services"
)

// TestGatewayPage looks at the status page of a gateway while its callers spend:
// the figures are the ledger's, it refreshes itself, and it fits a phone.
func TestGatewayPage(t *testing.T) {
	g := startGateway(t)
	for i := range 3 {
		g.classify("shop", i)
	}
	g.classify("nightly", 3)
	ctx := open(t)
	do(t, ctx, chromedp.Navigate(g.operations))
	before := g.status()
	page := shows(t, ctx, before)
	for _, text := range []string{"shop", "checkout", "200", "nightly", "accepted", "old", "revoked"} {
		assert.Contains(t, page["keys"], text)
	}
	assert.Equal(t, "2", page["charts"])
	if *update {
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		assert.Less(t, len(png), 200_000)
		require.NoError(t, os.WriteFile("../../docs/gateway.png", png, 0o644))
	}

	// It shows what is new without being asked.
	g.classify("shop", 4)
	after := g.status()
	require.NotEqual(t, before["spent"], after["spent"])
	shows(t, ctx, after)

	do(t, ctx, chromedp.EmulateViewport(360, 800), chromedp.Navigate(g.operations))
	assert.Equal(t, "0", shown(t, ctx)["overflow"], "nothing sticks out on a phone")
	// Nor do names of any length and script, as others chose them.
	for _, name := range strangeNames() {
		odd := g.command("exec", "--mode", "replay", "--suite", name, "--", "true")
		odd.Env = append(odd.Env, "HSHARNESS_ACTOR="+name, "HSHARNESS_BRANCH="+name)
		require.NoError(t, odd.Run())
		tooMuch := g.command("exec", "--mode", "live", "--max-spend", "100000", "--suite", name, "--", "true")
		require.Error(t, tooMuch.Run(), "it is blocked")
	}
	do(t, ctx, chromedp.Navigate(g.operations))
	page = shows(t, ctx, g.status())
	for _, name := range strangeNames()[:3] {
		assert.Contains(t, page["runs"], name)
	}
	keepsNobodyOut(t, ctx, axe(t), "gateway")
}

// look reads all of the page at once: it may be loading itself again.
const look = `Object.fromEntries([...document.querySelectorAll("[id]")].map(e => [e.id, (e.querySelector(":scope > dd") || e).innerText])
	.concat([["overflow", String(Math.max(document.documentElement.scrollWidth - window.innerWidth, 0))],
		["charts", String(document.querySelectorAll("figure > svg").length)]]))`

// shown is what the page shows, by the ids of its elements.
func shown(t *testing.T, ctx context.Context) map[string]string {
	t.Helper()
	for {
		page, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]string](look))
		if err == nil && page["spent"] != "" {
			return page
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the page can't be read: %v", err)
		case <-time.After(50 * time.Millisecond): // it is between two
		}
	}
}

// shows waits until the page shows these figures.
func shows(t *testing.T, ctx context.Context, want map[string]string) map[string]string {
	t.Helper()
	for {
		page, same := shown(t, ctx), true
		for id, figure := range want {
			same = same && page[id] == figure
		}
		if same {
			return page
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the page shows %v, the ledger says %v", page, want)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// gateway is one that runs as a process of its own, in front of a mock sandbox.
type gateway struct {
	t               *testing.T
	dir, binary     string
	api, operations string
	keys            map[string]string
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir(), keys: map[string]string{}}
	g.binary = filepath.Join(g.dir, "hsharness")
	build := exec.Command("go", "build", "-o", g.binary, "./cmd/hsharness")
	build.Dir = "../.." // whose dependencies are not this module's
	build.Env = append(os.Environ(), "GOWORK=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	sandbox, err := services.Serve(services.Config{}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = sandbox.Close() })
	e := sandbox.Endpoints
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: %s, client_secret: %s } }\n",
		e.Sandbox.Identity, e.Sandbox.API, e.ClientID, e.ClientSecret)
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "hsharness.yaml"), []byte(project), 0o600))
	g.run("quota", "init", "--granted", "1000", "--spent-before", "37", "--floor", "100")
	g.keys["shop"] = strings.TrimSpace(g.run("gateway", "keys", "add", "shop", "--suite", "checkout", "--cap", "200"))
	g.keys["nightly"] = strings.TrimSpace(g.run("gateway", "keys", "add", "nightly", "--cap", "5"))
	g.run("gateway", "keys", "add", "old", "--cap", "50")
	g.run("gateway", "keys", "revoke", "old")

	cmd := g.command("gateway", "--mode", "record", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		assert.NoError(t, cmd.Wait())
	})
	var urls struct {
		API        string `json:"api_url"`
		Operations string `json:"operations_url"`
	}
	require.NoError(t, json.NewDecoder(bufio.NewReader(stdout)).Decode(&urls))
	g.api, g.operations = urls.API, urls.Operations
	return g
}

func (g *gateway) command(args ...string) *exec.Cmd {
	cmd := exec.Command(g.binary, args...)
	cmd.Dir, cmd.Env = g.dir, append(os.Environ(), "CI=", "XDG_STATE_HOME="+g.dir)
	return cmd
}

func (g *gateway) run(args ...string) string {
	g.t.Helper()
	out, err := g.command(args...).Output()
	require.NoError(g.t, err, "%s", args)
	return string(out)
}

// status are the figures of the page as the ledger has them.
func (g *gateway) status() map[string]string {
	g.t.Helper()
	var s struct{ Granted, Spent, Held, Floor, Usable int }
	require.NoError(g.t, json.Unmarshal([]byte(g.run("quota", "status", "--format", "json")), &s))
	text := strconv.Itoa
	return map[string]string{
		"granted": text(s.Granted), "spent": text(s.Spent), "held": text(s.Held), "floor": text(s.Floor), "left": text(s.Usable),
	}
}

// classify buys one answer with a key.
func (g *gateway) classify(key string, n int) {
	g.t.Helper()
	resp, err := http.PostForm(g.api+"/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {key}, "client_secret": {g.keys[key]}, "scope": {"hs-code-classification"},
	})
	require.NoError(g.t, err)
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(g.t, json.NewDecoder(resp.Body).Decode(&token))
	r, err := http.NewRequest(http.MethodPost, g.api+"/hscode/classify",
		strings.NewReader(fmt.Sprintf(`{"description":"cup number %d","countryOfDestination":"US"}`, n)))
	require.NoError(g.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(g.t, err)
	_ = answer.Body.Close()
	require.Equal(g.t, http.StatusOK, answer.StatusCode)
}
