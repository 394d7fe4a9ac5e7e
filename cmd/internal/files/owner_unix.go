//go:build !windows

package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// nonblock opens a FIFO at once.
const nonblock = syscall.O_NONBLOCK

// trusted refuses a link that somebody else may have planted: in a folder that
// others can write into, one that is neither this user's nor the folder's owner's.
// The kernel does so for sticky folders alone, and not everywhere.
func trusted(link string, info fs.FileInfo) error {
	dir, err := os.Stat(filepath.Dir(link))
	if err != nil {
		return err
	}
	by, ok1 := info.Sys().(*syscall.Stat_t)
	in, ok2 := dir.Sys().(*syscall.Stat_t)
	if !ok1 || !ok2 || dir.Mode().Perm()&0o022 == 0 || by.Uid == in.Uid || int(by.Uid) == os.Geteuid() {
		return nil
	}
	return fmt.Errorf("%s is a link that user %d put into a folder where others can write: it is not followed", link, by.Uid)
}

// keep gives a new file the mode and the owner of the one that it replaces. Only
// root can give a file away, and only members of a group to it.
func keep(f *os.File, old fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	was, ok1 := old.Sys().(*syscall.Stat_t)
	is, ok2 := info.Sys().(*syscall.Stat_t)
	if ok1 && ok2 && (was.Uid != is.Uid || was.Gid != is.Gid) {
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("%s is user %d's and group %d's, and would not be any more: %w", old.Name(), was.Uid, was.Gid, err)
		}
	}
	return f.Chmod(old.Mode().Perm())
}
