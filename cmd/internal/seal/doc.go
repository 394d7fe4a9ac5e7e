// Package seal runs a command where nothing is reachable but what its caller serves:
// in user, process, network and mount namespaces of its own. The caller opens listeners
// inside, at any address, and accepts on them itself, outside.
//
// A first process of this same program, the shim, makes the namespaces, is their
// process 1, and ends with its caller and with the command, and everything in them with
// it. It is of Linux alone; elsewhere [Start] fails. The package may touch the system.
package seal

import (
	"io"
	"net/netip"
)

// Config says what a seal has inside.
type Config struct {
	// Hosts are the names that lead somewhere, each to its address. They are to be
	// on loopback.
	Hosts map[string]netip.Addr
	// Files gives the files that are there besides: by name those of the seal's own, in a
	// folder, and by path those that stand instead of files of the system; a path that
	// the system does not have is left out. They are in memory, can't be changed, and end
	// with the seal. Nil is none.
	Files func(folder string) map[string][]byte
	// Stdin, Stdout and Stderr are those of the command.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Explain makes what is said of a step that the system refuses; see [StepError].
	// Nil is the error itself.
	Explain func(step string, err error) error
}

// The steps of making a seal, as [Config.Explain] gets them.
const (
	StepNamespaces = "namespaces"
	StepIdentity   = "identity map"
	StepLoopback   = "loopback"
	StepMounts     = "mounts"
	StepPrivileges = "privileges"
)

// StepError says which step of making a seal the system refused.
type StepError struct {
	Step string
	Err  error
}

func (e *StepError) Error() string { return "the seal's " + e.Step + ": " + e.Err.Error() }

// Unwrap is the system's error.
func (e *StepError) Unwrap() error { return e.Err }
