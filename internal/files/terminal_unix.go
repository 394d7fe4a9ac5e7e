//go:build !windows

package files

import "golang.org/x/sys/unix"

// Terminal tells whether there is a terminal that this program, and what it starts, could
// read from, whatever its standard files are.
func Terminal() bool {
	fd, err := again(func() (int, error) {
		return unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return false
	}
	_ = unix.Close(fd)
	return true
}
