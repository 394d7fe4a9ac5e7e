//go:build unix

package recording_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// A process that keeps a lock is named to those who wait, and a write that waited
// too long keeps its answer all the same.
func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RECORDING_TEST_DIR="+filepath.Join(root, "recordings"), "RECORDING_TEST_DO=keep locked")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said string
	_, err = fmt.Fscan(out, &said)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.Lock(ctx, k)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var held *recording.HeldError
	require.ErrorAs(t, err, &held)
	assert.Contains(t, err.Error(), fmt.Sprintf("for who buys the answer to the same POST /hscode/classify: it is held by process %d (recording.test) of", cmd.Process.Pid))
	assert.NotContains(t, err.Error(), "context deadline exceeded")

	s.WaitForWriters(50 * time.Millisecond)
	err = s.Put(t.Context(), k, answer(`"paid"`))
	require.ErrorAs(t, err, &held)
	assert.Less(t, held.Waited, 10*time.Second)
	assert.Equal(t, `"paid"`, emergency(t, err, filepath.Join(root, ".hsharness", "emergency")))

	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	require.NoError(t, in.Close())
	_ = cmd.Wait() // its stdin ended
	unlock, err := s.Lock(t.Context(), k)
	require.NoError(t, err)
	unlock()
}

// The locks are in a folder that the group may share, as the ledger beside them.
func TestLockFileModes(t *testing.T) {
	s, root := open(t, recording.Config{})
	before := syscall.Umask(0o007) // not parallel: it is the whole process's
	defer syscall.Umask(before)
	unlock, err := s.Lock(t.Context(), s.Key(classify(`{}`)))
	require.NoError(t, err)
	unlock()
	for name, want := range map[string]os.FileMode{".": 0o770, "recordings.lock": 0o660, ".gitignore": 0o660} {
		info, err := os.Stat(filepath.Join(root, ".hsharness", name))
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), name)
	}
}

// TestPutFollowsALink: a recording that lies elsewhere is added to there, and keeps its
// mode.
func TestPutFollowsALink(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := put(t, s, classify(`{"a":1}`), answer("1"))
	rec, err := s.Get(k)
	require.NoError(t, err)
	elsewhere := filepath.Join(root, "elsewhere.json")
	require.NoError(t, os.Rename(rec.File, elsewhere))
	require.NoError(t, os.Chmod(elsewhere, 0o660))
	require.NoError(t, os.Symlink(elsewhere, rec.File))
	require.NoError(t, s.Ready(t.Context(), k))
	require.NoError(t, s.Put(t.Context(), k, answer("2")))
	to, err := os.Readlink(rec.File)
	require.NoError(t, err, "it stays a link")
	assert.Equal(t, elsewhere, to)
	info, err := os.Stat(elsewhere)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o660), info.Mode().Perm())
	rec, err = s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 2)
}

// TestLinkedFoldersHaveOneLock: projects whose recordings folders are links to one folder
// buy once, and see each other's emergency copies.
func TestLinkedFoldersHaveOneLock(t *testing.T) {
	t.Parallel()
	s, root := full(t, recording.Config{})
	require.NoError(t, os.Mkdir(filepath.Join(root, "recordings"), 0o700))
	other := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(root, "recordings"), filepath.Join(other, "recordings")))
	linked := reopen(t, other, recording.Config{})
	k := s.Key(classify(`{"a":1}`))

	unlock, err := s.Lock(t.Context(), k)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = linked.Lock(ctx, k)
	require.ErrorIs(t, err, context.DeadlineExceeded, "another project has the lock")

	var failed *recording.WriteError
	require.ErrorAs(t, s.Put(t.Context(), k, answer(`"paid"`)), &failed)
	unlock()
	unlock, err = linked.Lock(t.Context(), k)
	require.NoError(t, err)
	defer unlock()
	rec, err := linked.Get(k)
	require.NoError(t, err, "it is not bought again")
	assert.Equal(t, []string{`"paid"`}, bodies(rec))
	assert.NoDirExists(t, filepath.Join(other, ".hsharness"))
}

// TestLinksToAFolderThatIsNotThereYet have one lock too.
func TestLinksToAFolderThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var stores []*recording.Store
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o700))
		require.NoError(t, os.Symlink("../recordings", filepath.Join(root, name, "recordings")))
		stores = append(stores, reopen(t, filepath.Join(root, name), recording.Config{}))
	}
	k := stores[0].Key(classify(`{"a":1}`))
	unlock, err := stores[0].Lock(t.Context(), k)
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = stores[1].Lock(ctx, k)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestWhereNothingCanBeBesideALinkedFolder the locks are beside the link, as with a folder
// that is mounted by itself.
func TestWhereNothingCanBeBesideALinkedFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	up := filepath.Join(root, "a-file") // nobody makes a folder in it, not even root
	require.NoError(t, os.WriteFile(up, nil, 0o600))
	require.NoError(t, os.Symlink(filepath.Join(up, "recordings"), filepath.Join(root, "recordings")))
	s := reopen(t, root, recording.Config{})
	unlock, err := s.Lock(t.Context(), s.Key(classify(`{"a":1}`)))
	require.NoError(t, err)
	unlock()
	assert.DirExists(t, filepath.Join(root, ".hsharness"))
}
