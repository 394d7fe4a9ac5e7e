package pgtest

import "syscall"

// attributes makes a process run as owner and end at once when we do, however
// we end. SIGQUIT is the server's immediate shutdown.
func attributes(owner *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner.credential(), Pdeathsig: syscall.SIGQUIT}
}
