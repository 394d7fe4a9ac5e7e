//go:build !linux && unix

package pgtest

import "syscall"

// attributes makes a process run as owner. The server outlives us here when we
// are killed; the next reboot or a person ends it.
func attributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner.credential()}
}
