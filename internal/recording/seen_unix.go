//go:build !windows

package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// seen is all that a system tells of a file but when it was read: what is in its place
// later is the same, and unchanged, while that is.
type seen struct{ stat unix.Stat_t }

// see asks for what a name is: itself, or what it leads to as a link.
func see(name string, follow bool) (seen, error) {
	ask, call := unix.Lstat, "lstat"
	if follow {
		ask, call = unix.Stat, "stat"
	}
	var s seen
	for {
		err := ask(name, &s.stat)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return seen{}, &os.PathError{Op: call, Path: name, Err: err}
		}
		s.stat.Atim = unix.Timespec{}
		return s, nil
	}
}

// absent tells that there is nothing of a name.
func absent(name string) bool {
	var stat unix.Stat_t
	for {
		err := unix.Lstat(name, &stat)
		if !errors.Is(err, unix.EINTR) {
			return errors.Is(err, unix.ENOENT)
		}
	}
}

func (s *seen) same(as *seen) bool { return s.stat == as.stat }

func (s *seen) size() int64 { return s.stat.Size }

func (s *seen) isLink() bool { return s.stat.Mode&unix.S_IFMT == unix.S_IFLNK }

func (s *seen) isFolder() bool { return s.stat.Mode&unix.S_IFMT == unix.S_IFDIR }

func (s *seen) isFile() bool { return s.stat.Mode&unix.S_IFMT == unix.S_IFREG }
