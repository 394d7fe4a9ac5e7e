//go:build unix

package sqlite_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// Whatever stands where a ledger was expected is called what it is, and stays as
// it is.
func TestOpenSaysWhatIsThere(t *testing.T) {
	t.Parallel()
	truncated := func(n int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			require.NoError(t, os.Rename(closedLedger(t), path))
			require.NoError(t, os.Truncate(path, n))
		}
	}
	for name, row := range map[string]struct {
		put  func(t *testing.T, path string)
		is   error // nil for a damaged file
		says string
	}{
		"nothing":        {func(*testing.T, string) {}, quota.ErrNoLedger, "there is no ledger at"},
		"no folder":      {func(t *testing.T, path string) { require.NoError(t, os.Remove(filepath.Dir(path))) }, quota.ErrNoLedger, "there is no ledger at"},
		"an empty file":  {func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o644)) }, quota.ErrNoLedger, "the file is empty"},
		"a folder":       {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o755)) }, quota.ErrNotLedger, "it is a folder"},
		"a named pipe":   {func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o644)) }, quota.ErrNotLedger, "it is a named pipe"},
		"a link to none": {func(t *testing.T, path string) { require.NoError(t, os.Symlink("nowhere", path)) }, quota.ErrUnsafePlace, "it is a link that leads to no file"},
		"a socket": {func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, l.Close()) })
		}, quota.ErrNotLedger, "it is a socket"},
		"a text": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("text ", 1000)), 0o644))
		}, quota.ErrNotLedger, "it is no SQLite file"},
		"another program's": {func(t *testing.T, path string) { require.NoError(t, tamper(t, path, "CREATE TABLE t(x)")) }, quota.ErrNotLedger, "it is the SQLite file of another program"},
		"another program's, with a version": {func(t *testing.T, path string) {
			require.NoError(t, tamper(t, path, "CREATE TABLE t(x); PRAGMA user_version=1"))
		}, quota.ErrNotLedger, "it is the SQLite file of another program"},
		"another program's, marked": {func(t *testing.T, path string) { require.NoError(t, tamper(t, path, "PRAGMA application_id=7")) }, quota.ErrNotLedger, "it is the SQLite file of another program"},
		"a newer schema": {func(t *testing.T, path string) {
			require.NoError(t, os.Rename(closedLedger(t), path))
			require.NoError(t, tamper(t, path, "PRAGMA user_version=99"))
		}, quota.ErrNewerSchema, "its schema is 99"},
		"a ledger cut to nothing":       {truncated(0), quota.ErrNoLedger, "the file is empty"},
		"a ledger cut in its header":    {truncated(50), nil, "the file is damaged"},
		"a ledger cut after its header": {truncated(4096), nil, "the file is damaged"},
		"a ledger cut in the middle":    {truncated(3 * 4096), nil, "the file is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "folder", "ledger.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
			row.put(t, path)
			_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			require.Error(t, err)
			assert.ErrorContains(t, err, path)
			assert.ErrorContains(t, err, row.says)
			if row.is != nil {
				assert.ErrorIs(t, err, row.is)
			}
			if row.is == nil || errors.Is(row.is, quota.ErrNotLedger) {
				_, err = sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 5})
				assert.Error(t, err, "it must not be written over")
			}
		})
	}
}

// A path of any length is an error or a ledger, and never less than that.
func TestOpenPathsOfAnyLength(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, n := range []int{1000, 1015, 1016, 1017, 1024, 1025, 1029, 1100, 3000, 5000} {
		dir := root
		for len(dir)+202 < n {
			dir = filepath.Join(dir, strings.Repeat("d", 200))
		}
		path := filepath.Join(dir, strings.Repeat("f", n-len(dir)-1))
		require.Len(t, path, n)
		s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 5})
		if n <= 1016 {
			require.NoError(t, err, n)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
			require.NoError(t, err, n)
			require.NoError(t, s.Close())
			continue
		}
		require.ErrorIs(t, err, quota.ErrUnsafePlace, n)
		assert.ErrorContains(t, err, "1016 is the most")
		_, err = sqlite.Open(t.Context(), sqlite.Config{Path: path})
		require.ErrorIs(t, err, quota.ErrUnsafePlace, n)
	}
}

// A -wal without a byte in it is what is left of one whose content is in the
// database.
func TestOpenWithEmptyWAL(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	require.NoError(t, os.WriteFile(path+"-wal", nil, 0o644))
	assert.Empty(t, problems(t, path))
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	assert.Equal(t, int64(1), status(t, s).Spent)
	require.NoError(t, s.Close())
}
