package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock on one byte of f if nobody has it.
func tryLock(f *os.File, at int64) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, overlapped(at))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// unlockRange lets it go. Should that fail, it is held until the process ends.
func unlockRange(f *os.File, at int64) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, overlapped(at))
}

func overlapped(at int64) *windows.Overlapped {
	return &windows.Overlapped{Offset: uint32(at), OffsetHigh: uint32(at >> 32)}
}

// writable tells whether there is a folder: whether files may be made in it, nobody knows
// before one is.
func writable(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.IsDir()
}

// ownFolder tells whether there is a folder: on Windows each user has an own one
// for temporary files.
func ownFolder(folder string) bool {
	info, err := os.Lstat(folder)
	return err == nil && info.IsDir()
}
