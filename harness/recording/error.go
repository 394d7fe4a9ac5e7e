package recording

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMiss says that nothing was recorded for a request.
var ErrMiss = errors.New("no recording")

// FileError is a file in the recordings folder that is not a recording this
// version can read: damaged, edited wrongly, or of a newer format.
type FileError struct {
	// File is the file's path and Line where in it, from 1; 0 is unknown.
	File string
	Line int
	Err  error
}

// Error gives file:line and what is wrong there.
func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// QuarantineError says that a recording still held secrets after redaction and
// was put aside. The answer is not lost: File holds it, and [Store.Get] finds
// it on this machine.
type QuarantineError struct {
	// File is where the recording is, readable by its owner only.
	File string
	// Secrets are the names of what was found, never the values.
	Secrets []string
}

// Error names the secrets and the file.
func (e *QuarantineError) Error() string {
	return fmt.Sprintf("recording holds %s after redaction: kept in quarantine at %s, not among the recordings",
		strings.Join(e.Secrets, ", "), e.File)
}

// WriteError says that a recording could not be written. The take is in Copy,
// unless CopyErr says why not even that was possible.
type WriteError struct {
	Err error
	// Copy is the emergency copy, readable by its owner only: a recording file
	// that can be moved into the recordings folder once that is writable.
	Copy    string
	CopyErr error
}

// Error says what failed and where the copy is.
func (e *WriteError) Error() string {
	if e.CopyErr != nil {
		return fmt.Sprintf("recording not written: %v; nor an emergency copy: %v", e.Err, e.CopyErr)
	}
	return fmt.Sprintf("recording not written: %v; emergency copy at %s", e.Err, e.Copy)
}

// Unwrap returns what failed.
func (e *WriteError) Unwrap() []error { return []error{e.Err, e.CopyErr} }
