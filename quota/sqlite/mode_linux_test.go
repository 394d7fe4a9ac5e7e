package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// The people of a team: two of one group, and one of another.
const (
	ann, bob, eve  = 1001, 1002, 1003
	team, visitors = 2001, 2002
)

// as starts a child as somebody with an umask.
func as(t *testing.T, user, group int, umask string) func(string) *exec.Cmd {
	return func(string) *exec.Cmd {
		return apart.Place{User: user, Group: group, Umask: umask}.Command(t, apart.Program(t))
	}
}

// shared is a folder of the team, whose files get its group.
func sharedFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(apart.Folder(t), "team")
	require.NoError(t, os.Mkdir(dir, 0o750))
	require.NoError(t, os.Chown(dir, ann, team))
	require.NoError(t, os.Chmod(dir, 0o770|os.ModeSetgid))
	return dir
}

func modes(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, side := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + side)
		if err == nil {
			all[side] = info.Mode().String()
		}
	}
	return all
}

// The files of a ledger have one mode, whoever makes them: the group may do what
// the umask of its maker left it, and others nothing.
func TestModesFollowTheUmask(t *testing.T) {
	t.Parallel()
	if !(apart.Place{User: ann, Group: team}).Possible(t) {
		return
	}
	for umask, row := range map[string]struct{ mode, folder string }{
		"007": {"-rw-rw----", "drwxrwx---"},
		"002": {"-rw-rw----", "drwxrwx---"},
		"022": {"-rw-r-----", "drwxr-x---"},
		"077": {"-rw-------", "drwx------"},
	} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(sharedFolder(t), "folder", "ledger.db")
			first := processes.Start(t, as(t, ann, team, umask), "init:"+path)
			require.Equal(t, "ok", first.Do("begin a 5"))
			want := map[string]string{"": row.mode, "-wal": row.mode, "-shm": row.mode, ".lock": row.mode}
			assert.Equal(t, want, modes(t, path), "in use")
			folder, err := os.Stat(filepath.Dir(path))
			require.NoError(t, err)
			assert.Equal(t, row.folder, strings.Replace(folder.Mode().String(), "dg", "d", 1))
			require.Equal(t, "ok", first.Do("spend a 1"))
			first.Finish()
			assert.Equal(t, want, modes(t, path), "closed")
		})
	}
}

// Two of a group share a ledger in a folder of the group, also where the files
// beside it have to be made anew, by either of them.
func TestGroupSharesALedger(t *testing.T) {
	t.Parallel()
	if !(apart.Place{User: ann, Group: team}).Possible(t) {
		return
	}
	path := filepath.Join(sharedFolder(t), "ledger.db")
	first := processes.Start(t, as(t, ann, team, "007"), "init:"+path)
	require.Equal(t, "ok", first.Do("begin a 5"))
	second := processes.Start(t, as(t, bob, team, "022"), path)
	require.Equal(t, "ok", second.Do("begin b 5"))
	require.Equal(t, "ok", first.Do("spend a 1"))
	require.Equal(t, "ok", second.Do("spend b 1"))
	first.Finish()
	second.Finish()

	for _, side := range []string{"-wal", "-shm", ".lock"} {
		require.NoError(t, os.Remove(path+side))
	}
	second = processes.Start(t, as(t, bob, team, "077"), path)
	require.Equal(t, "ok", second.Do("begin c 5"))
	const mode = "-rw-rw----"
	assert.Equal(t, map[string]string{"": mode, "-wal": mode, "-shm": mode, ".lock": mode}, modes(t, path))
	first = processes.Start(t, as(t, ann, team, "077"), path)
	require.Equal(t, "ok", first.Do("begin d 5"))
	require.Equal(t, "ok", first.Do("spend d 1"))
	require.Equal(t, "ok", second.Do("spend c 1"))
	first.Finish()
	second.Finish()

	stranger := processes.Start(t, as(t, eve, visitors, "022"), "read:"+path)
	assert.Contains(t, stranger.Do("status"), "permission denied")
	stranger.Kill()
}

// Who may only read a ledger sees its state, whether or not somebody has it open,
// and can't change it.
func TestReadersSeeTheState(t *testing.T) {
	t.Parallel()
	if !(apart.Place{User: ann, Group: team}).Possible(t) {
		return
	}
	for name, prepare := range map[string]func(t *testing.T, path string){
		"": func(*testing.T, string) {},
		"of an earlier version": func(t *testing.T, path string) { // which left nothing beside it
			for _, side := range []string{"-wal", "-shm"} {
				require.NoError(t, os.Remove(path+side))
			}
		},
		"in a folder to be read": func(t *testing.T, path string) { require.NoError(t, os.Chmod(filepath.Dir(path), 0o550)) },
	} {
		t.Run("closed "+name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(sharedFolder(t), "ledger.db")
			first := processes.Start(t, as(t, ann, team, "022"), "init:"+path)
			require.Equal(t, "ok", first.Do("begin a 5"))
			require.Equal(t, "ok", first.Do("spend a 1"))
			require.Equal(t, "ok", first.Do("end a"))
			first.Finish()
			prepare(t, path)
			before := modes(t, path)
			reader := processes.Start(t, as(t, bob, team, "022"), "read:"+path)
			assert.Equal(t, "spent 1, held 0", reader.Do("status"))
			assert.Equal(t, "problems 0", reader.Do("verify"))
			assert.Contains(t, reader.Do("begin b 1"), quota.ErrReadOnly.Error())
			reader.Finish()
			assert.Equal(t, before, modes(t, path), "reading makes and changes nothing")
			writer := processes.Start(t, as(t, bob, team, "022"), path)
			assert.Contains(t, writer.Do("begin b 1"), "permission denied")
			writer.Kill()
		})
	}
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(sharedFolder(t), "ledger.db")
		first := processes.Start(t, as(t, ann, team, "022"), "init:"+path)
		require.Equal(t, "ok", first.Do("begin a 5"))
		require.Equal(t, "ok", first.Do("spend a 1"))
		reader := processes.Start(t, as(t, bob, team, "022"), "read:"+path)
		assert.Equal(t, "spent 1, held 4", reader.Do("status"))
		require.Equal(t, "ok", first.Do("spend a 2"))
		assert.Equal(t, "spent 2, held 3", reader.Do("status"))
		first.Kill()
		assert.Equal(t, "spent 2, held 0", reader.Do("status"), "its journal is there, and it is dead")
		reader.Finish()
		reader = processes.Start(t, as(t, bob, team, "022"), "read:"+path)
		assert.Equal(t, "spent 2, held 0", reader.Do("status"))
		assert.Equal(t, "problems 0", reader.Do("verify"))
		reader.Finish()
	})
}

// A store that only reads takes no gate, so a process that is stopped inside does
// not keep it.
func TestReadersWaitForNobody(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	defer lockGate(t, path)()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, ReadOnly: true})
	require.NoError(t, err)
	assert.Equal(t, int64(1), status(t, s).Spent)
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	assert.Equal(t, path, info.Path)
	statement, err := s.Statement(t.Context(), info.Created)
	require.NoError(t, err)
	assert.Equal(t, int64(1), statement.Total.Spent)
	_, err = s.Grant(t.Context(), quota.GrantSpec{ID: "g", Units: 1})
	require.ErrorIs(t, err, quota.ErrReadOnly)
	require.ErrorIs(t, s.Settle(t.Context()), quota.ErrReadOnly)
	require.NoError(t, s.Close())
	_, err = s.Status(t.Context())
	require.ErrorIs(t, err, quota.ErrClosed)
}
