package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// version1 is a ledger that a program of schema version 1 wrote: with all kinds of
// entries, three runs that are active, spends that are open, and a bar.
func version1(t *testing.T) string {
	t.Helper()
	sql, err := os.ReadFile("testdata/version1.sql")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, tamper(t, path, string(sql)+"; PRAGMA journal_mode=WAL"))
	return path
}

// versionOf reads the number of the schema as any program does.
func versionOf(t *testing.T, path string) int {
	t.Helper()
	db, err := sqlite3.Open(path)
	require.NoError(t, err)
	stmt, _, err := db.Prepare("PRAGMA user_version")
	require.NoError(t, err)
	require.True(t, stmt.Step())
	version := stmt.ColumnInt(0)
	require.NoError(t, stmt.Close())
	require.NoError(t, db.Close())
	return version
}

// A ledger of an earlier version is brought up to date by whoever opens it to
// write, once, with all that is in it; who only reads leaves it as it is.
func TestMigrate(t *testing.T) {
	t.Parallel()
	path := version1(t)
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	reading, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, ReadOnly: true})
	require.NoError(t, err)
	defer func() { assert.NoError(t, reading.Close()) }()
	before := collect(t, reading.Entries(t.Context(), 0))
	figures, err := reading.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, figures.Problems)
	assert.Equal(t, 1, versionOf(t, path))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, old, now, "who only reads changes nothing")

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	assert.Equal(t, 2, versionOf(t, path))
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Equal(t, figures, report)
	assert.Equal(t, before, collect(t, s.Entries(t.Context(), 0)))
	_, err = s.Reconcile(t.Context(), quota.ReconcileSpec{ID: "now", Observed: report.Balances.Spent, Note: "the bar is lifted"})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "after", Max: 1}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "after", Run: "after", Units: 1})
	require.NoError(t, err)
}
