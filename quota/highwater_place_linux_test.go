package quota

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The lines are as Linux prints them; that of a folder of this machine is its own.
func TestLocksOfNFSMounts(t *testing.T) {
	t.Parallel()
	const text = `29 1 254:0 / / rw,relatime - ext4 /dev/vda rw,nolock
36 29 0:31 / /home rw,relatime shared:1 - nfs4 server:/home rw,vers=4.2,rsize=1048576,namlen=255,hard,proto=tcp,local_lock=none,addr=10.0.0.1
37 29 0:32 / /old rw,relatime - nfs server:/old rw,vers=3,nolock,proto=tcp,local_lock=all
38 29 0:33 / /flock rw,relatime - nfs server:/flock rw,vers=3,local_lock=flock
39 29 0:34 / /posix rw,relatime - nfs server:/posix rw,vers=3,local_lock=posix
40 29 0:35
`
	for minor, want := range map[uint64]string{31: "", 32: "nolock", 33: "local_lock=flock", 34: "", 35: "", 36: ""} {
		assert.Equal(t, want, ownLocks(text, minor), "%d", minor)
	}
	// 4660 is 0x1234 and 305419 is 0x4a90b; see makedev(3).
	assert.Equal(t, "nolock", ownLocks("1 1 4660:305419 / /x rw - nfs s:/x rw,nolock\n", 0x1000_4a92_340b), "a large number")
	var is syscall.Stat_t
	require.NoError(t, syscall.Stat("/", &is))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.Empty(t, ownLocks(string(mounts), is.Dev))
	require.NoError(t, sharesLocks(t.TempDir()))
}

// A named pipe in the place of a file of the mark is said, and not waited for.
func TestHighWaterIsNoPipe(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(*highWater) string{
		"the lock": func(w *highWater) string { return w.dir + ".lock" },
		"the file": func(w *highWater) string { return w.file("ledger") },
	} {
		w := testHighWater(t, time.Second)
		require.NoError(t, os.MkdirAll(w.dir, 0o700))
		require.NoError(t, syscall.Mkfifo(path(w), 0o600))
		err := w.writable("ledger")
		require.ErrorIs(t, err, ErrNoHighWater, name)
		assert.ErrorContains(t, err, "it is a named pipe: remove it", name)
		_, err = w.accept(t.Context(), "ledger", Entry{Seq: 1})
		require.ErrorIs(t, err, ErrNoHighWater, name)
		if _, _, err = newTrail(w, nil, "ledger").open(); name == "the file" {
			require.ErrorIs(t, err, errPipe)
		}
	}
}

// What is said about a place that can't be used ends with what helps there.
func TestHighWaterSaysWhatHelps(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{
		syscall.EACCES: "set XDG_STATE_HOME to a folder of this user",
		syscall.EROFS:  "set XDG_STATE_HOME to a folder of this user",
		syscall.ENOSPC: "make room there",
		syscall.EIO:    "set XDG_STATE_HOME to another one",
	} {
		err := unusable(&os.PathError{Op: "open", Path: "place", Err: errno})
		require.ErrorIs(t, err, ErrNoHighWater)
		assert.ErrorContains(t, err, want)
	}
}
