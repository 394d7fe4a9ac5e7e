package seal

import (
	"errors"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// terminal is the one that this process is in the foreground of; nil is none.
type terminal struct {
	file  *os.File
	group int
}

// foreground finds it, before a command has it.
func foreground() *terminal {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), "/dev/tty")
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil || group != unix.Getpgrp() {
		_ = file.Close() // it is not ours
		return nil
	}
	return &terminal{file, group}
}

// taking keeps one from being stopped for it.
var taking sync.Mutex

// takeBack takes the terminal from a command that has ended. A shell with jobs gives it
// back to who had it, but can't name a group outside.
func (t *terminal) takeBack() {
	if t == nil {
		return
	}
	defer func() { _ = t.file.Close() }()
	fd := int(t.file.Fd())
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil || group == t.group || !errors.Is(unix.Kill(-group, 0), unix.ESRCH) { // somebody outside has it
		return
	}
	taking.Lock()
	defer taking.Unlock()
	if !signal.Ignored(unix.SIGTTOU) {
		signal.Ignore(unix.SIGTTOU)
		defer signal.Reset(unix.SIGTTOU)
	}
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, t.group) // the terminal may be gone
}
