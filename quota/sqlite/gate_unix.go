//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// lock waits in the kernel's queue, which is fair where polling is not.
func (g *gate) lock() error {
	for {
		err := unix.Flock(int(g.f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			return err
		}
	}
}

func (g *gate) unlock() error { return unix.Flock(int(g.f.Fd()), unix.LOCK_UN) }
