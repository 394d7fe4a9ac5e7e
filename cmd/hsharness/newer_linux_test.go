package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ledger that a newer version wrote is refused by each command that opens it, with
// both numbers and what to do; nothing is sent, and nothing of it is changed.
func TestNewerLedger(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 20)
	path := filepath.Join(s.dir, ".hsharness", "ledger.db")
	db, err := sqlite3.Open(path)
	require.NoError(t, err)
	// Its journal has what is not in its file yet, as after a kill.
	_, err = db.FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true)
	require.NoError(t, err)
	_, err = db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	require.NoError(t, err)
	require.NoError(t, errors.Join(db.Exec("PRAGMA wal_autocheckpoint=0; CREATE TABLE later(x); PRAGMA user_version=99"), db.Close()))
	s.write("shop.yaml", goods(2, ""))
	out, err := s.command("gateway", "keys", "add", "shop", "--cap", "3").CombinedOutput()
	require.NoError(t, err, "%s", out)
	files := func() (all []string) {
		for _, name := range []string{path, path + "-wal"} {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			all = append(all, string(data))
		}
		return all
	}
	before := files()
	require.NotEmpty(t, before[1])
	for _, line := range []string{
		"exec --quiet --mode live --max-spend 5 -- classify 5",
		"exec --quiet --mode record --max-spend 5 -- classify 5",
		"run --mode live --max-spend 5 shop.yaml",
		"run --mode record --max-spend 5 shop.yaml",
		"quota status", "quota status --require 1", "quota status --format json", "quota history", "quota runs", "quota verify",
		"quota init --granted 5", "quota grant 5", "quota reconcile --observed 3 --note why", "quota end a-run", "quota export out.jsonl", "quota copy --to sqlite:copy/ledger.db",
		"gateway --mode record --addr 127.0.0.1:0 --ops-addr 127.0.0.1:0",
		"doctor",
	} {
		t.Run(line, func(t *testing.T) {
			out, err := s.command(strings.Fields(line)...).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", out)
			assert.Equal(t, exitLedger, exit.ExitCode(), "%s", out)
			assert.Regexp(t, `its schema is 99, this program knows \d+`, string(out))
			assert.Contains(t, string(out), "install the version of hsharness that wrote it, or a later one")
			assert.True(t, slices.Equal(before, files()), "it was changed")
		})
	}
	assert.Zero(t, s.served())
	assert.NoFileExists(t, filepath.Join(s.dir, "copy", "ledger.db"))
}
