package sqlite

import "golang.org/x/sys/windows"

// lock waits for the whole file.
func (g *gate) lock() error {
	return windows.LockFileEx(windows.Handle(g.f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}

func (g *gate) unlock() error {
	return windows.UnlockFileEx(windows.Handle(g.f.Fd()), 0, 1, 0, new(windows.Overlapped))
}
