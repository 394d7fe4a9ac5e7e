package sqlite_test

import (
	"os"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// versionOf reads the number of the schema as any program does.
func versionOf(t *testing.T, path string) int {
	t.Helper()
	version, _ := sqlite.SchemaOf(t, path)
	return version
}

// A ledger of an earlier version is brought up to date by whoever opens it to
// write, once, with all that is in it; who only reads leaves it as it is.
func TestMigrate(t *testing.T) {
	t.Parallel()
	path := sqlite.Version1(t, false)
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	reading, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, ReadOnly: true})
	require.NoError(t, err)
	defer func() { assert.NoError(t, reading.Close()) }()
	before := collect(t, reading.Entries(t.Context(), 0))
	figures, err := reading.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, figures.Problems)
	hooks, err := notice.Of(reading)
	require.NoError(t, err)
	undelivered, err := hooks.Undelivered(t.Context())
	require.NoError(t, err, "it has no such table")
	assert.Empty(t, undelivered)
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

// The disk fills up, or fails, at each write of the step: it is said so, nothing is
// flushed a second time, and when there is room again the ledger is brought up to
// date by the next one.
func TestMigrationWithoutRoom(t *testing.T) {
	t.Parallel()
	var full, eio error = sqlite3.FULL, sqlite3.IOERR_FSYNC
	for name, fail := range map[string]func(*disk){
		"full":  func(d *disk) { d.failWrite.Store(&full) },
		"fails": func(d *disk) { d.failSync.Store(&eio) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				path := sqlite.Version1(t, true)
				d, vfsName := newDisk(t)
				writes, before := 0, int64(0)
				d.wrote = func() {
					if writes++; writes == n {
						before = d.syncs.Load()
						fail(d)
					}
				}
				if n == 0 {
					fail(d)
				}
				s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, VFS: vfsName})
				if err == nil {
					require.NoError(t, s.Close())
					assert.Positive(t, n)
					break
				}
				require.ErrorContains(t, err, "bring its schema from 1 to 2", n)
				require.ErrorContains(t, err, "make room", n)
				assert.LessOrEqual(t, d.syncs.Load()-before, int64(1), "flushed a second time")
				assert.Empty(t, problems(t, path))
				assert.Equal(t, 2, versionOf(t, path))
			}
		})
	}
}
