package seal

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// command is what runs in a seal. Its texts are bytes: those of a system need not be
// UTF-8, and JSON would change what is not.
type command struct {
	Path []byte
	Args [][]byte // with the name that the command is called by
	Env  [][]byte
	Dir  []byte // empty is where the shim is
}

func newCommand(path string, args, env []string, dir string) command {
	return command{[]byte(path), asBytes(args), asBytes(env), []byte(dir)}
}

func asBytes(texts []string) [][]byte {
	all := make([][]byte, len(texts))
	for i, text := range texts {
		all[i] = []byte(text)
	}
	return all
}

func asTexts(all [][]byte) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return texts
}

// start starts the command on the calling thread, which has no privileges from then
// on, and tells how it ended. Until then it reaps what the command leaves behind, as
// process 1 has to.
func (c *command) start(ended chan<- syscall.WaitStatus) (pid int, err error) {
	if err := dropPrivileges(); err != nil {
		return 0, err
	}
	pid, err = syscall.ForkExec(string(c.Path), asTexts(c.Args), &syscall.ProcAttr{Dir: string(c.Dir), Env: asTexts(c.Env), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, fmt.Errorf("fork/exec %s: %w", c.Path, err)
	}
	go func() {
		for {
			var status syscall.WaitStatus
			one, err := syscall.Wait4(-1, &status, 0, nil)
			if one == pid {
				ended <- status
				return
			}
			if err != nil && !errors.Is(err, syscall.EINTR) { // there is no command any more
				ended <- status
				return
			}
		}
	}()
	return pid, nil
}

// dropPrivileges takes every capability from the calling thread and from what it
// starts, for good.
func dropPrivileges() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("%s: %w", StepPrivileges, err)
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("%s: %w", StepPrivileges, err)
	}
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) { // there are no more
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", StepPrivileges, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if _, _, errno := syscall.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0); errno != 0 {
		return fmt.Errorf("%s: %w", StepPrivileges, errno)
	}
	if err := filterCalls(); err != nil {
		return fmt.Errorf("%s: %w", StepPrivileges, err)
	}
	return nil
}
