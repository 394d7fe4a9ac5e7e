//go:build !linux

package sqlite_test

import "os"

// datasync is the flush that SQLite uses here.
func datasync(f *os.File) error { return f.Sync() }
