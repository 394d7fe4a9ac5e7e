package recording

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMiss says that nothing was recorded for a request.
var ErrMiss = errors.New("no recording")

// EvidenceError says that a request was asked before, but nothing of what came
// answers it: see [Evidence]. It matches [ErrMiss].
type EvidenceError struct {
	// Recording has at least one take, and none that is an answer.
	Recording *Recording
}

// Error says what came last.
func (e *EvidenceError) Error() string {
	r, last := e.Recording, e.Recording.Latest()
	return fmt.Sprintf("%v for %s %s, key %s: what came on %s was %d, which is kept and is no answer",
		ErrMiss, r.Inputs.Method, r.Inputs.Path, r.Key[:shortLen], last.RecordedAt.UTC().Format("2006-01-02 15:04 MST"), last.Response.Status)
}

// Unwrap returns [ErrMiss].
func (e *EvidenceError) Unwrap() error { return ErrMiss }

// FileError is a file in the recordings folder that is not a recording this
// version can read: damaged, edited wrongly, of a newer format, under another
// recording's name, or no file at all. It is never bought again in silence.
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

// SharedError is a [FileError] about an answer that machines share: no file, so that
// nothing in the folder mends it.
type SharedError struct {
	*FileError
	// Removal is the statement by which the owner of the database takes it out.
	Removal string
}

// Unwrap returns what is wrong with it.
func (e *SharedError) Unwrap() error { return e.FileError }

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

// UnwritableError says that no recording could be written now, so nothing must be
// bought.
type UnwritableError struct {
	// Folder is where it would be written.
	Folder string
	Err    error
}

// Error says why.
func (e *UnwritableError) Error() string {
	return fmt.Sprintf("recordings can't be written in %s, so nothing is bought: %v", e.Folder, e.Err)
}

// Unwrap returns what failed.
func (e *UnwritableError) Unwrap() error { return e.Err }

// WriteError says that a recording could not be written. The take is in Copy,
// unless CopyErr says why not even that was possible.
type WriteError struct {
	Err error
	// Copy is the emergency copy, readable by its owner only. It answers on this
	// machine, and [Store.Recover] brings it home.
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
