package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/hsharness/hsharness/harness/stand"
)

var update = flag.Bool("update", false, "write the screenshot of the gateway's page again")

// TestGatewayPage looks at the status page of a gateway in Chromium while its
// callers spend: the figures are the ledger's, it refreshes itself, nothing of it
// is wrong, and it fits a phone.
func TestGatewayPage(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed")
		}
		t.Log("NOT RUN: chromium is not installed")
		return
	}
	g := startGateway(t)
	for i := range 3 {
		g.classify(t, "shop", i)
	}
	g.classify(t, "nightly", 3)

	browser, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.WindowSize(1100, 760))...)
	defer cancel()
	var mu sync.Mutex
	var wrong []string
	tab, cancel := chromedp.NewContext(browser, chromedp.WithListener(func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			wrong = append(wrong, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			wrong = append(wrong, e.ExceptionDetails.Text)
		}
	}))
	defer cancel()
	tab, cancel = context.WithTimeout(tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(tab, chromedp.Navigate(g.operations)); err != nil {
		t.Fatal(err)
	}
	want := g.status(t)
	shows(t, tab, want)
	keys := shown(t, tab)["keys"]
	for _, text := range []string{"shop", "checkout", "200", "nightly", "accepted", "old", "revoked"} {
		if !strings.Contains(keys, text) {
			t.Errorf("the keys don't show %q: %s", text, keys)
		}
	}
	shot, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil || len(shot) < 10_000 {
		t.Errorf("a picture of %d bytes, %v", len(shot), err)
	}
	if *update {
		if err := os.WriteFile("../docs/gateway.png", shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}

	// It shows what is new without being asked.
	g.classify(t, "shop", 4)
	after := g.status(t)
	if after["spent"] == want["spent"] {
		t.Fatal("nothing is new")
	}
	shows(t, tab, after)

	if err := chromedp.Do(tab, chromedp.EmulateViewport(375, 700), chromedp.Navigate(g.operations)); err != nil {
		t.Fatal(err)
	}
	if page := shown(t, tab); page["overflow"] != "0" {
		t.Errorf("on a phone the page is %s pixels too wide", page["overflow"])
	}
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(wrong, "; "))
	}
}

// look reads all of the page at once: it may be loading itself again.
const look = `Object.fromEntries([...document.querySelectorAll("[id]")].map(e => [e.id, e.innerText])
	.concat([["overflow", String(Math.max(document.documentElement.scrollWidth - window.innerWidth, 0))]]))`

// shown is what the page shows, by the ids of its elements.
func shown(t *testing.T, tab context.Context) map[string]string {
	t.Helper()
	for {
		page, err := chromedp.Run(tab, chromedp.Evaluate[map[string]string](look))
		if err == nil && page["spent"] != "" {
			return page
		}
		select {
		case <-tab.Done():
			t.Fatalf("the page can't be read: %v", err)
		case <-time.After(50 * time.Millisecond): // it is between two
		}
	}
}

// shows waits until the page shows these figures.
func shows(t *testing.T, tab context.Context, want map[string]string) {
	t.Helper()
	for {
		page, same := shown(t, tab), true
		for id, figure := range want {
			same = same && page[id] == figure
		}
		if same {
			return
		}
		select {
		case <-tab.Done():
			t.Fatalf("the page shows %v, the ledger says %v", page, want)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// gateway is one that runs as a process of its own, in front of a mock sandbox.
type gateway struct {
	dir, binary     string
	api, operations string
	keys            map[string]string
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{dir: t.TempDir(), keys: map[string]string{}}
	g.binary = filepath.Join(g.dir, "hsharness")
	build := exec.Command("go", "build", "-o", g.binary, "./cmd/hsharness")
	build.Dir = ".." // whose dependencies are not this module's
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sandbox, err := stand.Serve(stand.Config{}, stand.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sandbox.Close() })
	e := sandbox.Endpoints
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: %s, client_secret: %s } }\n",
		e.Sandbox.Identity, e.Sandbox.API, e.ClientID, e.ClientSecret)
	if err := os.WriteFile(filepath.Join(g.dir, "hsharness.yaml"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	g.run(t, "quota", "init", "--granted", "1000", "--spent-before", "37", "--floor", "100")
	g.keys["shop"] = strings.TrimSpace(g.run(t, "gateway", "keys", "add", "shop", "--suite", "checkout", "--cap", "200"))
	g.keys["nightly"] = strings.TrimSpace(g.run(t, "gateway", "keys", "add", "nightly", "--cap", "5"))
	g.run(t, "gateway", "keys", "add", "old", "--cap", "50")
	g.run(t, "gateway", "keys", "revoke", "old")

	cmd := g.command("gateway", "--mode", "record", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	var urls struct {
		API        string `json:"api_url"`
		Operations string `json:"operations_url"`
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&urls); err != nil {
		t.Fatal(err)
	}
	g.api, g.operations = urls.API, urls.Operations
	return g
}

func (g *gateway) command(args ...string) *exec.Cmd {
	cmd := exec.Command(g.binary, args...)
	cmd.Dir, cmd.Env = g.dir, append(os.Environ(), "CI=", "XDG_STATE_HOME="+g.dir)
	return cmd
}

func (g *gateway) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := g.command(args...).Output()
	if err != nil {
		t.Fatalf("hsharness %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// status are the figures of the page as the ledger has them.
func (g *gateway) status(t *testing.T) map[string]string {
	t.Helper()
	var s struct{ Granted, Spent, Unknown, Held, Floor, Usable int }
	if err := json.Unmarshal([]byte(g.run(t, "quota", "status", "--format", "json")), &s); err != nil {
		t.Fatal(err)
	}
	text := strconv.Itoa
	return map[string]string{
		"granted": text(s.Granted), "spent": text(s.Spent), "unknown": text(s.Unknown), "held": text(s.Held), "floor": text(s.Floor), "left": text(s.Usable),
	}
}

// classify buys one answer with a key.
func (g *gateway) classify(t *testing.T, key string, n int) {
	t.Helper()
	resp, err := http.PostForm(g.api+"/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {key}, "client_secret": {g.keys[key]}, "scope": {"hs-code-classification"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, g.api+"/hscode/classify",
		strings.NewReader(fmt.Sprintf(`{"description":"cup number %d","countryOfDestination":"US"}`, n)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the gateway answered %d", answer.StatusCode)
	}
}
