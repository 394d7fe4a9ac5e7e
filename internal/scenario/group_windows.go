package scenario

import (
	"context"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is a command with all that it starts: a job of the system's, which ends with the last
// handle of it, and so with this program, however that ends. Zero is none.
type group struct {
	cmd *exec.Cmd
	job windows.Handle
}

// grouped makes a group for a command; where the system gives none, it runs all the same.
func grouped(cmd *exec.Cmd, _ bool) *group {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return &group{cmd: cmd}
	}
	return &group{cmd, job}
}

// run starts the command and waits for it. When it was told to end, what is left of the group
// is ended.
func (g *group) run(ctx context.Context) error {
	defer g.close()
	if err := g.cmd.Start(); err != nil {
		return err
	}
	if g.limit(windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) == nil {
		g.join()
	}
	err := g.cmd.Wait()
	if ctx.Err() == nil {
		_ = g.limit(0) // what goes on after a command that has ended by itself
	}
	return err
}

// join puts the process that was just started into the job. What that starts is in it, too.
func (g *group) join() {
	const rights = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE
	process, err := windows.OpenProcess(rights, false, uint32(g.cmd.Process.Pid))
	if err != nil {
		return
	}
	_ = windows.AssignProcessToJobObject(g.job, process) // it may have ended
	_ = windows.CloseHandle(process)
}

// limit says what becomes of the job without a handle.
func (g *group) limit(flags uint32) error {
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = flags
	_, err := windows.SetInformationJobObject(g.job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	return err
}

func (g *group) close() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

// ask ends the command and its group: nobody can ask it to end here.
func (g *group) ask() error {
	err := g.cmd.Process.Kill()
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1)
	}
	return err
}
