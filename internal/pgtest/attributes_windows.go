package pgtest

import "syscall"

// attributes has nothing to set: the server drops its rights by itself.
func attributes(*account) *syscall.SysProcAttr { return nil }
