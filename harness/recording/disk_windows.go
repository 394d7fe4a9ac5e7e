package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes f's lock if nobody has it.
func tryLock(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// release lets a lock file go and then removes it, which fails while another
// process has it open: then that one removes it.
func release(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// syncFolder does nothing: Windows has no flush for folders.
func syncFolder(string) error { return nil }
