package sqlite

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The bytes that SQLite locks: of the index, https://www.sqlite.org/walformat.html
// §2.3, and of the file itself, https://www.sqlite.org/c3ref/io_methods.html.
const (
	shmLocks, shmLockCount = 120, 8
	fileLocks              = 0x40000000
	fileLockCount          = 512
)

// lockedBy tells which other program keeps a lock of SQLite that is in the way.
// Of one that locks as this program does nobody can tell.
func lockedBy(path string) string {
	for _, at := range []struct {
		name       string
		start, len int64
	}{{path + shmSuffix, shmLocks, shmLockCount}, {path, fileLocks, fileLockCount}} {
		f, err := os.Open(at.name)
		if err != nil {
			continue
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK, Start: at.start, Len: at.len}
		err = unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock)
		_ = f.Close() // it was only asked
		if err == nil && lock.Type == unix.F_WRLCK && lock.Pid > 0 {
			name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", lock.Pid))
			if err != nil {
				return fmt.Sprintf("process %d", lock.Pid)
			}
			return fmt.Sprintf("process %d (%s)", lock.Pid, strings.TrimSpace(string(name)))
		}
	}
	return "another program"
}
