package main

import (
	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/report"
)

func (p *program) scoreCommand() *cobra.Command {
	var f output.Run
	cmd := &cobra.Command{
		Use:   "score RUN.json…",
		Short: "Judge the scores of a run over all its shards",
		Long: `Puts together what the shards of a run wrote with --json, and judges the scores over all
cases: a shard by itself has only a part of them. Every shard has to be there, once.
Nothing is sent. What it writes with --json is a baseline for later runs.`,
		Example: `  hsharness score shard-1.json shard-2.json --baseline main.json --tolerance 2%`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error {
			result, err := output.Merged(names)
			if err == nil {
				err = output.Check(f.Reports(p.getenv)...)
			}
			var baseline *report.Baseline
			if err == nil {
				baseline, err = output.Baseline(f.Baseline, f.Tolerance, result.Scored())
			}
			if err != nil {
				return usageError(err)
			}
			baseline.Compare(&result)
			result.Bill = output.Ended(result)
			return p.writeRun(result, f, "")
		},
	}
	f.Flags(cmd)
	return cmd
}
