package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/drift"
	"github.com/hsharness/hsharness/cmd/internal/show"
)

func (p *program) recordingsDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff KEY|FILE [KEY|FILE]",
		Short: "Compare the last two takes of a recording, or two recordings",
		Long: `Compares the take of a recording that waits to be accepted with the one that
answers, where none waits its last two takes, or the latest takes of two recordings, and
their requests: new fields, removed ones, types that changed, and values that
changed, each with its JSON pointer. Of the headers only the content type counts.
The exit code is 0 whether they differ or not.`,
		Example: `  hsharness recordings diff 3f9a1c
  hsharness recordings diff 3f9a1c 77b0e2 --format json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			was, err := p.find(pr, args[0])
			if err != nil {
				return err
			}
			policy := drift.Policy(pr.Recordings.Drift)
			if len(args) == 1 {
				i, j := drift.Pair(was)
				if i < 0 {
					return usageError(fmt.Errorf("%s has one take, and nothing to compare it with: name a second recording", show.Path(was.File)))
				}
				return p.printComparison(policy.Takes(was, i, was, j))
			}
			is, err := p.find(pr, args[1])
			if err != nil {
				return err
			}
			return p.printComparison(policy.Takes(was, len(was.Takes)-1, is, len(is.Takes)-1))
		},
	}
}

func (p *program) printComparison(c drift.Comparison) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(c)
	}
	return c.Print(p.stdout, p.quiet)
}
