//go:build unix

package scenario

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/hsharness/hsharness/internal/files"
)

// group is a command with all that it starts. Unless it is alone it is of this program's own
// group: a terminal sends that its signals, and lets it read.
type group struct {
	cmd   *exec.Cmd
	alone bool
	// leader is the process whose group it is, 0 for the command.
	leader int
}

// grouped has a command, and all that it starts, be a group of its own, where it has a limit of
// time or no terminal to read from.
func grouped(cmd *exec.Cmd, limited bool) *group {
	return &group{cmd: cmd, alone: limited || !files.Terminal()}
}

// run starts the command and waits for it. When it was told to end, what is left of the group
// is ended.
func (g *group) run(ctx context.Context) error {
	if !g.alone {
		return g.cmd.Run()
	}
	defer g.watch()()
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.leader}
	if err := g.cmd.Start(); err != nil {
		return err
	}
	err := g.cmd.Wait()
	if ctx.Err() != nil {
		_ = g.signal(syscall.SIGKILL) // there may be nobody any more
	}
	return err
}

// watch has a shell lead the group, which kills it when this program ends without doing so: by a
// second Ctrl-C, a hangup, or kill -9. The shell's input is over then. What it gives ends the watch.
func (g *group) watch() (over func()) {
	sh := exec.Command("/bin/sh", "-c", `trap "" INT; read -r x; kill -s KILL 0`)
	sh.Env = []string{} // it needs no secret
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		return func() {} // a system without a shell: the command leads a group that nobody watches
	}
	g.leader = sh.Process.Pid
	return func() {
		_ = sh.Process.Kill() // before its input is over
		_ = sh.Wait()
		_ = in.Close()
	}
}

// ask asks the command to end, and its group if it has one.
func (g *group) ask() error {
	if !g.alone {
		return g.cmd.Process.Signal(os.Interrupt)
	}
	err := g.signal(syscall.SIGINT)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (g *group) signal(s syscall.Signal) error {
	return syscall.Kill(-cmp.Or(g.leader, g.cmd.Process.Pid), s)
}
