package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/harness/recording"
)

func (p *program) recordingsPruneCommand() *cobra.Command {
	var older string
	var yes bool
	cmd := &cobra.Command{
		Use:   "prune [--older-than AGE] [--yes]",
		Short: "Remove old recordings",
		Long: `Lists the recordings whose latest take is older than an age, by default the
project's recordings.max_age, and removes them with --yes. Each one was paid
for: what is removed and asked for again is bought again. Whether a recording
is still used can't be known, because replaying writes nothing; git has the
files that were removed by mistake.`,
		Example: `  hsharness recordings prune --older-than 365d
  hsharness recordings prune --older-than 365d --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			if older == "" {
				older = pr.Recordings.MaxAge
			}
			if older == "" {
				return usageError(errors.New("how old? Give --older-than AGE such as 365d, or recordings.max_age in " + projectFile))
			}
			least, err := olderThan(older)
			if err != nil {
				return err
			}
			return p.prune(cmd.Context(), pr, least, yes)
		},
	}
	cmd.Flags().StringVar(&older, "older-than", "", "recordings whose latest take is older than this `age` (default recordings.max_age)")
	cmd.Flags().BoolVar(&yes, "yes", false, "remove them")
	return cmd
}

// pruned is what prune did or would do, as JSON.
type pruned struct {
	Removed bool `json:"removed"`
	// Cost is what the recordings cost, in units.
	Cost       int            `json:"cost"`
	Recordings []recordedLine `json:"recordings"`
}

// prune removes what is old if it may. A file that can't be read is left alone.
func (p *program) prune(ctx context.Context, pr *project, least time.Duration, yes bool) error {
	store, err := pr.recordings()
	if err != nil {
		return usageError(err)
	}
	all, damaged := p.listed(pr)
	out := pruned{Removed: yes, Recordings: []recordedLine{}}
	for _, r := range all {
		lines := recordedLines(pr, []*recording.Recording{r}, time.Now(), least)
		if len(lines) == 0 {
			continue
		}
		if yes {
			if err := remove(ctx, store, r); err != nil {
				return usageError(err)
			}
		}
		out.Cost += lines[0].Cost
		out.Recordings = append(out.Recordings, lines[0])
	}
	if err := p.printPruned(out); err != nil {
		return err
	}
	return damaged
}

// remove removes a recording, unless somebody bought its answer again since it
// was read: that one is kept, under the lock that buyers hold.
func remove(ctx context.Context, store *recording.Store, r *recording.Recording) error {
	unlock, err := store.Lock(ctx, recording.Key{Sum: r.Key})
	if err != nil {
		return err
	}
	defer unlock()
	now, err := readRecording(r.File)
	if err != nil {
		return err
	}
	if len(now.Takes) != len(r.Takes) {
		return fmt.Errorf("%s was recorded again meanwhile; look again: hsharness recordings prune", short(r.File))
	}
	if err := os.Remove(r.File); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(r.File)) // the operation's folder, if that was its last
	return nil
}

func (p *program) printPruned(out pruned) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(out)
	}
	for _, l := range out.Recordings {
		fmt.Fprintf(p.stdout, "%s  %s  %s\n", key12(l.Key), ageText(time.Duration(l.AgeSeconds)*time.Second), plain(l.File))
	}
	if p.quiet {
		return nil
	}
	text := fmt.Sprintf("old recordings: %d, units they cost: %d; remove them: repeat with --yes", len(out.Recordings), out.Cost)
	switch {
	case len(out.Recordings) == 0:
		text = "nothing is that old"
	case out.Removed:
		text = fmt.Sprintf("removed recordings: %d, units they cost: %d", len(out.Recordings), out.Cost)
	}
	_, err := fmt.Fprintln(p.stdout, text)
	return err
}
