package quota

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// Of <minwinbase.h> and <winerror.h>.
const (
	lockfileFailImmediately = 1
	lockfileExclusiveLock   = 2
	errorLockViolation      = syscall.Errno(33)
)

var procLockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

// tryLockFile locks the file if nobody else does.
func tryLockFile(f *os.File) (bool, error) {
	err := lockFileEx(f, lockfileExclusiveLock|lockfileFailImmediately)
	if errors.Is(err, errorLockViolation) || errors.Is(err, syscall.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// lockFile waits for the lock.
func lockFile(f *os.File) error { return lockFileEx(f, lockfileExclusiveLock) }

// lockFileEx locks a byte far behind the end: where a lock is, others can't read,
// and they read who holds it.
func lockFileEx(f *os.File, flags uintptr) error {
	far := syscall.Overlapped{OffsetHigh: 1 << 30}
	ok, _, err := procLockFileEx.Call(f.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(&far)))
	if ok != 0 {
		return nil
	}
	return err
}
