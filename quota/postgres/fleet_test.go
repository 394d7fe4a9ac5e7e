//go:build unix

package postgres_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/quota"
)

// fleetQuestions is how many questions each process of a fleet asks: 1000 is what make
// interop asks.
var fleetQuestions = flag.Int("fleet.questions", 24, "questions that each process of a fleet asks")

const fleetProcesses = 8

// fleet is machines with a folder each: nothing but the ledger is in common.
type fleet struct {
	t       *testing.T
	binary  string
	ledger  string
	sandbox *services.Server
	dirs    []string
}

func newFleet(t *testing.T, machines, questions int) *fleet {
	t.Helper()
	return newFleetOn(t, pgtest.Database(t), machines, questions)
}

// newFleetOn is a fleet with its ledger there.
func newFleetOn(t *testing.T, ledger string, machines, questions int) *fleet {
	t.Helper()
	f := &fleet{t: t, binary: program(t), ledger: ledger}
	sandbox, err := services.Serve(services.Config{
		Clients: []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: "real-secret-4711"}}, Scopes: avalara.Scopes()}},
	}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	require.NoError(t, err)
	f.sandbox = sandbox
	t.Cleanup(func() { require.NoError(t, sandbox.Close()) })
	urls := sandbox.Endpoints.Sandbox
	var rows strings.Builder
	rows.WriteString("title\n")
	for n := range questions {
		fmt.Fprintf(&rows, "\"cotton t-shirt, knitted, pattern %d\"\n", n)
	}
	for n := range machines {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(n))
		f.dirs = append(f.dirs, dir)
		for name, text := range map[string]string{
			"hsharness.yaml": fmt.Sprintf("version: 1\nallowance: { granted: 100000 }\nrecordings: { share: ledger }\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: real-secret-4711 } }\n", urls.Identity, urls.API),
			"titles.csv":     rows.String(),
			"fleet.yaml": `version: 1
name: fleet
matrix: { from: titles.csv }
steps:
  - request: POST /hscode/classify
    body: { description: "{{ row.title }}", countryOfDestination: US }
    expect: { status: 200 }
`,
		} {
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	out, err := f.command(0, "quota", "init", "--granted", "100000").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return f
}

func (f *fleet) command(machine int, args ...string) *exec.Cmd {
	cmd := exec.Command(f.binary, args...)
	cmd.Dir, cmd.Env = f.dirs[machine], append(os.Environ(), "HSHARNESS_LEDGER="+f.ledger, "CI=", "XDG_STATE_HOME="+filepath.Join(f.dirs[machine], "state"))
	return cmd
}

// exits runs a command of a machine and returns what it prints.
func (f *fleet) exits(machine, code int, args ...string) string {
	f.t.Helper()
	cmd := f.command(machine, args...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(f.t, err)
	}
	require.Equal(f.t, code, cmd.ProcessState.ExitCode(), "%s", out)
	return string(out)
}

func (f *fleet) ask(machine int, mode string) *exec.Cmd {
	return f.command(machine, "run", "fleet.yaml", "--mode", mode, "--max-spend", strconv.Itoa(*fleetQuestions+100), "--quiet")
}

func (f *fleet) served() int64 { return f.sandbox.API(avalara.Sandbox).Usage().Served }

func (f *fleet) spent() int64 {
	f.t.Helper()
	out, err := f.command(0, "quota", "verify").CombinedOutput()
	require.NoError(f.t, err, "%s", out)
	out, err = f.command(0, "quota", "status", "--format", "json").Output()
	require.NoError(f.t, err)
	var s quota.Status
	require.NoError(f.t, json.Unmarshal(out, &s))
	return s.Spent
}

// files counts a machine's recordings.
func (f *fleet) files(machine int) int {
	names, err := filepath.Glob(filepath.Join(f.dirs[machine], "recordings", "*", "*.json"))
	require.NoError(f.t, err)
	return len(names)
}

