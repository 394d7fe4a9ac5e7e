package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
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
			store, all, damaged := p.listed(pr)
			if len(all) == 0 && damaged != nil {
				return damaged // nothing that could be read is not nothing
			}
			lines := listing.Of(pr, store, all, time.Now(), least)
			if err := p.printRecordings(pr, lines, len(all)); err != nil {
				return err
			}
			return damaged
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

// listed reads the project's recordings. The error names the files that can't
// be read; the others are there even then.
func (p *program) listed(pr *project.Project) (*recording.Store, []*recording.Recording, error) {
	store, err := pr.OpenRecordings()
	if err != nil {
		return nil, nil, usageError(err)
	}
	all, err := store.List()
	if err != nil {
		err = usageError(fmt.Errorf("%w\n%s", err, doctor.MendRecordings(pr)))
	}
	return store, all, err
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
	if strings.ContainsAny(arg, `/\`) || strings.HasSuffix(arg, ".json") {
		store, err := pr.OpenRecordings()
		if err != nil {
			return nil, usageError(err)
		}
		return readRecording(store, arg)
	}
	_, all, damaged := p.listed(pr)
	r, err := listing.ByKey(all, arg)
	switch {
	case errors.Is(err, recording.ErrMiss) && damaged != nil: // it may be one of those
		return nil, damaged
	case errors.Is(err, recording.ErrMiss):
		return nil, &exitError{exitMissing, hint.ListRecordings.About(fmt.Errorf("no recording begins with %s", arg))}
	case err != nil:
		return nil, usageError(err)
	}
	return r, nil
}

// readRecording reads a file that need not be in the recordings folder: a copy,
// an older version, a quarantined one.
func readRecording(store *recording.Store, file string) (*recording.Recording, error) {
	r, err := store.Read(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &exitError{exitMissing, hint.ListRecordings.About(err)}
	}
	if err != nil {
		return nil, usageError(err)
	}
	return r, nil
}
