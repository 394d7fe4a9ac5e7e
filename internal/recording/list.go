package recording

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// List reads the recordings of all places, the shared ones first, by folder and
// then by file name. Each is as its file has it: of one key several places may
// have takes. Files that can't be read are left out and named in the error, one
// [*FileError] each; the recordings are valid even then.
func (s *Store) List() ([]*Recording, error) {
	var wrong error
	all := slices.Collect(s.Each(&wrong))
	return all, wrong
}

// Each is [Store.List] for who needs one recording after the other: no more than that, and
// the few that the store keeps for its answers, are in memory at once. The error that List
// returns is in wrong once all were read.
func (s *Store) Each(wrong *error) iter.Seq[*Recording] {
	return func(yield func(*Recording) bool) {
		var errs []error
		defer func() { *wrong = errors.Join(errs...) }()
		for _, r := range s.roots {
			files, err := s.filesIn(r)
			if err != nil {
				errs = append(errs, err)
			}
			for _, file := range files {
				rec, err := s.named(r, file)
				if err != nil {
					errs = append(errs, err)
				} else if !yield(rec) {
					return
				}
			}
		}
	}
}

// Place is where a recording is kept.
func (s *Store) Place(r *Recording) Place { return s.place(r.File) }

// Finding is a secret in a recording file.
type Finding struct {
	// File and Line, from 1, say where.
	File string
	Line int
	// Secret is the name of what is there, never its value.
	Secret string
}

// String is file:line and the name.
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Secret) }

// Scan searches the recording files that are shared, readable as recordings or
// not, for the store's secrets, for tokens, and for the given secrets, in every
// encoding that a write looks for. Quarantined answers hold some, which is why they
// are there; they and emergency copies are on this machine alone and not searched.
// A file that has no text is left out: [Store.List] names it.
func (s *Store) Scan(secrets []Secret) ([]Finding, error) {
	more, err := newRedactor(secrets)
	if err != nil {
		return nil, err
	}
	both := s.redact.join(more)
	files, _ := s.filesIn(s.roots[0])
	var found []Finding
	for _, file := range files {
		if _, err := look(file); err != nil {
			continue
		}
		text, err := readFile(file)
		if err != nil {
			return found, err
		}
		line := 0
		for part := range bytes.Lines(text) {
			line++
			for _, name := range both.leaks(part) {
				found = append(found, Finding{File: file, Line: line, Secret: name})
			}
		}
	}
	return found, nil
}
