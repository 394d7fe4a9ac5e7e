package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// inPlace starts a child elsewhere.
func inPlace(t *testing.T, place apart.Place) func(string) *exec.Cmd {
	return func(program string) *exec.Cmd { return place.Command(t, program) }
}

// A file of two names would have two journals, so whoever comes by either name is
// refused, and so is who was there first, until it has one name again.
func TestTwoNames(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	other := filepath.Join(t.TempDir(), "other.db")
	first := processes.Start(t, here, path)
	require.Equal(t, "ok", first.Do("begin a 10"))
	require.Equal(t, "ok", first.Do("spend a 1"))

	require.NoError(t, os.Link(path, other))
	for _, name := range []string{path, other} {
		second := processes.Start(t, here, name)
		assert.Contains(t, second.Do("begin b 10"), name+" has 2 names")
		second.Kill()
		_, err := sqlite.Init(t.Context(), sqlite.Config{Path: name}, quota.InitSpec{Granted: 10})
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
		_, err = sqlite.Open(t.Context(), sqlite.Config{Path: name, ReadOnly: true})
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
	}
	assert.Contains(t, first.Do("spend a 2"), "has 2 names")
	assert.Contains(t, first.Do("begin c 0"), "has 2 names")

	require.NoError(t, os.Remove(other))
	assert.Equal(t, "ok", first.Do("spend a 2"), "it has one name again")
	first.Finish()
	assert.Equal(t, int64(2), spentOf(t, path))
}

// A file that is mounted by itself, as into a container, has its journal there and
// another one at home. A mounted folder takes the journal with it.
func TestMounts(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		mount string // a shell's: the ledger's folder is $L, and $D an empty one
		use   string // in $D
		says  string
	}{
		"a file":           {`touch "$D/l.db"; mount --bind "$L/ledger.db" "$D/l.db"`, "l.db", "/l.db is mounted by itself"},
		"a file on itself": {`mount --bind "$L" "$D"; mount --bind "$D/ledger.db" "$D/ledger.db"`, "ledger.db", "/ledger.db is mounted by itself"},
		"a journal":        {`mount --bind "$L" "$D"; touch "$D/x"; mount --bind "$D/x" "$D/ledger.db-wal"`, "ledger.db", "ledger.db-wal is mounted by itself"},
		"an index":         {`mount --bind "$L" "$D"; touch "$D/x"; mount --bind "$D/x" "$D/ledger.db-shm"`, "ledger.db", "ledger.db-shm is mounted by itself"},
		"a folder":         {`mount --bind "$L" "$D"`, "ledger.db", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, dir := ledgerOf(t, 10), t.TempDir()
			place := apart.Place{Unshare: []string{"--mount"}, First: "L='" + filepath.Dir(path) + "' D='" + dir + "'; " + row.mount}
			if !place.Possible(t) {
				return
			}
			home := processes.Start(t, here, path)
			require.Equal(t, "ok", home.Do("begin a 4"))
			require.Equal(t, "ok", home.Do("spend a 1"))
			container := processes.Start(t, inPlace(t, place), filepath.Join(dir, row.use))
			answer := container.Do("begin b 7")
			if row.says != "" {
				assert.Contains(t, answer, row.says)
				container.Kill()
				home.Finish()
				assert.Equal(t, int64(1), spentOf(t, path))
				return
			}
			assert.Contains(t, answer, "blocked: 7 requested, 6 usable", "both see one ledger")
			require.Equal(t, "ok", container.Do("begin b 6"))
			require.Equal(t, "ok", container.Do("spend b 1"))
			require.Equal(t, "ok", home.Do("spend a 2"))
			container.Finish()
			home.Finish()
			assert.Equal(t, int64(3), spentOf(t, path))
		})
	}
}

// A link to the ledger leads to the same journal and the same gate.
func TestLinkToALedger(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	one, two := processes.Start(t, here, path), processes.Start(t, here, link)
	require.Equal(t, "ok", one.Do("begin a 4"))
	require.Equal(t, "ok", two.Do("begin b 6"))
	assert.Contains(t, one.Do("begin c 1"), "blocked")
	require.Equal(t, "ok", two.Do("spend b 1"))
	assert.NoFileExists(t, link+"-wal")
	assert.NoFileExists(t, link+".lock")

	// Led elsewhere, the link is not the ledger that this run is of.
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(ledgerOf(t, 10), link))
	assert.Contains(t, two.Do("spend b 2"), "does not lead to")
	require.Equal(t, "ok", one.Do("spend a 1"))
	one.Finish()
	two.Finish()
	assert.Equal(t, int64(2), spentOf(t, path))
}

// A ledger that is given another name under a run: the run ends, whoever comes by
// the new name waits for that, and what was spent has gone with the file.
func TestRenamedInUse(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	other := filepath.Join(filepath.Dir(path), "renamed.db")
	first := processes.Start(t, here, path)
	require.Equal(t, "ok", first.Do("begin a 10"))
	require.Equal(t, "ok", first.Do("spend a 1"))
	require.NoError(t, os.Rename(path, other))

	second := processes.Start(t, here, other)
	assert.Contains(t, second.Do("begin b 5"), "a process that goes on uses the same file under another name")
	second.Kill()

	assert.Contains(t, first.Do("spend a 2"), quota.ErrPoisoned.Error())
	first.Finish()
	require.NoError(t, os.Remove(path+"-wal"))
	assert.Equal(t, int64(1), spentOf(t, other), "it was in the journal beside the old name")
	assert.Empty(t, problems(t, other))
}

