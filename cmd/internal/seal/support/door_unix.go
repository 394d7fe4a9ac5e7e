//go:build unix

package support

import "golang.org/x/sys/unix"

// writable tells whether this user may write a file; as the kernel says it, before anybody
// connects.
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }
