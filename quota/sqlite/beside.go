package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/hsharness/hsharness/quota"
)

// The files beside a ledger's, which belong to it: SQLite's journal and its
// index, and the gate.
const (
	walSuffix  = "-wal"
	shmSuffix  = "-shm"
	lockSuffix = ".lock"
)

// fileMode is what a new ledger gets, less what the umask takes: the group may
// share it if the umask lets it, and others get nothing. All files beside it have
// the mode and the group of the ledger, whoever makes them, or those who share it
// would shut each other out.
const fileMode = 0o660

// folderMode is that of its folder, where there is none.
const folderMode = 0o770

// createFile makes the file of a new ledger, if it is not there.
func createFile(path string) (os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return os.Lstat(path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	return info, errors.Join(err, f.Close())
}

// openBeside opens a file beside the ledger, and makes it like the ledger if it is
// not there.
func openBeside(path string, like os.FileInfo) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, like.Mode().Perm())
	switch {
	case err == nil:
		return f, alike(f, like)
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		err = fmt.Errorf("%w: %s is %s: remove it", quota.ErrUnsafePlace, path, kind(info.Mode()))
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm() != like.Mode().Perm() {
		_ = os.Chmod(path, like.Mode().Perm()) // only its owner can; then the open below tells
	}
	return os.OpenFile(path, os.O_RDWR|noFollow, 0)
}

// makeBeside makes a file beside the ledger like it.
func makeBeside(path string, like os.FileInfo) error {
	f, err := openBeside(path, like)
	if err != nil {
		return err
	}
	return f.Close()
}

// cantWrite says why a file can't be written, and what helps.
func cantWrite(path string, err error) error {
	switch {
	case errors.Is(err, quota.ErrUnsafePlace):
		return err // it says what to do
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w: mount it writable, or use a ledger elsewhere", quota.ErrUnsafePlace, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w: whose it is can let others write: chmod g+w %s", quota.ErrUnsafePlace, err, path)
	}
	return err // such as too many open files: the place is not what is wrong
}

// alike gives a new file the mode of the ledger whatever the umask is now, and its
// group where this user may.
func alike(f *os.File, like os.FileInfo) error {
	if err := f.Chmod(like.Mode().Perm()); err != nil {
		return errors.Join(err, f.Close())
	}
	sameGroup(f, like)
	return nil
}
