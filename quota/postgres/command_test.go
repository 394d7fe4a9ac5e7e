package postgres_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

// TestCommandsShareOneLedger runs the binary, as machines that share a ledger
// would, with the address in its environment.
func TestCommandsShareOneLedger(t *testing.T) {
	dir := t.TempDir()
	binary := program(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(
		"version: 1\nenvironments: { sandbox: { identity_url: \"http://127.0.0.1:1\", api_url: \"http://127.0.0.1:1\", client_id: some-id, client_secret: some-secret } }\n"), 0o600))
	environ := append(os.Environ(), "HSHARNESS_LEDGER="+pgtest.Database(t), "CI=")
	hsharness := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir, cmd.Env = dir, environ
		return cmd
	}

	const granted, each, many = 10, 3, 6
	out, err := hsharness("quota", "init", "--granted", strconv.Itoa(granted)).CombinedOutput()
	require.NoError(t, err, "%s", out)

	release := filepath.Join(dir, "release")
	var admitted, blocked atomic.Int64
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			err := hsharness("exec", "--mode", "live", "--max-spend", strconv.Itoa(each), "--",
				"sh", "-c", "while ! test -e "+release+"; do sleep 0.02; done").Run()
			var exit *exec.ExitError
			switch {
			case err == nil:
				admitted.Add(1)
			case errors.As(err, &exit) && exit.ExitCode() == 4:
				if blocked.Add(1) == many-granted/each {
					assert.NoError(t, os.WriteFile(release, nil, 0o600)) // all others hold
				}
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, granted/each, admitted.Load())
	assert.EqualValues(t, many-granted/each, blocked.Load())

	out, err = hsharness("quota", "status", "--format", "json").Output()
	require.NoError(t, err)
	var status quota.Status
	require.NoError(t, json.Unmarshal(out, &status))
	assert.Zero(t, status.Held+status.Spent)
	assert.EqualValues(t, granted, status.Usable)
	out, err = hsharness("quota", "verify").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// TestCopyMovesALedgerThereAndBack copies a ledger from a file to PostgreSQL and
// back: the entries are the same to the letter, and the ones it came from are
// blocked.
func TestCopyMovesALedgerThereAndBack(t *testing.T) {
	dir := t.TempDir()
	binary := program(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(
		"version: 1\nenvironments: { sandbox: { identity_url: \"http://127.0.0.1:1\", api_url: \"http://127.0.0.1:1\", client_id: some-id, client_secret: some-secret } }\n"), 0o600))
	shared := pgtest.Database(t)
	hsharness := func(args ...string) (string, error) {
		cmd := exec.Command(binary, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CI=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := hsharness(args...)
		require.NoError(t, err, "%s: %s", args, out)
		return out
	}
	export := func(ledger ...string) string { // without its first line, which counts the entries
		_, entries, _ := strings.Cut(must(append([]string{"quota", "export"}, ledger...)...), "\n")
		return entries
	}
	must("quota", "init", "--granted", "50", "--floor", "5", "--spent-before", "3")
	must("exec", "--mode", "live", "--max-spend", "4", "--", "true")
	must("quota", "grant", "7")
	first := export()
	must("quota", "copy", "--to", shared)
	require.True(t, strings.HasPrefix(export("--ledger", shared), first), "what follows is of the copy itself")
	must("quota", "verify", "--ledger", shared)
	out2, err := hsharness("exec", "--mode", "live", "--max-spend", "1", "--", "true")
	require.Error(t, err)
	assert.Contains(t, out2, "the ledger goes on at postgres:", "the file is blocked")

	must("exec", "--ledger", shared, "--mode", "live", "--max-spend", "4", "--", "true")
	second := export("--ledger", shared)
	assert.Greater(t, len(second), len(first), "it goes on where the file ended")
	must("quota", "copy", "--ledger", shared, "--to", "sqlite:back.db")
	require.True(t, strings.HasPrefix(export("--ledger", "sqlite:back.db"), second))
	must("quota", "verify", "--ledger", "sqlite:back.db")
	_, err = hsharness("exec", "--ledger", shared, "--mode", "live", "--max-spend", "1", "--", "true")
	require.Error(t, err)
	must("exec", "--ledger", "sqlite:back.db", "--mode", "live", "--max-spend", "1", "--", "true")
}

// TestCommandsOnARestoredLedger restores an older dump where a machine knows
// nothing of the ledger, as one that is thrown away after each job: nothing is
// spent, each command says why, and the one that they name mends it.
func TestCommandsOnARestoredLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := program(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(
		"version: 1\nenvironments: { sandbox: { identity_url: \"http://127.0.0.1:1\", api_url: \"http://127.0.0.1:1\", client_id: some-id, client_secret: some-secret } }\npolicy: { loopback: exempt }\n"), 0o600))
	dsn, restored := pgtest.Database(t), pgtest.Database(t)
	run := func(ledger string, args ...string) (string, int) {
		cmd := exec.Command(binary, append([]string{"--ledger", ledger}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CI=1", "XDG_STATE_HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil {
			require.ErrorAs(t, err, &exit)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	must := func(ledger string, args ...string) {
		t.Helper()
		out, code := run(ledger, args...)
		require.Zero(t, code, out)
	}
	must(dsn, "quota", "init", "--granted", "10")
	pgtest.Restore(t, restored, pgtest.Dump(t, dsn))
	must(dsn, "doctor")
	for _, args := range [][]string{
		{"doctor"}, {"quota", "status"}, {"quota", "status", "--require", "1"}, {"quota", "grant", "5"}, {"quota", "floor", "5"},
		{"quota", "copy", "--to", "sqlite:copy.db"}, {"exec", "--mode", "live", "--max-spend", "1", "--", "true"},
	} {
		out, code := run(restored, args...)
		assert.Equal(t, 7, code, "%s: %s", args, out)
		assert.Contains(t, out, "the ledger went back in time", args)
		assert.Contains(t, out, "hsharness quota reconcile --observed N --note WHY", args)
	}
	must(restored, "quota", "verify")
	must(restored, "quota", "history")
	must(restored, "quota", "reconcile", "--observed", "3", "--note", "the service's own figure")
	must(restored, "quota", "status", "--require", "7")
}
