//go:build !windows

package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes f's lock if nobody has it.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// release removes a lock file and then lets it go: whoever waits for it sees
// that its name is gone, and makes a new one.
func release(f *os.File) {
	_ = os.Remove(f.Name()) // one that stays is harmless
	_ = f.Close()
}

// syncFolder flushes the names in a folder.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
