//go:build !linux

package sqlite_test

// keepLocked is for Linux.
func keepLocked() {}
