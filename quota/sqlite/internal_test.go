package sqlite

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Each ledger of the tests with so many entries is read in several stretches.
func init() { longStretch = 15 }

func TestWeakSettingsAreRefused(t *testing.T) {
	c, err := connect(t.Context(), Config{}, filepath.Join(t.TempDir(), "ledger.db"), true)
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, c.setUp())
	mode, err := c.text("PRAGMA journal_mode")
	require.NoError(t, err)
	require.Equal(t, "wal", mode)
	for _, weak := range []string{"NORMAL", "OFF"} {
		require.NoError(t, c.exec("PRAGMA synchronous="+weak))
		require.ErrorIs(t, c.checkSettings(), quota.ErrUnsafePlace)
	}
	require.NoError(t, c.exec("PRAGMA synchronous=EXTRA"))
	require.NoError(t, c.checkSettings())
}

// Every statement of the writer finds its rows by an index, so that spends and
// admissions stay as fast as the journal grows.
func TestStatementsUseIndexes(t *testing.T) {
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	defer s.Close()
	ctx := t.Context()
	rules := []quota.Rule{{MaxPerDay: 40, MaxTotal: 40}}
	for _, id := range []string{"a", "b"} {
		_, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 10}, rules)
		require.NoError(t, err)
		_, err = s.Spend(ctx, quota.SpendSpec{ID: id, Run: id, Units: 1})
		require.NoError(t, err)
		_, err = s.Spend(ctx, quota.SpendSpec{ID: "late " + id, Run: id, Units: 1}, quota.Settlement{Spend: id, Outcome: quota.Unknown})
		require.NoError(t, err)
		require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: id, Outcome: quota.Answered}))
		_, err = s.Renew(ctx, id)
		require.NoError(t, err)
		for range 2 {
			_, err = s.End(ctx, id, quota.Counters{})
			require.NoError(t, err)
		}
	}
	_, err = s.Grant(ctx, quota.GrantSpec{ID: "g", Units: 1})
	require.NoError(t, err)
	_, err = s.Reconcile(ctx, quota.ReconcileSpec{ID: "r", Observed: 9, Note: "n"})
	require.NoError(t, err)
	_, err = s.Status(ctx)
	require.NoError(t, err)
	_, err = s.Runs(ctx, 5)
	require.NoError(t, err)

	c, err := connect(ctx, Config{}, s.path, false)
	require.NoError(t, err)
	defer c.close()
	checked := 0
	for _, stmts := range []map[string]*sqlite3.Stmt{s.writer.stmts, s.reader.stmts} {
		for sql := range stmts {
			if strings.Contains(sql, "UPDATE ledger") || !strings.Contains(sql, " entry") && !strings.Contains(sql, " run") {
				continue
			}
			checked++
			err := c.query("EXPLAIN QUERY PLAN "+sql, func(row *sqlite3.Stmt) error {
				step := row.ColumnText(3)
				assert.False(t, strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "INDEX"), "%s: %s", step, sql)
				return nil
			})
			require.NoError(t, err)
		}
	}
	assert.Greater(t, checked, 10)
}

func TestNetworkFilesystem(t *testing.T) {
	t.Run("row 21 a ledger on a network filesystem is refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		opened, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 50})
		require.NoError(t, err)
		s := opened.(*store)
		require.NoError(t, s.Close())
		filesystem = func(dir string) (string, error) {
			assert.Equal(t, filepath.Dir(path), dir)
			return "NFS", nil
		}
		defer func() { filesystem = networkFS }()
		_, err = Open(t.Context(), Config{Path: path})
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
		assert.ErrorContains(t, err, "is on NFS: use a local disk, or a postgres:// ledger")
		_, err = Init(t.Context(), Config{Path: filepath.Join(filepath.Dir(path), "other.db")}, quota.InitSpec{Granted: 50})
		require.ErrorIs(t, err, quota.ErrUnsafePlace)

		folder := filepath.Join(filepath.Dir(path), "new")
		_, err = Init(t.Context(), Config{Path: filepath.Join(folder, "deeper", "ledger.db")}, quota.InitSpec{Granted: 50})
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
		assert.NoDirExists(t, folder, "nothing is left in a place that was refused")
	})
}

// What is said about a file that can't be written ends with what helps.
func TestCantWriteSaysWhatHelps(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		&fs.PathError{Op: "open", Path: "p", Err: syscall.EROFS}:  "mount it writable",
		&fs.PathError{Op: "open", Path: "p", Err: syscall.EACCES}: "chmod g+w p",
		fmt.Errorf("%w: remove it", quota.ErrUnsafePlace):         "can't be kept there: remove it",
	} {
		err := cantWrite("p", err)
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
		assert.True(t, strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), want+", or"), err)
	}
	s := &store{path: filepath.Join("folder", "ledger.db")}
	full := &fs.PathError{Op: "write", Path: "p", Err: syscall.ENOSPC}
	for _, code := range []error{sqlite3.FULL, sqlite3.IOERR, sqlite3.IOERR_WRITE, full} {
		assert.ErrorContains(t, s.explain(code), "make room in folder, and start again")
	}
	for _, err := range []error{full, &fs.PathError{Op: "open", Path: "p", Err: syscall.EMFILE}} {
		assert.Equal(t, err, cantWrite("p", err), "no mode of a file helps")
	}

	path := filepath.Join(t.TempDir(), "ledger.db")
	_, err := create(t.Context(), Config{Path: path}, func(*conn, time.Time) error { return sqlite3.IOERR_WRITE })
	assert.ErrorContains(t, err, "make room in "+filepath.Dir(path)+", and start again")
}
