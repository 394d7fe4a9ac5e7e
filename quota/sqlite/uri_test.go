package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// names is a file layer that has no files: it notes what each is called.
type names struct {
	vfs.VFSFilename
	asked []string
}

func (n *names) FullPathname(name string) (string, error) {
	n.asked = append(n.asked, name)
	return name, nil
}

func (n *names) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	n.asked = append(n.asked, name.String())
	return nil, flags, sqlite3.CANTOPEN
}

// SQLite is the same program on every system, so this is what the file layer of
// Windows is asked for, wherever the test runs. The slash that SQLite's page on
// URIs wants before a drive is taken off by its own layer for Windows only, which
// this program does not have: no ledger could be made there.
func TestFileLayerIsAskedForThePathAsItIs(t *testing.T) {
	layer := &names{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register("names", layer)
	t.Cleanup(func() { vfs.Unregister("names") })
	for _, path := range []string{
		`C:\Users\me\shop\.hsharness\ledger.db`,
		`C:/Users/me/shop/.hsharness/ledger.db`,
		`c:\ledger.db`,
		`\\server\share\ledger.db`,
		`//server/share/ledger.db`,
		`//localhost/share/ledger.db`,
		`\\?\C:\a folder\ledger.db`,
		`\\?\UNC\server\share\ledger.db`,
		`\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\ledger.db`,
		`C:\Program Files (x86)\100% of it\#1\what?\a&b=c;d+e\ledger.db`,
		`C:\%41%2F%00\ledger.db`,
		`C:\Données\税番\ledger.db`,
		`/home/me/shop/.hsharness/ledger.db`,
		`/a folder/100%/#1/what?/vfs=none&mode=memory/ledger.db`,
		`/file:/C:/ledger.db`,
		`/C:/ledger.db`,
		`/%2e%2e/back\slash/ledger.db`,
		"/new\nline\tand \xff no text/ledger.db",
		`/:memory:`,
	} {
		for _, creating := range []bool{true, false} {
			layer.asked = nil
			_, err := connect(t.Context(), Config{VFS: "names"}, path, creating)
			require.ErrorIs(t, err, quota.ErrUnsafePlace)
			assert.Equal(t, []string{path, path}, layer.asked)
		}
	}
}

// A ledger in a folder, and under a name, with everything that a URI gives a
// meaning to is the file of that name and no other.
func TestLedgerIsTheFileOfItsName(t *testing.T) {
	folders := []string{"a folder", "100%41", "#1", "a&b=c;d+e,f@g", "Données 税番"}
	if runtime.GOOS != "windows" { // which has no such names
		folders = append(folders, "what?mode=memory", `back\slash`, "C:", `C:\Users\me`, "file:", "new\nline", "\"quoted\"", "<*|>")
	}
	for _, name := range folders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name, name+".db")
			s, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 5})
			require.NoError(t, err)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 2}, nil)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			s, err = Open(t.Context(), Config{Path: path})
			require.NoError(t, err)
			defer s.Close()
			status, err := s.Status(t.Context())
			require.NoError(t, err)
			assert.Equal(t, int64(2), status.Held)
			files, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			for _, f := range files {
				assert.Contains(t, []string{name + ".db", name + ".db-wal", name + ".db-shm", name + ".db.lock"}, f.Name())
			}
			assert.FileExists(t, path)
		})
	}
}
