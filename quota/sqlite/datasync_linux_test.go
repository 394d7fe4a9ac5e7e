package sqlite_test

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync is the flush that SQLite uses here.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
