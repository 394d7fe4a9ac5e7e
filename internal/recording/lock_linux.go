package recording

import "golang.org/x/sys/unix"

// setLockCommand locks for the open file, not for the process: closing the same
// file elsewhere in the process lets nothing go.
const setLockCommand = unix.F_OFD_SETLK
