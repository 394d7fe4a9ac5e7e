//go:build !linux

package pgtest

import "os"

// newFolder makes a folder for a server.
func newFolder() (dir string, lock *os.File, err error) {
	dir, err = os.MkdirTemp("", "hspg")
	return dir, nil, err
}