// TestFleetBuysOnce: processes that have nothing in common but the ledger ask the same
// questions at once, and each answer is bought once. What each of them then has in its
// folder answers without the ledger.
func TestFleetBuysOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, fleetProcesses, *fleetQuestions)
	var all sync.WaitGroup
	began := time.Now()
	for n := range fleetProcesses {
		all.Go(func() {
			out, err := f.ask(n, "record").CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	all.Wait()
	t.Logf("processes with separate folders: %d, questions of each: %d; bought by the sandbox's own count: %d, by the ledger: %d, in %s",
		fleetProcesses, *fleetQuestions, f.served(), f.spent(), time.Since(began).Round(time.Millisecond))
	assert.EqualValues(t, *fleetQuestions, f.served())
	assert.EqualValues(t, *fleetQuestions, f.spent())
	assert.Equal(t, *fleetQuestions, f.files(3), "what others bought is in the folder")
	out, err := f.command(3, "run", "fleet.yaml", "--mode", "replay", "--ledger", "postgres://127.0.0.1:1/gone", "--quiet").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.EqualValues(t, *fleetQuestions, f.served())
}

// TestPullAndPush moves answers between two folders by the commands of docs/recordings.md.
func TestPullAndPush(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, 3)
	for n, alone := range []string{"alone", "shared"} { // the first machine buys before anything is shared
		project := filepath.Join(f.dirs[0], "hsharness.yaml")
		text, err := os.ReadFile(project)
		require.NoError(t, err)
		text = []byte(strings.Replace(string(text), []string{"{ share: ledger }", "{}"}[n], []string{"{}", "{ share: ledger }"}[n], 1))
		require.NoError(t, os.WriteFile(project, text, 0o600))
		if alone == "alone" {
			f.exits(0, 0, "run", "fleet.yaml", "--mode", "record", "--max-spend", "3", "--quiet")
			assert.Contains(t, f.exits(0, 2, "recordings", "push"), "nothing is shared: say recordings: { share: ledger }")
		}
	}
	assert.Contains(t, f.exits(1, 0, "recordings", "pull"), "nothing is lacking; answers that are shared: 0")
	assert.Contains(t, f.exits(0, 0, "recordings", "push", "--dry-run"), "to share: 3 answers of 3 requests")
	assert.Contains(t, f.exits(0, 0, "recordings", "push"), "shared: 3 answers of 3 requests")
	assert.Contains(t, f.exits(0, 0, "recordings", "push"), "nothing is lacking; answers that are shared: 3")
	assert.Contains(t, f.exits(1, 0, "recordings", "pull", "--dry-run", "--format", "json"), `"answers":3`)
	assert.Contains(t, f.exits(1, 0, "recordings", "pull"), "brought: 3 answers of 3 requests")
	assert.Equal(t, 3, f.files(1))
	f.exits(2, 0, "run", "fleet.yaml", "--mode", "record", "--max-spend", "3", "--quiet")
	assert.Equal(t, 3, f.files(2))
	assert.EqualValues(t, 3, f.served())
	assert.Contains(t, f.exits(1, 7, "recordings", "pull", "--ledger", "postgres://127.0.0.1:1/gone"), "connection refused")
	f.damaged()

	f.exits(1, 0, "quota", "init", "--granted", "5", "--ledger", "sqlite:file.db")
	out := f.exits(1, 2, "recordings", "pull", "--ledger", "sqlite:file.db")
	assert.Contains(t, out, "hsharness.yaml:3:22: this ledger is a file")
	assert.Contains(t, f.exits(1, 2, "run", "fleet.yaml", "--mode", "record", "--max-spend", "3", "--ledger", "sqlite:file.db"), "hsharness.yaml:3:22: this ledger is a file")
}

// damaged has a row of the database, and a file of a folder, that this program did not
// write: each is told of and keeps nothing else from coming, and nothing is bought for it.
func (f *fleet) damaged() {
	f.t.Helper()
	served := f.served()
	names, err := filepath.Glob(filepath.Join(f.dirs[1], "recordings", "*", "*.json"))
	require.NoError(f.t, err)
	require.Len(f.t, names, 3)
	require.NoError(f.t, os.RemoveAll(filepath.Dir(names[0])))
	f.execute("UPDATE hsharness.answer SET content = 'cut o', bytes = 5 WHERE hash = (SELECT min(hash) FROM hsharness.answer)")
	out := f.exits(1, 1, "recordings", "pull")
	assert.Contains(f.t, out, "brought: 2 answers of 2 requests")
	assert.Contains(f.t, out, "damaged recording: its text has the hash")
	assert.Equal(f.t, 2, f.files(1))
	assert.Contains(f.t, f.exits(1, 2, "run", "fleet.yaml", "--mode", "record", "--max-spend", "3", "--quiet"), "damaged recording: its text has the hash")

	names, err = filepath.Glob(filepath.Join(f.dirs[1], "recordings", "*", "*.json"))
	require.NoError(f.t, err)
	require.NoError(f.t, os.WriteFile(names[0], []byte("<<<<<<< HEAD"), 0o600))
	require.NoError(f.t, os.Remove(names[1]))
	out = f.exits(1, 1, "recordings", "pull")
	assert.Contains(f.t, out, "brought: 1 answers of 1 requests")
	assert.Contains(f.t, out, filepath.Base(names[0]))
	text, err := os.ReadFile(names[0])
	require.NoError(f.t, err)
	assert.Equal(f.t, "<<<<<<< HEAD", string(text), "it is looked at by somebody first")
	assert.NotContains(f.t, f.exits(1, 1, "recordings", "pull"), "nothing is lacking", "the folder could not be looked at in whole")
	assert.Equal(f.t, served, f.served())
}

// execute changes the database behind the program's back.
func (f *fleet) execute(sql string) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.ledger)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, conn.Close(f.t.Context())) }()
	_, err = conn.Exec(f.t.Context(), sql)
	require.NoError(f.t, err)
}

