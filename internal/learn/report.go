package learn

import (
	"fmt"
	"io"
	"iter"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/secret"
)

// Report is what was learned and written.
type Report struct {
	Learned []Written `json:"learned"`
	Left    []Left    `json:"left"`
}

// Into learns from a store's recordings and writes what it learned into a folder. Answers
// in quarantine hold a secret, and are left out.
func Into(dir string, store *recording.Store, all iter.Seq[*recording.Recording], secrets []recording.Secret) (Report, error) {
	report := Report{Learned: []Written{}, Left: []Left{}}
	find, err := secret.NewFinder(secrets...)
	if err != nil {
		return report, err
	}
	result := From(func(yield func(*recording.Recording) bool) {
		for r := range all {
			if store.Place(r) == recording.Quarantine {
				report.Left = append(report.Left, Left{name(r), "it is in quarantine, because it holds a secret"})
			} else if !yield(r) {
				return
			}
		}
	})
	report.Left = append(report.Left, result.Left...)
	written, err := result.Write(dir, find)
	report.Learned = append(report.Learned, written...)
	return report, err
}

// Print writes a line for each file, and for each recording that was left out. In names
// files as they are shown.
func (r Report) Print(w io.Writer, show func(string) string) error {
	for _, l := range r.Learned {
		state := "unchanged"
		if l.Changed {
			state = "learned"
		}
		if _, err := fmt.Fprintf(w, "%-10s %s, from %d: %s\n", state, plain.Lines(l.Operation), l.Recordings, show(l.File)); err != nil {
			return err
		}
	}
	for _, l := range r.Left {
		if _, err := fmt.Fprintf(w, "%-10s %s: %s\n", "left out", show(l.What), l.Why); err != nil {
			return err
		}
	}
	return nil
}
