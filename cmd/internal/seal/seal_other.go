//go:build !linux

package seal

import (
	"errors"
	"net"
	"os"
)

// errNone says that there are no seals here.
var errNone = errors.New("only Linux has the namespaces of a seal")

// IsShim tells whether this process is a shim: none is here.
func IsShim() bool { return false }

// Shim is never called here.
func Shim() int { return 2 }

// Seal is a place for one command. There are none here.
type Seal struct{}

// Start fails.
func Start(cfg Config) (*Seal, error) {
	if cfg.Explain != nil {
		return nil, cfg.Explain(StepNamespaces, errNone)
	}
	return nil, &StepError{StepNamespaces, errNone}
}

// Probe says that no seal can be made.
func Probe() error { return &StepError{StepNamespaces, errNone} }

// Folder is where the files of [Config.Own] are.
func (*Seal) Folder() string { return "" }

// Listen fails.
func (*Seal) Listen(string) (net.Listener, error) { return nil, errNone }

// ListenPacket fails.
func (*Seal) ListenPacket(string) (net.PacketConn, error) { return nil, errNone }

// Start fails.
func (*Seal) Start(path string, args, env []string, dir string) error { return errNone }

// Signal fails.
func (*Seal) Signal(os.Signal) error { return errNone }

// Wait fails.
func (*Seal) Wait() (code int, err error) { return 2, errNone }

// Close does nothing.
func (*Seal) Close() error { return nil }

// Foreign is false: nothing is sealed here.
func Foreign(string) (user int, foreign bool) { return 0, false }
