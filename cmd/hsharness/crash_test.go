package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

const realSecret = "the-real-license-key"

// sandbox is a mock sandbox whose own count is the truth, and a project whose
// ledger has to agree with it. The commands run as processes of their own.
type sandbox struct {
	t      *testing.T
	server *services.Server
	dir    string
	key    string // the account's secret
}

func newSandbox(t *testing.T, granted int64) *sandbox {
	t.Helper()
	return newSandboxWith(t, granted, realSecret)
}

// newSandboxWith is a sandbox whose account has another secret.
func newSandboxWith(t *testing.T, granted int64, key string) *sandbox {
	t.Helper()
	s := serveSandboxWith(t, granted, "127.0.0.1", key)
	out, err := s.command("quota", "init", "--granted", fmt.Sprint(granted)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return s
}

// serveSandbox is a sandbox at an address of this machine, without a ledger.
func serveSandbox(t *testing.T, granted int64, host string) *sandbox {
	t.Helper()
	return serveSandboxWith(t, granted, host, realSecret)
}

func serveSandboxWith(t *testing.T, granted int64, host, key string) *sandbox {
	t.Helper()
	server, err := services.Serve(services.Config{
		Clients:          []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: key}}, Scopes: avalara.Scopes()}},
		SandboxAllowance: &granted,
	}, services.Addresses{Identity: host + ":0", API: host + ":0", Control: "127.0.0.1:0", Anywhere: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s := &sandbox{t: t, server: server, dir: t.TempDir(), key: key}
	urls := server.Endpoints.Sandbox
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: %q } }\n",
		urls.Identity, urls.API, "${REAL_SECRET}")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "hsharness.yaml"), []byte(project), 0o600))
	return s
}

// command is hsharness in the project's folder.
func (s *sandbox) command(args ...string) *exec.Cmd {
	cmd := exec.Command("hsharness", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "REAL_SECRET="+s.key, "CI=", "XDG_STATE_HOME="+s.dir)
	return cmd
}

func (s *sandbox) served() int64 { return s.server.API(avalara.Sandbox).Usage().Served }

func (s *sandbox) status() quota.Status {
	s.t.Helper()
	out, err := s.command("quota", "status", "--format", "json").Output()
	require.NoError(s.t, err)
	var status quota.Status
	require.NoError(s.t, json.Unmarshal(out, &status))
	return status
}

func (s *sandbox) verify() {
	s.t.Helper()
	out, err := s.command("quota", "verify").CombinedOutput()
	require.NoError(s.t, err, "%s", out)
}

func TestKillingGuardsLosesNoCount(t *testing.T) {
	t.Parallel()
	const granted, rounds = 150, 50
	s := newSandbox(t, granted)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	killed := 0
	for round := range rounds {
		var guards []*exec.Cmd
		for range 2 {
			cmd := s.command("exec", "--quiet", "--mode", "live", "--max-spend", "4", "--", "classify", "4")
			require.NoError(t, cmd.Start())
			guards = append(guards, cmd)
		}
		<-time.After(time.Duration(random.IntN(250)) * time.Millisecond)
		for _, cmd := range guards {
			if cmd.Process.Kill() == nil {
				killed++
			}
		}
		for _, cmd := range guards {
			_ = cmd.Wait() // killed, or ended by itself; both are fine
		}
		status := s.status()
		served := s.served()
		require.GreaterOrEqual(t, status.Spent+status.Held, served, "round %d: the ledger counts less than the sandbox served", round)
		require.LessOrEqual(t, served, int64(granted), "round %d", round)
		if round%10 == 9 {
			s.verify()
		}
	}
	assert.Greater(t, killed, rounds/2, "the kills must hit")

	// What the dead still held is free for the next run.
	before := s.status()
	out, err := s.command("quota", "grant", "3").CombinedOutput()
	require.NoError(t, err, "%s", out)
	usable := before.Granted - before.Spent + 3
	out, err = s.command("exec", "--mode", "live", "--max-spend", fmt.Sprint(usable), "--", "true").CombinedOutput()
	require.NoError(t, err, "%s", out)
	s.verify()
	t.Logf("served %d, spent %d of %d", s.served(), s.status().Spent, s.status().Granted)
}

