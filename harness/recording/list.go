package recording

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// List reads all recordings, by folder and then by file name. Files that can't
// be read are left out and named in the error, one [*FileError] each; the
// recordings are valid even then. Quarantined ones are not listed.
func (s *Store) List() ([]*Recording, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	var all []*Recording
	var errs []error
	for _, file := range files {
		rec, err := s.cache.read(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, rec)
	}
	return all, errors.Join(errs...)
}

// files names the recording files, sorted. No folder is no files.
func (s *Store) files() ([]string, error) {
	folders, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	var files []string
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		in, err := inFolder(filepath.Join(s.dir, f.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, in...)
	}
	return files, nil
}

// inFolder names the recording files of one operation, sorted. What a crash left
// begins with a dot and is none.
func inFolder(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && !strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".json") {
			files = append(files, filepath.Join(folder, name))
		}
	}
	return files, nil
}

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

// Scan searches all recording files, readable as recordings or not, for the
// store's secrets, for tokens, and for the given secrets, in every encoding that
// a write looks for.
func (s *Store) Scan(secrets []Secret) ([]Finding, error) {
	more, err := newRedactor(secrets)
	if err != nil {
		return nil, err
	}
	both := s.redact.join(more)
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return found, fmt.Errorf("recordings: %w", err)
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
