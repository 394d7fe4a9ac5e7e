package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/pgtest"
)

// dying is hsharness, killed where DIE_AT says: at a step of what it does.
func dying() {
	p := program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookupEnv: os.LookupEnv, reached: func(step string) {
		if step == os.Getenv("DIE_AT") {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {} // for the kernel
		}
	}}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// mover is a sandbox with a ledger that is copied to another place.
type mover struct {
	*sandbox
	old, new string
}

// moverGranted is more than the ledger grants, so that the sandbox answers what is
// too much and counts it.
const moverGranted, moverAllowance = 5, 50

// newMover makes the ledger and spends two units of it.
func newMover(t *testing.T, from, to string) *mover {
	t.Helper()
	m := &mover{serveSandbox(t, moverAllowance, "127.0.0.1"), from, to}
	m.must("quota", "init", "--granted", fmt.Sprint(moverGranted), "--ledger", m.old)
	m.must("exec", "--ledger", m.old, "--mode", "live", "--max-spend", "2", "--", "classify", "2")
	require.EqualValues(t, 2, m.served())
	return m
}

func (m *mover) must(args ...string) string {
	m.t.Helper()
	out, err := m.command(args...).CombinedOutput()
	require.NoError(m.t, err, "%s: %s", args, out)
	return string(out)
}

// spend spends all that is left on a ledger, if it may.
func (m *mover) spend(ledger string) string {
	out, _ := m.command("exec", "--ledger", ledger, "--mode", "live", "--max-spend", "3", "--", "classify", "3").CombinedOutput()
	return string(out)
}

// dies copies, and is killed at a step.
func (m *mover) dies(step string) {
	m.t.Helper()
	cmd := m.command("quota", "copy", "--ledger", m.old, "--to", m.new)
	dying, err := exec.LookPath("dying")
	require.NoError(m.t, err)
	cmd.Path = dying
	cmd.Args[0] = "dying"
	cmd.Env = append(cmd.Env, "DIE_AT="+step)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(m.t, err, &exit, "%s", out)
	require.Negative(m.t, exit.ExitCode(), "%s", out)
}

// ails checks what the doctor says that would help a ledger.
func (m *mover) ails(ledger, mend string) {
	m.t.Helper()
	said, err := m.command("doctor", "--ledger", ledger).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(m.t, err, &exit)
	assert.Equal(m.t, exitLedger, exit.ExitCode())
	assert.Contains(m.t, string(said), "mend: "+mend)
}

// finished checks that the copy is complete, and that what was left can be spent,
// once and from the new ledger alone.
func (m *mover) finished() {
	m.t.Helper()
	out := m.spend(m.old)
	assert.Contains(m.t, out, "because the ledger goes on at "+m.new)
	m.spend(m.new)
	assert.EqualValues(m.t, moverGranted, m.served())
	m.must("quota", "verify", "--ledger", m.new)
}

// Wherever a copy is killed, at most one of the two ledgers can be spent from, the
// doctor says what to do, and the same command comes to the end.
func TestCopyKilledAtEachStep(t *testing.T) {
	t.Parallel()
	places := copyPlaces(t)
	for _, place := range places {
		for _, step := range place.steps {
			t.Run(place.name+" "+step, func(t *testing.T) {
				t.Parallel()
				from, to := place.at(t)
				m := newMover(t, from, to)
				m.dies(step)
				open := 0
				for _, ledger := range []string{m.old, m.new} {
					before := m.served()
					if m.spend(ledger); m.served() > before {
						open++
					}
				}
				assert.LessOrEqual(t, m.served(), int64(moverGranted), "both ledgers spent")
				if step == "checked" || step == "opened" {
					assert.Equal(t, 1, open)
				} else {
					assert.Zero(t, open, "nothing is spent until the copy is complete")
					again := hint.Line("hsharness", "quota", "copy", "--ledger", m.old, "--to", m.new)
					if step == "moved" {
						m.ails(m.old, "ledger: "+m.new)
					} else {
						m.ails(m.old, again)
					}
					if step == "made" || step == "moved" {
						m.ails(m.new, again)
					}
				}
				m.must("quota", "copy", "--ledger", m.old, "--to", m.new)
				m.finished()
			})
		}
	}
}

// A copy that was killed may be given up, and what there is of it stays closed.
func TestCopyGivenUp(t *testing.T) {
	t.Parallel()
	for _, place := range copyPlaces(t) {
		for _, step := range place.given {
			t.Run(place.name+" "+step, func(t *testing.T) {
				t.Parallel()
				from, to := place.at(t)
				m := newMover(t, from, to)
				m.dies(step)
				out, err := m.command("quota", "copy", "--undo", "--ledger", m.new).CombinedOutput()
				require.Error(t, err, "%s", out)
				assert.Contains(t, m.must("quota", "copy", "--undo", "--ledger", m.old), "is given up")
				m.spend(m.old)
				assert.EqualValues(t, moverGranted, m.served())
				m.spend(m.new)
				assert.EqualValues(t, moverGranted, m.served(), "what is left of the copy was spent from")
				out, err = m.command("quota", "copy", "--ledger", m.old, "--to", m.new).CombinedOutput()
				if step == "made" {
					require.Error(t, err)
					assert.Contains(t, string(out), "what is left of a copy that was given up")
					return
				}
				require.NoError(t, err, "%s", out)
				m.spend(m.new)
				assert.EqualValues(t, moverGranted, m.served())
			})
		}
	}
}

// Ctrl-C and SIGKILL at any moment, for real.
func TestCopyStoppedAnywhere(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	for n := range 4 {
		stop := []os.Signal{os.Interrupt, os.Kill}[n%2]
		after := time.Duration(random.IntN(120)) * time.Millisecond
		t.Run(fmt.Sprint(stop, " after ", after), func(t *testing.T) {
			t.Parallel()
			m := newMover(t, "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
			cmd := m.command("quota", "copy", "--ledger", m.old, "--to", m.new)
			require.NoError(t, cmd.Start())
			<-time.After(after)
			_ = cmd.Process.Signal(stop) // it may have ended
			_ = cmd.Wait()
			m.spend(m.old)
			m.spend(m.new)
			assert.LessOrEqual(t, m.served(), int64(moverGranted), "both ledgers spent")
			m.must("quota", "copy", "--ledger", m.old, "--to", m.new)
			m.finished()
		})
	}
}

// copyPlace is a pair of kinds of store, with the steps at which a copy is killed
// there, and then completed or given up.
type copyPlace struct {
	name         string
	steps, given []string
	at           func(t *testing.T) (from, to string)
}

func copyPlaces(t *testing.T) []copyPlace {
	file := func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "ledger.db") }
	places := []copyPlace{{
		"from a file to a file", []string{"checked", "barred", "copying", "made", "moved", "opened"}, []string{"barred", "made"},
		func(t *testing.T) (string, string) { return file(t), file(t) },
	}}
	if !pgtest.Installed(t) {
		return places
	}
	server := pgtest.Private(t)
	shared := func(t *testing.T) string { return publicDSN(server.Database(t)) }
	return append(places,
		copyPlace{"from a file to PostgreSQL", []string{"copying", "made", "moved"}, []string{"made"}, func(t *testing.T) (string, string) { return file(t), shared(t) }},
		copyPlace{"from PostgreSQL to a file", []string{"barred", "moved"}, nil, func(t *testing.T) (string, string) { return shared(t), file(t) }},
	)
}

// publicDSN is a connection string as messages have it.
func publicDSN(dsn string) string { return ledger.Address{DSN: dsn}.Public() }
