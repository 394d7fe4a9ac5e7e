// Package output is about the reports that a command was asked for: whether each can
// be written is known before anything is bought, and none that can't be keeps the
// others, or the result, from their readers. It may touch the folders that they go to;
// how a file is written, its caller says.
package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hsharness/hsharness/internal/files"
)

// Stdout is the name that stands for standard output.
const Stdout = "-"

// Print writes what a function prints, and says whether all of it could be: a full disk
// leaves a part, and who reads that takes it for the whole.
func Print(to io.Writer, print func(io.Writer)) error {
	w := bufio.NewWriter(to)
	print(w)
	return w.Flush()
}

// Report is one way in which a command writes what it found out.
type Report[T any] struct {
	// Flag is how it was asked for, such as --junit.
	Flag string
	// To is the file, or [Stdout]; empty where nobody asked for it.
	To string
	// Append adds it to what the file has.
	Append bool
	// Begins are the ways in which such a file begins, for it takes the place of no other:
	// a scenario or a table is not written over. None takes the place of any.
	Begins []string
	Write  func(io.Writer, T) error
}

// Check makes the folders of the files that were asked for, and says why one of them
// can't be written. It leaves the files as they were.
func Check[T any](reports ...Report[T]) error {
	taken := map[string]string{}
	for _, r := range reports {
		if r.To == "" {
			continue
		}
		name := filepath.Clean(r.To)
		if other, ok := taken[name]; ok {
			return fmt.Errorf("%s and %s both write to %s: give each a name of its own", other, r.Flag, r.To)
		}
		taken[name] = r.Flag
		if r.To == Stdout {
			continue
		}
		if err := files.Writable(r.To); err != nil {
			return fmt.Errorf("%s: %w", r.Flag, err)
		}
		if err := r.Like(); err != nil {
			return err
		}
	}
	return nil
}

// Taken tells whether one of the reports is on standard output: what is printed
// besides it has to go elsewhere.
func Taken[T any](reports ...Report[T]) bool {
	for _, r := range reports {
		if r.To == Stdout {
			return true
		}
	}
	return false
}

// Writer opens a file, and lets write fill it.
type Writer func(name string, how int, write func(io.Writer) error) error

// Write writes all reports that were asked for, whatever became of the ones before.
func Write[T any](result T, to Writer, reports ...Report[T]) error {
	var errs []error
	for _, r := range reports {
		if r.To == "" {
			continue
		}
		how := os.O_TRUNC
		if r.Append {
			how = os.O_APPEND
		}
		if r.To != Stdout { // a command may have removed the folder
			_ = files.Folder(filepath.Dir(r.To), 0o777)
		}
		if err := to(r.To, how, func(w io.Writer) error { return r.Write(w, result) }); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Flag, err))
		}
	}
	return errors.Join(errs...)
}

// Like says why a report does not take the place of what is there: it is something else.
func (r Report[T]) Like() error {
	begins := r.Begins
	if r.Append {
		begins = nil
	}
	if err := files.Like(r.To, begins...); err != nil {
		return fmt.Errorf("%s: %w", r.Flag, err)
	}
	return nil
}
