package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// hideMemory keeps other processes of the same user from reading the credential
// out of this one's memory or core dump. It guards against accidents: a user
// who wants to can still start this program under a debugger.
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the credential from other processes: %w", err)
	}
	return nil
}
