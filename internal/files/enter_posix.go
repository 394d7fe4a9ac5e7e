//go:build !linux && !windows

package files

import "golang.org/x/sys/unix"

// onlyEnter opens a folder to read it: there is no less.
const onlyEnter = unix.O_RDONLY
