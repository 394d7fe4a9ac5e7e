// Package prune removes recordings that nobody needs any more. It may touch
// recordings, what the project file says of them, and how they are listed.
package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

// Result is what prune did or would do, as JSON.
type Result struct {
	Removed bool `json:"removed"`
	// Cost is what the recordings cost, in units.
	Cost       int            `json:"cost"`
	Recordings []listing.Line `json:"recordings"`
}

// Known says why what a command uses is not known: it failed, for a reason, or it asked for
// nothing, as a suite does whose tests are all skipped, and everything would be unused.
func Known(code, requests int, reason string) error {
	switch {
	case code != 0:
		return fmt.Errorf("the command did not succeed, so what it uses is not known and nothing is removed: exit code %d %s", code, reason)
	case requests == 0:
		return errors.New("the command asked for nothing, so what it uses is not known and nothing is removed: were its tests skipped?")
	}
	return nil
}

// Do finds those of all that are older than least and chosen, and removes them where
// yes says so. With an error the result has what was removed before it.
func Do(ctx context.Context, pr *project.Project, store *recording.Store, all iter.Seq[*recording.Recording], yes bool, least time.Duration, chosen func(*recording.Recording) bool) (Result, error) {
	out := Result{Removed: yes, Recordings: []listing.Line{}}
	for r := range all {
		line, old := listing.Of(pr, store, r, time.Now(), least)
		if !old || !chosen(r) {
			continue
		}
		if yes {
			switch err := remove(ctx, store, r); {
			case errors.Is(err, os.ErrNotExist): // somebody else has removed it
				continue
			case err != nil:
				return out, err
			}
		}
		out.Cost += line.Cost
		out.Recordings = append(out.Recordings, line)
	}
	return out, nil
}

// remove removes a recording, unless somebody bought its answer again since it
// was read: that one is kept, under the lock that buyers hold.
func remove(ctx context.Context, store *recording.Store, r *recording.Recording) error {
	unlock, err := store.Lock(ctx, recording.Key{Sum: r.Key})
	if err != nil {
		return err
	}
	defer unlock()
	now, err := store.Read(r.File)
	if err != nil {
		return err
	}
	if len(now.Takes) != len(r.Takes) {
		return hint.PruneAgain.About(fmt.Errorf("%s was recorded again meanwhile", show.Path(r.File)))
	}
	if err := os.Remove(r.File); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(r.File)) // the operation's folder, if that was its last
	return nil
}

// Print writes a line for each recording, and what they cost together unless quiet.
// What is the word for them.
func (r Result) Print(w io.Writer, what string, asJSON, quiet bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	for _, l := range r.Recordings {
		fmt.Fprintf(w, "%s  %s  %s\n", show.Key(l.Key), show.Age(time.Duration(l.AgeSeconds)*time.Second), show.Plain(l.File))
	}
	if quiet {
		return nil
	}
	text := fmt.Sprintf("%s recordings: %d, units they cost: %d; %s", what, len(r.Recordings), r.Cost, hint.PruneYes)
	switch {
	case len(r.Recordings) == 0:
		text = "nothing is that old"
		if what == "unused" {
			text = "every recording is used"
		}
	case r.Removed:
		text = fmt.Sprintf("removed recordings: %d, units they cost: %d", len(r.Recordings), r.Cost)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
