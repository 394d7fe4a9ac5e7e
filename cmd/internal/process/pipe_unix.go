//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/term"
)

// Unread tells whether an error is that nobody reads any more.
func Unread(err error) bool { return errors.Is(err, syscall.EPIPE) }

// Terminal tells whether a file is a terminal that understands escape sequences.
func Terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
