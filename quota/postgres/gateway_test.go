//go:build unix

package postgres_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// TestGatewayUnderLoad lets 200 callers ask two instances of a gateway, kills one
// of them by SIGKILL in the middle, then kills PostgreSQL and starts both again.
// The sandbox's own count is the truth: the ledger must know of every unit that
// it served, and none may be served above what was granted or capped.
func TestGatewayUnderLoad(t *testing.T) {
	t.Parallel()
	const (
		callers, each = 200, 2
		granted       = 2000
		tight         = 40 // the cap of one key, for which three times as much is asked
	)
	g := newLoadedTeam(t, granted, map[string]int{"shop": 400, "ci": 400, "nightly": 400, "small": tight})
	g.instances[0].start()
	g.instances[1].start()

	var answered, refused atomic.Int64
	third, half := make(chan struct{}), make(chan struct{})
	var working sync.WaitGroup
	names := []string{"shop", "ci", "nightly", "shop", "small"}
	for n := range callers {
		c := &caller{team: g, key: names[n%len(names)], first: n % 2}
		working.Go(func() {
			for i := range each {
				switch verdict := c.classify(fmt.Sprintf("item %d of caller %d", i, n)); {
				case verdict == "":
					switch answered.Add(1) {
					case callers * each / 4:
						close(third)
					case callers * each / 2:
						close(half)
					}
				case verdict == "blocked" && c.key == "small":
					refused.Add(1)
				default:
					t.Errorf("caller %d of key %s: %s", n, c.key, verdict)
				}
			}
		})
	}
	// What follows happens while they ask.
	wait := func(reached <-chan struct{}) {
		select {
		case <-reached:
		case <-g.ctx.Done():
			t.Error("the callers got no further")
		}
	}
	wait(third)
	g.instances[0].kill()
	wait(half)
	g.postgres.Kill()
	g.postgres.Restart()
	g.instances[0].start()
	working.Wait()
	for _, i := range g.instances {
		i.stop()
	}

	// The next admission frees what the killed one held.
	out, err := g.command("exec", "--mode", "live", "--max-spend", "1", "--", "true").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = g.command("quota", "verify").CombinedOutput()
	require.NoError(t, err, "%s", out)
	status, drawn := g.ledger()
	served := g.sandbox.API(avalara.Sandbox).Usage().Served
	lost, over := max(served-status.Spent, 0), max(served-granted, 0)
	t.Logf("served %d, ledger %d (%d of unknown outcome), lost %d, over %d; answered %d, refused for their cap %d",
		served, status.Spent, status.Unknown, lost, over, answered.Load(), refused.Load())
	assert.Zero(t, lost)
	assert.Zero(t, over)
	assert.Zero(t, status.Held)
	assert.LessOrEqual(t, status.Spent-served, status.Unknown, "what was not served is of unknown outcome")
	assert.LessOrEqual(t, drawn["small"], int64(tight))
	assert.EqualValues(t, callers*each, answered.Load()+refused.Load(), "every caller got an answer")
	assert.GreaterOrEqual(t, refused.Load(), int64(callers*each/len(names)-tight))
	assert.GreaterOrEqual(t, served, answered.Load())
}

// loadedTeam is a gateway of two instances on one PostgreSQL, in front of a mock
// sandbox that counts by itself.
type loadedTeam struct {
	t         *testing.T
	ctx       context.Context
	dir       string
	binary    string
	postgres  *pgtest.Server
	sandbox   *services.Server
	keys      map[string]string
	instances [2]*instance
	client    *http.Client
}