func TestManyProcessesAreAdmittedAsTheyFit(t *testing.T) {
	t.Parallel()
	const granted, each, many = 50, 7, 12
	s := newSandbox(t, granted)
	release := filepath.Join(s.dir, "release")
	var admitted, blocked atomic.Int64
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			// Each holds its units until all of them have asked.
			out, err := s.command("exec", "--mode", "live", "--max-spend", fmt.Sprint(each), "--",
				"sh", "-c", fmt.Sprintf("echo admitted >> asked; while ! test -e %s; do sleep 0.02; done; classify %d", release, each)).CombinedOutput()
			var exit *exec.ExitError
			switch {
			case err == nil:
				admitted.Add(1)
			case errors.As(err, &exit) && exit.ExitCode() == exitBlocked && strings.Contains(string(out), "7 requested"):
				blocked.Add(1)
			default:
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	// All that fit hold their units and the others were told.
	deadline := time.Now().Add(30 * time.Second)
	for blocked.Load() < many-granted/each && time.Now().Before(deadline) {
		<-time.After(10 * time.Millisecond)
	}
	assert.EqualValues(t, granted/each*each, s.status().Held)
	require.NoError(t, os.WriteFile(release, nil, 0o600))
	all.Wait()
	assert.EqualValues(t, granted/each, admitted.Load(), "as many as fit")
	assert.EqualValues(t, many-granted/each, blocked.Load(), "and none more")
	assert.EqualValues(t, granted/each*each, s.served())
	assert.EqualValues(t, s.served(), s.status().Spent)
	s.verify()
}

func TestChildThatOutlivesExecCannotSpend(t *testing.T) {
	s := newSandbox(t, 10)
	out, err := s.command("exec", "--mode", "live", "--max-spend", "5", "--",
		"sh", "-c", "(while ! test -e go; do sleep 0.02; done; classify 1; echo done > gone) > late 2>&1 &").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "go"), nil, 0o600))
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(filepath.Join(s.dir, "gone")); err == nil {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	late, err := os.ReadFile(filepath.Join(s.dir, "late"))
	require.NoError(t, err)
	assert.Contains(t, string(late), "refused", "nothing answers there any more")
	assert.Zero(t, s.served())
	assert.Zero(t, s.status().Held)
}

func TestRealCredentialIsNowhere(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	out, err := s.command("exec", "--verbose", "--mode", "live", "--max-spend", "5", "--bill", "bill.json", "--",
		"sh", "-c", "env; cat /proc/self/environ /proc/$PPID/cmdline; classify 6; hsharness token --verbose").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, exitBlocked, exit.ExitCode(), "%s", out)
	assert.NotContains(t, string(out), realSecret)
	assert.NotContains(t, string(out), "real-id\n", "the id goes to the guard alone, too")
	// A command of a scenario's exec step gets no more than one of exec.
	scenario := "version: 1\nname: x\nquota: { max: 2 }\nsteps:\n  - exec: { command: [sh, -c, 'env > seen; classify 1'] }\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "step.yaml"), []byte(scenario), 0o600))
	before := s.served()
	out, err = s.command("run", "--mode", "live", "--max-spend", "2", "--allow-exec", "step.yaml").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, before+1, s.served(), "it is behind the same guard")
	seen, err := os.ReadFile(filepath.Join(s.dir, "seen"))
	require.NoError(t, err)
	assert.NotContains(t, string(seen), realSecret)
	assert.Contains(t, string(seen), "HSHARNESS_RUN_ID=", "tests inside it are its clients")

	for _, args := range [][]string{{"quota", "export"}, {"quota", "status"}, {"quota", "history"}, {"doctor"}} {
		out, _ := s.command(args...).CombinedOutput() // doctor may find something; what it prints is what matters
		assert.NotContains(t, string(out), realSecret, args)
	}
	require.NoError(t, filepath.WalkDir(s.dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		assert.NotContains(t, string(data), realSecret, name)
		return err
	}))
	for _, e := range s.server.Journal.Entries(0) {
		assert.NotContains(t, fmt.Sprintf("%+v", e), realSecret)
	}
}
