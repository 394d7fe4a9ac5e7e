//go:build !windows

package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock on one byte of f if nobody has it.
func tryLock(f *os.File, at int64) (bool, error) {
	err := setLock(f, unix.F_WRLCK, at)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// unlockRange lets it go. Should that fail, it is held until the process ends.
func unlockRange(f *os.File, at int64) { _ = setLock(f, unix.F_UNLCK, at) }

func setLock(f *os.File, kind int16, at int64) error {
	return unix.FcntlFlock(f.Fd(), setLockCommand, &unix.Flock_t{Type: kind, Start: at, Len: 1})
}

// writable tells whether this user may make files in a folder.
func writable(folder string) bool { return unix.Access(folder, unix.W_OK|unix.X_OK) == nil }

// ownFolder tells whether there is a folder that is this user's, no link, and that
// nobody else can write into.
func ownFolder(folder string) bool {
	var stat unix.Stat_t
	if err := unix.Lstat(folder, &stat); err != nil {
		return false
	}
	return stat.Mode&unix.S_IFMT == unix.S_IFDIR && int(stat.Uid) == os.Getuid() && stat.Mode&0o022 == 0
}
