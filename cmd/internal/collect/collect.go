// Package collect gathers the recordings of what a run bought in one folder, to be
// carried off the machine: by the run's bill, whatever git or a folder's name say, or
// by time where the run was killed and left no bill. It may touch recordings and the
// bill of a run, and knows neither a project nor a ledger.
package collect

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
)

// Config says what to gather, and where.
type Config struct {
	// Bill is the file with the run's bill, or with its results, the bill last.
	Bill string
	// Since is when the run began at the earliest, for one that left no bill. Zero is
	// unknown: then no bill is an error.
	Since time.Time
	// Store has the project's recordings.
	Store *recording.Store
	// To is the folder to gather in. Staged has it as a folder of recordings.
	To     string
	Staged *recording.Store
	// Secrets are what nothing that is gathered may hold.
	Secrets []recording.Secret
}

// Result is what was gathered.
type Result struct {
	// Bill is the run's; nil where it left none.
	Bill *report.Bill `json:"bill"`
	// Folder is where recordings belong, as an absolute path.
	Folder string `json:"folder"`
	// Collected are the files in the folder, Left those that could not be brought there,
	// and Secret those that must not be, each with what is in it.
	// The first have slashes on every system: a script reads them.
	Collected []string `json:"collected"`
	Left      []string `json:"left"`
	Secret    []string `json:"secret"`
	// Errs say why.
	Errs []error `json:"-"`
}

// source is a file to gather, and its place below the folder.
type source struct{ file, below string }

// Do gathers. What can't be gathered keeps nothing else from it. The error is that
// nothing is known of what was bought.
func Do(cfg Config) (Result, error) {
	r := Result{Folder: cfg.Store.Dir(), Collected: []string{}, Left: []string{}, Secret: []string{}}
	var err error
	if r.Bill, err = Bill(cfg.Bill); err != nil && cfg.Since.IsZero() {
		return r, hint.Since.About(fmt.Errorf("what was bought is not known: %w", err))
	}
	var sources []source
	if r.Bill != nil {
		sources = r.ofBill()
	} else {
		sources = r.since(cfg)
	}
	for _, s := range sources {
		to, err := s.bring(cfg.To)
		if err != nil {
			r.Left, r.Errs = append(r.Left, s.file), append(r.Errs, err)
			continue
		}
		r.Collected = append(r.Collected, filepath.ToSlash(to))
	}
	r.search(cfg)
	if b := r.Bill; b != nil && b.Spent > b.Unknown && len(sources)+len(r.Secret) == 0 {
		r.Errs = append(r.Errs, fmt.Errorf("units spent: %d, unknown of them: %d, and the bill names no recording of the others", b.Spent, b.Unknown))
	}
	return r, nil
}

// ofBill are the files that a bill names.
func (r *Result) ofBill() []source {
	in := cmp.Or(r.Bill.Recordings, &report.Recordings{Dir: r.Folder})
	r.Folder = cmp.Or(in.Dir, r.Folder)
	var all []source
	for _, below := range in.Written {
		all = append(all, source{filepath.Join(in.Dir, filepath.FromSlash(below)), filepath.FromSlash(below)})
	}
	for _, file := range in.Copies {
		all = append(all, copied(file))
	}
	r.Secret = append(r.Secret, in.Quarantined...)
	return all
}

// since are the files of the project that have a take from the time of the run.
func (r *Result) since(cfg Config) []source {
	var wrong error
	var all []source
	for rec := range cfg.Store.Each(&wrong) {
		last := rec.Takes[len(rec.Takes)-1].RecordedAt
		for _, t := range rec.Takes {
			if t.RecordedAt.After(last) {
				last = t.RecordedAt
			}
		}
		below, err := filepath.Rel(cfg.Store.Dir(), rec.File)
		switch place := cfg.Store.Place(rec); {
		case last.Before(cfg.Since):
		case place == recording.Quarantine:
			r.Secret = append(r.Secret, rec.File)
		case place == recording.Emergency || err != nil:
			all = append(all, copied(rec.File))
		default:
			all = append(all, source{rec.File, below})
		}
	}
	if wrong != nil { // they are no answers of a run that could read them
		r.Errs = append(r.Errs, wrong)
	}
	return all
}

// copied is an emergency copy: it keeps its operation's folder and its own name.
func copied(file string) source {
	return source{file, filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))}
}

// search takes what has a secret in it out of the folder again.
func (r *Result) search(cfg Config) {
	found, err := cfg.Staged.Scan(cfg.Secrets)
	if err != nil {
		r.Errs = append(r.Errs, err)
		for _, file := range r.Collected { // what can't be searched is not carried off
			found = append(found, recording.Finding{File: file, Secret: "not searched"})
		}
	}
	for _, f := range found {
		r.Secret = append(r.Secret, f.String())
		if err := os.Remove(f.File); err != nil && !errors.Is(err, os.ErrNotExist) {
			r.Errs = append(r.Errs, err)
		}
	}
	kept := r.Collected[:0]
	for _, file := range r.Collected {
		if _, err := os.Lstat(file); err == nil {
			kept = append(kept, file)
		}
	}
	r.Collected = kept
}

// bring puts a file into a folder, and nowhere else, whatever a bill says. Recordings are
// replaced, never changed, so that it may be another name of the same file.
func (s source) bring(folder string) (to string, err error) {
	if !filepath.IsLocal(s.below) {
		return "", fmt.Errorf("%s is below no folder of recordings, and stays where it is: the bill is none of hsharness", s.file)
	}
	to = filepath.Join(folder, s.below)
	if err := files.Folder(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	return to, files.Link(s.file, to)
}

// Err says what was not gathered, and why; nil where all was.
func (r Result) Err() error {
	errs := r.Errs
	if len(r.Secret) > 0 {
		errs = append([]error{fmt.Errorf("recordings that hold a secret: %d; they stay where they are", len(r.Secret))}, errs...)
	}
	return errors.Join(errs...)
}

// Print writes the folder that they belong into, and a line a file: what became of it,
// a tab, and its name. A script reads it.
func (r Result) Print(w io.Writer) error {
	for _, of := range []struct {
		word  string
		files []string
	}{{"folder", []string{r.Folder}}, {"collected", r.Collected}, {"left", r.Left}, {"secret", r.Secret}} {
		for _, file := range of.files {
			if _, err := fmt.Fprintf(w, "%s\t%s\n", of.word, show.Plain(file)); err != nil {
				return err
			}
		}
	}
	return nil
}
