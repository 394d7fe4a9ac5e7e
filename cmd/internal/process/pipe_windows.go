package process

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Unread tells whether an error is that nobody reads any more.
func Unread(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

// Terminal tells whether a file is a console that understands escape sequences, which
// it is told to; an old one shows them as letters.
func Terminal(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
