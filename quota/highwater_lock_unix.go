//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package quota

import (
	"errors"
	"os"
	"syscall"
)

// tryLockFile locks the file if nobody else does.
func tryLockFile(f *os.File) (bool, error) {
	err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// lockFile waits for the lock.
func lockFile(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// flock locks for the open file; over NFS, Linux makes a lock of the server of it.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			return err
		}
	}
}
