//go:build unix && !linux

package process

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Memory is nothing here: the system shows a process's first environment, and
// has no way to change it.
type Memory struct{}

func (*Memory) overwriteVariable(string) {}

// cores is how large a core dump may be, as it was before this program leaves
// none.
var cores struct {
	sync.Mutex
	before unix.Rlimit
	set    bool
}

// Hide leaves no core dump, whatever GOTRACEBACK says. The system has no
// other switch.
func Hide() (*Memory, error) {
	cores.Lock()
	defer cores.Unlock()
	err := unix.Getrlimit(unix.RLIMIT_CORE, &cores.before)
	if err == nil {
		none := cores.before
		none.Cur = 0
		err = unix.Setrlimit(unix.RLIMIT_CORE, &none)
	}
	if err != nil {
		return &Memory{}, fmt.Errorf("leave no core dump with the credential in it: %w", err)
	}
	cores.set = true
	return &Memory{}, nil
}

// Start starts a command with the limits that this program was started
// with: a command may leave its cores.
func Start(start func() error) error {
	cores.Lock()
	defer cores.Unlock()
	if !cores.set {
		return start()
	}
	none := cores.before
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &cores.before); err != nil {
		return err
	}
	err := start()
	if back := unix.Setrlimit(unix.RLIMIT_CORE, &none); err == nil {
		err = back
	}
	return err
}
