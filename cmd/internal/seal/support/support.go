// Package support tells why a system does not seal a run, and what to do about it.
//
// Explain is for a step that was refused; Check tries all of them. What a system forbids
// shows as the same few errors whatever forbids it, so the cause is looked for in what
// the system says of itself. The package may touch files of /proc and /sys, to read them.
package support

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
)

// The steps of making a seal.
const (
	Namespaces  = "namespaces"
	IdentityMap = "identity map"
	Loopback    = "loopback"
	Mounts      = "mounts"
	Proc        = "proc"
	Privileges  = "privileges"
)

// Cause is what forbids a seal.
type Cause string

// All causes that are told apart.
const (
	NotLinux   Cause = "not Linux"
	OldKernel  Cause = "kernel without namespaces"
	WSL1       Cause = "WSL 1"
	GVisor     Cause = "gVisor"
	ForRoot    Cause = "sysctl of Debian"
	Limit      Cause = "limit of namespaces"
	Restricted Cause = "AppArmor restriction"
	Confined   Cause = "AppArmor profile"
	SELinux    Cause = "SELinux"
	Seccomp    Cause = "seccomp filter"
	Chroot     Cause = "chroot"
	Unmapped   Cause = "unmapped user"
	MaskedProc Cause = "masked /proc"
	Unknown    Cause = "unknown"
)

// Error says that no run can be sealed here. It is a mistake of no run's command: exit 2.
type Error struct {
	// Step is what was refused; empty where nothing had to be tried.
	Step string
	// Cause is what forbids it, and What says so in a sentence.
	Cause Cause
	What  string
	// Mend is what helps; empty where nothing is known.
	Mend hint.Advice
	// Err is what the system said, if it was asked.
	Err error
}

// Error has the cause, the step and what the system said.
func (e *Error) Error() string {
	text := "no run can be sealed here: " + e.What
	switch {
	case e.Err == nil:
		return text
	case e.Step == "":
		return text + " (" + e.Err.Error() + ")"
	}
	return text + " (" + e.Step + ": " + e.Err.Error() + ")"
}

// Unwrap is what the system said.
func (e *Error) Unwrap() error { return e.Err }

// Advice is the mend, and what there is without it: see [hint.Advised].
func (e *Error) Advice() hint.Advice { return hint.OrIntercept(e.Mend) }

// System is what is known of a machine and of this process.
type System struct {
	// OS is the kind of system, as Go names it.
	OS string
	// Files are all files of the machine, from its root.
	Files fs.FS
	// Env looks up a variable of this process.
	Env func(name string) string
	// Program is the path of this program.
	Program string
}

// Here is the system of this process.
func Here() System {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0] // as somebody typed it
	}
	return System{OS: runtime.GOOS, Files: files.FS("/"), Env: os.Getenv, Program: program}
}

// Explain is why a step was refused with err; nil stays nil. It has to be called where
// the seal was to be made, by the same user.
func Explain(step string, err error) error { return Here().Explain(step, err) }

// Check tells whether a run can be sealed here: probe makes a seal and ends it. Its error
// may be one of [Explain].
func Check(probe func() error) error { return Here().Check(probe) }

// Check is [Check] on a system.
func (s System) Check(probe func() error) error {
	if s.OS != "linux" {
		return &Error{Cause: NotLinux, What: "that needs Linux's namespaces, and this is " + s.OS, Mend: hint.SealedLinux}
	}
	err := probe()
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return s.Explain(Namespaces, err)
}

// Explain is [Explain] on a system.
func (s System) Explain(step string, err error) error {
	if err == nil {
		return nil
	}
	e := s.cause(step, err)
	e.Step, e.Err = step, err
	return e
}
