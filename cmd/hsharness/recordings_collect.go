package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/collect"
)

func (p *program) recordingsCollectCommand() *cobra.Command {
	var bill, since string
	cmd := &cobra.Command{
		Use:   "collect --bill FILE DIR",
		Short: "Gather what a run bought in a folder, for CI",
		Long: `Puts the recordings that a run bought into a folder, by its bill: what exec --bill
or run --json wrote. A run that was killed left no bill: then --since takes the
recordings with an answer since that time. Prints the folder that they belong in, and a line for each
file: collected, left where it could not be brought there (exit code 1), or secret
where it must not be (exit code 6).
Bring them home, into the recordings of another clone: hsharness recordings recover.`,
		Example: `  hsharness recordings collect --bill bill.json bought`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			store, err := pr.OpenRecordings()
			staged, stagedErr := pr.OpenRecordingsIn(args[0])
			cfg := collect.Config{Bill: bill, Store: store, To: args[0], Staged: staged}
			if since != "" && err == nil {
				cfg.Since, err = time.Parse(time.RFC3339, since)
			}
			if err = errors.Join(err, stagedErr); err != nil {
				return usageError(err)
			}
			cfg.Secrets, _ = p.scanned(pr)
			r, err := collect.Do(cfg)
			if err == nil {
				err = p.printCollected(r)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&bill, "bill", "", "`file` with the bill of the run")
	cmd.Flags().StringVar(&since, "since", "", "without a bill, what was recorded since this `time`, such as 2026-05-01T00:00:00Z")
	return cmd
}

func (p *program) printCollected(r collect.Result) error {
	if p.format == "json" {
		if err := json.NewEncoder(p.stdout).Encode(r); err != nil {
			return err
		}
	} else if err := r.Print(p.stdout); err != nil {
		return err
	}
	if r.Bill != nil && !p.quiet {
		fmt.Fprintf(p.stderr, "hsharness: %s\n", r.Bill.Line())
	}
	switch err := r.Err(); {
	case err == nil:
		return nil
	case len(r.Secret) > 0:
		return &exitError{exitPolicy, err}
	default:
		return &exitError{exitFailed, err}
	}
}
