package quota

import (
	"os"
	"syscall"
	"testing"

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
