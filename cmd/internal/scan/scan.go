// Package scan looks for secrets and damage in folders of recordings. It may touch
// recordings alone.
package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/recording"
)

// Leak is a secret in a file, as JSON.
type Leak struct {
	// File is relative to the working directory where it is below it.
	File string `json:"file"`
	// Line is from 1 on.
	Line int `json:"line"`
	// Secret is the secret's name, never its value.
	Secret string `json:"secret"`
}

// Result is what was found.
type Result struct {
	// Leaks are the secrets; empty, never nil, without any.
	Leaks []Leak
	// Files is how many files were searched.
	Files int
	// Damaged names the files that can't be read; nil without any.
	Damaged error
}

// Folders searches folders of recordings. One that was named must hold some: a typing
// error must not look like a clean folder. Open opens one.
func Folders(dirs []string, named bool, secrets []recording.Secret, open func(dir string) (*recording.Store, error)) (Result, error) {
	r := Result{Leaks: []Leak{}}
	for _, dir := range dirs {
		in, err := fs.Glob(files.FS(dir), "*/*.json")
		if err != nil {
			return r, err
		}
		if len(in) == 0 && named {
			return r, fmt.Errorf("%s is no folder of recordings: it holds no file such as OPERATION/KEY.json", dir)
		}
		r.Files += len(in)
	}
	for _, dir := range dirs {
		store, err := open(dir)
		if err != nil {
			return r, err
		}
		var unreadable error
		for range store.Each(&unreadable) {
		}
		r.Damaged = errors.Join(r.Damaged, unreadable)
		found, err := store.Scan(secrets)
		if err != nil {
			return r, err
		}
		for _, f := range found {
			r.Leaks = append(r.Leaks, Leak{show.Path(f.File), f.Line, f.Secret})
		}
	}
	return r, nil
}

// Print writes a line for each secret.
func (r Result) Print(w io.Writer) {
	for _, l := range r.Leaks {
		fmt.Fprintf(w, "%s:%d: %s\n", show.Plain(l.File), l.Line, show.Plain(l.Secret))
	}
}
