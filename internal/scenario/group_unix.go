//go:build unix

package scenario

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// grouped has a command, and all that it starts, be a group of its own. A terminal sends the
// group nothing, and lets nobody in it read.
func grouped(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askToEnd asks a command to end, and its group if it has one.
func askToEnd(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		return cmd.Process.Signal(os.Interrupt)
	}
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// endRest ends what is left of a group whose command has ended.
func endRest(cmd *exec.Cmd) {
	if cmd.SysProcAttr != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // there may be nobody any more
	}
}
