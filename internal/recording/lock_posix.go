//go:build !linux && !darwin && !windows

package recording

import "golang.org/x/sys/unix"

// setLockCommand locks for the process. The goroutines of one store exclude each
// other all the same; two stores of one folder in one process do not.
const setLockCommand = unix.F_SETLK
