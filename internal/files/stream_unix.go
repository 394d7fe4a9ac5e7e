//go:build !windows

package files

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ownDescriptor opens a descriptor by its name, if it is one of those that this
// program was started with: its own are closed in programs that it starts.
func ownDescriptor(name string, write bool) (f *os.File, ok bool, err error) {
	n, ok := descriptor(name)
	if !ok {
		return nil, false, nil
	}
	fail := func(err error) (*os.File, bool, error) {
		return nil, false, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
	if err == nil && n > 2 && flags&unix.FD_CLOEXEC != 0 {
		err = unix.EBADF
	}
	if err != nil {
		return fail(err)
	}
	how, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
	if err != nil {
		return fail(err)
	}
	if how &= unix.O_ACCMODE; how != unix.O_RDWR && (how == unix.O_WRONLY) != write {
		return fail(unix.EBADF)
	}
	own, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fail(err)
	}
	return os.NewFile(uintptr(own), name), true, nil
}
