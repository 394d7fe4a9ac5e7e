package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// BeEarlier makes this process a program of an earlier version: the one of that
// schema. It is for a child of a test, before anything else.
func BeEarlier(version int64) { newest = version }

// Version1 is a ledger that a program of schema version 1 wrote: with all kinds of
// entries, three runs that are active, spends that are open, and a bar. All of it
// may be in the journal still.
func Version1(t testing.TB, inJournal bool) (path string) {
	t.Helper()
	sql, err := os.ReadFile("testdata/version1.sql")
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "ledger.db")
	c := rawConn(t, path)
	require.NoError(t, c.Exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"+string(sql)))
	if !inJournal {
		require.NoError(t, c.Exec("PRAGMA wal_checkpoint(TRUNCATE)"))
	}
	require.NoError(t, c.Close())
	return path
}

// rawConn opens a ledger as no program of ours does, and leaves its journal where it
// is.
func rawConn(t testing.TB, path string) *sqlite3.Conn {
	t.Helper()
	c, err := sqlite3.Open(path)
	require.NoError(t, err)
	_, err = c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	require.NoError(t, err)
	_, err = c.FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true)
	require.NoError(t, err)
	return c
}

// SchemaOf is the number of a ledger's schema, and all that is in it.
func SchemaOf(t testing.TB, path string) (version int, objects []string) {
	t.Helper()
	c := rawConn(t, path)
	stmt, _, err := c.Prepare("SELECT user_version, type, name, sql FROM pragma_user_version, sqlite_schema ORDER BY type, name")
	require.NoError(t, err)
	for stmt.Step() {
		version = stmt.ColumnInt(0)
		objects = append(objects, stmt.ColumnText(1)+" "+stmt.ColumnText(2)+" "+stmt.ColumnText(3))
	}
	require.NoError(t, stmt.Close())
	require.NoError(t, c.Close())
	return version, objects
}
