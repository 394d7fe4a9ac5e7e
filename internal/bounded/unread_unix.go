//go:build linux || darwin || freebsd || netbsd || openbsd

package bounded

import "syscall"

// unread tells whether something of the caller has arrived that nobody has read:
// then it is not the caller that is waited for.
func unread(of any) bool {
	c, ok := of.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	err = raw.Control(func(fd uintptr) {
		n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && n > 0
}