func newLoadedTeam(t *testing.T, granted int64, caps map[string]int) *loadedTeam {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	t.Cleanup(cancel)
	g := &loadedTeam{t: t, ctx: ctx, dir: t.TempDir(), postgres: pgtest.Private(t), keys: map[string]string{}}
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	g.binary = program(t)
	sandbox, err := services.Serve(services.Config{
		Clients: []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: "real-secret"}}, Scopes: avalara.Scopes()}},
	}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	g.sandbox = sandbox
	t.Cleanup(func() { require.NoError(t, g.sandbox.Close()) })
	urls := g.sandbox.Endpoints.Sandbox
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: real-secret } }\n", urls.Identity, urls.API)
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "hsharness.yaml"), []byte(project), 0o600))
	out, err := g.command("quota", "init", "--granted", strconv.FormatInt(granted, 10)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, most := range caps {
		key, err := g.command("gateway", "keys", "add", name, "--cap", strconv.Itoa(most)).Output()
		require.NoError(t, err)
		g.keys[name] = strings.TrimSpace(string(key))
	}
	for n := range g.instances {
		g.instances[n] = &instance{team: g}
	}
	return g
}

func (g *loadedTeam) command(args ...string) *exec.Cmd {
	cmd := exec.Command(g.binary, args...)
	cmd.Dir, cmd.Env = g.dir, append(os.Environ(), "HSHARNESS_LEDGER="+g.postgres.DSN(), "CI=")
	return cmd
}

// ledger is what it says in all, and what each key has drawn.
func (g *loadedTeam) ledger() (status quota.Status, drawn map[string]int64) {
	g.t.Helper()
	out, err := g.command("quota", "status", "--format", "json").Output()
	require.NoError(g.t, err)
	require.NoError(g.t, json.Unmarshal(out, &status))
	out, err = g.command("quota", "runs", "--limit", "0", "--format", "json").Output()
	require.NoError(g.t, err)
	drawn = map[string]int64{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var runs []quota.RunInfo
		if err := dec.Decode(&runs); err == io.EOF {
			return status, drawn
		} else {
			require.NoError(g.t, err)
		}
		for _, run := range runs {
			drawn[run.Actor] += run.Spent
		}
	}
}

// instance is one process of the gateway, whose address changes when it starts
// again.
type instance struct {
	team *loadedTeam
	cmd  *exec.Cmd
	base atomic.Value // its URL
}

func (i *instance) start() {
	t := i.team.t
	t.Helper()
	i.cmd = i.team.command("gateway", "--mode", "record", "--allotment", "20", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet")
	i.cmd.Stderr = os.Stderr
	out, err := i.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, i.cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var urls services.URLs
	require.NoError(t, json.Unmarshal(line, &urls))
	i.base.Store(urls.API)
}

func (i *instance) kill() {
	require.NoError(i.team.t, i.cmd.Process.Kill())
	_ = i.cmd.Wait() // how it ended is known
}

func (i *instance) stop() {
	require.NoError(i.team.t, i.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(i.team.t, i.cmd.Wait())
}

// caller is one of many who ask with a key: at another instance when one does
// not answer, and again when the ledger is away.
type caller struct {
	team   *loadedTeam
	key    string
	first  int
	base   string // whose token it has
	token  string
	failed int
}

// classify asks until there is an answer. It returns the verdict of a refusal
// that is final, or nothing.
func (c *caller) classify(description string) (verdict string) {
	for c.team.ctx.Err() == nil {
		base := c.team.instances[(c.first+c.failed)%2].base.Load().(string)
		status, verdict, err := c.try(base, description)
		switch {
		case err == nil && status == http.StatusOK:
			return ""
		case err != nil || status == http.StatusUnauthorized || verdict == "ledger-unavailable":
			c.failed++
			c.base = ""
			<-time.After(20 * time.Millisecond) // as a client that backs off
		default:
			return verdict
		}
	}
	return "no answer in time"
}

func (c *caller) try(base, description string) (status int, verdict string, err error) {
	if c.base != base {
		if err := c.authenticate(base); err != nil {
			return 0, "", err
		}
	}
	body := fmt.Sprintf(`{"description":%q,"countryOfDestination":"US"}`, "cup, "+description)
	r, err := http.NewRequestWithContext(c.team.ctx, http.MethodPost, base+avalara.PathClassify, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.team.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Hsharness-Verdict"), err
}

func (c *caller) authenticate(base string) error {
	resp, err := c.team.client.PostForm(base+avalara.PathToken, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.key}, "client_secret": {c.team.keys[c.key]}, "scope": {avalara.ScopeHSCode},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	c.base, c.token = base, answer.AccessToken
	return nil
}
