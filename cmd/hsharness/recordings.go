package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/check"
	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/cmd/internal/learning"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/mistyped"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/cmd/internal/sharing"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recordings",
		Short: "The answers that were bought: look at them, compare them, clear them up",
		Long: `Every answer of the sandbox is kept as a file in the recordings folder, one for
each different request, and answers for it from then on. Only verify and refresh
send anything, and spend.`,
		Args: mistyped.Command,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.recordingsListCommand(), p.recordingsShowCommand(), p.recordingsDiffCommand(),
		p.recordingsVerifyCommand(), p.recordingsAcceptCommand(), p.recordingsRefreshCommand(), p.recordingsPruneCommand(),
		p.recordingsScanCommand(), p.recordingsRecoverCommand(), p.recordingsCollectCommand(), learning.Program{Out: p.stdout, Format: &p.format, Project: p.kept, List: p.listed, Secrets: p.scanned}.Command(),
		check.Program{Out: p.stdout, Format: &p.format, Project: p.kept, List: p.listed, Scenarios: func() ([]selection.Source, error) {
			return selection.Place{Config: p.config, Meant: "the codes are the project's"}.Sources()
		}}.Command())
	cmd.AddCommand(p.sharing().Commands()...)
	return cmd
}

// sharing moves answers to other machines and back.
func (p *program) sharing() sharing.Program {
	return sharing.Program{Out: p.stdout, Err: p.stderr, Format: &p.format, Quiet: &p.quiet, Project: p.kept, Ledger: p.source, Secrets: p.scanned}
}

func (p *program) recordingsListCommand() *cobra.Command {
	var older string
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the recordings",
		Long: `Lists the recordings with the number of their takes, the status and the age of
the one that answers, and what all takes cost. One that is older than the project's
recordings.max_age is marked stale; nothing is bought again by itself. Where no take
is an answer, such as a 503 that passes, the latest is marked evidence: it was paid
for and is kept, and a record run asks again. Files below .hsharness are on this
machine alone; they answer too.`,
		Example: `  hsharness recordings ls
  hsharness recordings ls --older-than 180d --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.kept()
			if err != nil {
				return err
			}
			least, err := typed.OlderThan(older)
			if err != nil {
				return usageError(err)
			}
			var damaged error
			store, all := p.listed(pr, &damaged)
			n, lines := 0, []listing.Line{}
			for r := range all {
				n++
				if line, old := listing.Of(pr, store, r, time.Now(), least); old {
					lines = append(lines, line)
				}
			}
			if n == 0 && damaged != nil {
				return damaged // nothing that could be read is not nothing
			}
			return cmp.Or(p.printRecordings(pr, lines, n), damaged)
		},
	}
	typed.Text(cmd.Flags(), &older, "older-than", typed.CheckAge, "only recordings whose latest take is older than this `age`, such as 180d or 12h")
	return cmd
}

// kept is the project whose recordings a command is about. A folder without a project
// file, here or above, and without recordings is a wrong one: in it nothing would ever be
// old, unused or leaking.
func (p *program) kept() (*project.Project, error) {
	pr, err := p.project()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(pr.RecordingsDir()); err != nil && pr.File == "" {
		return nil, usageError(fmt.Errorf("there is no %s here or above, and no folder %s: go to the project's folder", project.Name, show.Plain(show.Path(pr.RecordingsDir()))))
	}
	return pr, nil
}

// listed reads the project's recordings, one after the other. Then damaged names the
// files that can't be read; the others are there even then.
func (p *program) listed(pr *project.Project, damaged *error) (*recording.Store, iter.Seq[*recording.Recording]) {
	store, err := pr.OpenRecordings()
	if err != nil {
		*damaged = usageError(err)
		return nil, func(func(*recording.Recording) bool) {}
	}
	return store, func(yield func(*recording.Recording) bool) {
		store.Each(damaged)(yield)
		if *damaged != nil {
			*damaged = usageError(fmt.Errorf("%w\n%s", *damaged, doctor.MendRecordings(pr)))
		}
	}
}

func (p *program) printRecordings(pr *project.Project, lines []listing.Line, all int) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(lines)
	}
	if all == 0 {
		if p.quiet {
			return nil
		}
		_, err := fmt.Fprintf(p.stdout, "no recordings in %s; %s\n", show.Plain(show.Path(pr.RecordingsDir())), hint.BuyRecordings)
		return err
	}
	return listing.Print(p.stdout, lines)
}

// find reads the recording that an argument names: a file, or the beginning of
// a key.
func (p *program) find(pr *project.Project, arg string) (*recording.Recording, error) {
	var damaged error
	store, all := p.listed(pr, &damaged)
	if store == nil {
		return nil, damaged
	}
	return listing.Find(store, all, &damaged, arg)
}
