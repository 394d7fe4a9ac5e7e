//go:build unix

package sqlite

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow refuses a link where a file is opened.
const noFollow = unix.O_NOFOLLOW

// sameGroup gives f the group of like. Who is not in that group can't.
func sameGroup(f *os.File, like os.FileInfo) {
	if want, ok := like.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(-1, int(want.Gid))
	}
}