// TestNoSecretIsInTheDatabase searches a dump of all that is shared.
func TestNoSecretIsInTheDatabase(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, 2)
	scenario := filepath.Join(f.dirs[0], "fleet.yaml")
	text, err := os.ReadFile(scenario)
	require.NoError(t, err)
	text = []byte(strings.Replace(string(text), "{{ row.title }}", "{{ row.title }} real-secret-4711", 1))
	require.NoError(t, os.WriteFile(scenario, text, 0o600))
	out, err := f.ask(0, "record").CombinedOutput()
	require.NoError(t, err, "%s", out)
	dump := string(pgtest.Dump(t, f.ledger))
	assert.NotContains(t, dump, "real-secret-4711")
	assert.NotContains(t, dump, hex.EncodeToString([]byte("real-secret-4711")), "bytes are dumped in hexadecimal")
	assert.Contains(t, dump, hex.EncodeToString([]byte("{{secret:client_secret")))
}

// TestKilledFleetBuysAtMostOneMoreAKill kills processes of a fleet by SIGKILL, at random.
// A request in flight is paid for and lost with its process, and each has one of them.
func TestKilledFleetBuysAtMostOneMoreAKill(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4, *fleetQuestions)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	var kills atomic.Int64
	var all sync.WaitGroup
	for n := range f.dirs {
		pauses := []time.Duration{}
		for range 3 {
			pauses = append(pauses, 150*time.Millisecond+time.Duration(random.Int64N(int64(600*time.Millisecond))))
		}
		all.Go(func() {
			for _, pause := range pauses {
				cmd := f.ask(n, "record")
				if !assert.NoError(t, cmd.Start()) {
					return
				}
				timer := time.AfterFunc(pause, func() { _ = cmd.Process.Kill() })
				err := cmd.Wait()
				timer.Stop()
				var exit *exec.ExitError
				if errors.As(err, &exit) && exit.ExitCode() < 0 {
					kills.Add(1)
				}
			}
			out, err := f.ask(n, "record").CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	all.Wait()
	spent := f.spent()
	t.Logf("seed %d; questions: %d, kills: %d; bought by the sandbox's own count: %d, by the ledger: %d", seed, *fleetQuestions, kills.Load(), f.served(), spent)
	assert.GreaterOrEqual(t, f.served(), int64(*fleetQuestions))
	assert.LessOrEqual(t, f.served(), int64(*fleetQuestions)+kills.Load())
	assert.LessOrEqual(t, f.served(), spent, "the ledger knows of each")
	for n := range f.dirs {
		assert.Equal(t, *fleetQuestions, f.files(n))
	}
}