// A ledger whose process was killed has its latest spends in its journal. Without
// it the file is not opened.
func TestRenamedAfterAKill(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	other := filepath.Join(filepath.Dir(path), "renamed.db")
	first := processes.Start(t, here, path)
	require.Equal(t, "ok", first.Do("begin a 10"))
	require.Equal(t, "ok", first.Do("spend a 1"))
	first.Kill()
	require.NoError(t, os.Rename(path, other))
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: other})
	require.ErrorIs(t, err, quota.ErrWentBack)
	assert.ErrorContains(t, err, "give it that name back")
	require.NoError(t, os.Rename(other, path))
	assert.Equal(t, int64(1), spentOf(t, path))
	require.NoError(t, os.Rename(path, other)) // closed cleanly, it is whole
	assert.Equal(t, int64(1), spentOf(t, other))
}

// A file that is put in the place of one in use is not opened beside it.
func TestReplacedInUse(t *testing.T) {
	t.Parallel()
	path, backup := ledgerOf(t, 10), ledgerOf(t, 10)
	first := processes.Start(t, here, path)
	require.Equal(t, "ok", first.Do("begin a 10"))
	require.Equal(t, "ok", first.Do("spend a 1"))
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, os.Rename(backup, path))
	second := processes.Start(t, here, path)
	assert.Contains(t, second.Do("begin b 10"), "a process that goes on uses another file, which had this name before")
	second.Kill()
	_, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 10})
	require.ErrorIs(t, err, quota.ErrUnsafePlace)
	assert.Contains(t, first.Do("spend a 2"), "the file was replaced while it was in use")
	first.Finish()
}

// Where a file beside the ledger is taken away or replaced under a run, others
// would get a journal or an index of their own.
func TestSidesInUse(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		side   string
		change func(t *testing.T, path string)
		says   string
	}{
		"the journal removed":  {"-wal", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "-wal was removed while it was in use"},
		"the index removed":    {"-shm", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "-shm was removed while it was in use"},
		"the journal replaced": {"-wal", replace, "-wal was replaced while it was in use"},
		"the index replaced":   {"-shm", replace, "-shm was replaced while it was in use"},
		"the journal linked":   {"-wal", func(t *testing.T, path string) { require.NoError(t, os.Link(path, path+"2")) }, "-wal has 2 names"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := ledgerOf(t, 10)
			first := processes.Start(t, here, path)
			require.Equal(t, "ok", first.Do("begin a 10"))
			require.Equal(t, "ok", first.Do("spend a 1"))
			row.change(t, path+row.side)
			assert.Contains(t, first.Do("spend a 2"), row.says)
			first.Kill()
		})
	}
}

func replace(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// Nothing beside the ledger may be a link, or be waited for.
func TestSidesThatAreNoFiles(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"-wal", "-shm", ".lock"} {
		for name, put := range map[string]func(path string) error{
			"a symbolic link": func(path string) error { return os.Symlink(path+"2", path) },
			"a named pipe":    func(path string) error { return exec.Command("mkfifo", path).Run() },
			"a folder":        func(path string) error { return os.Mkdir(path, 0o755) },
		} {
			t.Run(side+" is "+name, func(t *testing.T) {
				t.Parallel()
				path := ledgerOf(t, 10)
				require.NoError(t, os.Remove(path+side))
				require.NoError(t, put(path+side))
				_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
				require.ErrorIs(t, err, quota.ErrUnsafePlace)
				assert.ErrorContains(t, err, path+side+" is "+name)
			})
		}
	}
}

// A gate that is removed is made anew by whoever comes, and those at the old one
// find it there.
func TestGateRemovedInUse(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 50)
	first := processes.Start(t, impatient, path)
	require.Equal(t, "ok", first.Do("begin a 10"))
	require.NoError(t, os.Remove(path+".lock"))
	second := processes.Start(t, impatient, path)
	require.Equal(t, "ok", second.Do("begin b 10"))
	require.Equal(t, "ok", first.Do("spend a 1"))
	release := lockGate(t, path)
	for i, c := range []quotatest.Child{first, second} {
		assert.Contains(t, c.Do("spend %s 2", string("ab"[i])), quota.ErrBusy.Error(), "both wait at the same one")
	}
	release()
	require.Equal(t, "ok", first.Do("spend a 2"))
	require.Equal(t, "ok", second.Do("spend b 2"))
	first.Finish()
	second.Finish()
	assert.Equal(t, int64(3), spentOf(t, path))
}

// A name in another case is the same name where the file system takes it so, and
// otherwise another file.
func TestNameInAnotherCase(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	other := filepath.Join(filepath.Dir(path), "LEDGER.DB")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: other})
	if err != nil { // the file system knows cases
		require.ErrorIs(t, err, quota.ErrNoLedger)
		return
	}
	assert.Equal(t, path, ledgerPath(t, s))
	require.NoError(t, s.Close())
}
