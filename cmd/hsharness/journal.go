package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaHistoryCommand() *cobra.Command {
	var limit int
	var filter listing.Filter
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Print the journal, the latest entry last",
		Long: `Prints the latest entries of the journal: each grant, run, request and
correction. Entries are never changed, and every figure is the sum of them: with a
filter, the last line adds up all entries that pass it, beyond --limit too. A refund
and a settlement go with their spend.`,
		Example: `  hsharness quota history --limit 20
  hsharness quota history --run 4KQ2N7ZD --format json
  hsharness quota history --kind spend,refund --suite nightly --since 30d
  hsharness quota history --became wasted`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := filter.Check(time.Now()); err != nil {
				return usageError(err)
			}
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				return filter.Print(cmd.Context(), p.stdout, p.format == "json", l.Store, l.Run, limit)
			})
		},
	}
	limitFlag(cmd, &limit, "entries")
	filter.Flags(cmd.Flags())
	return cmd
}

// limitFlag bounds what a list prints.
func limitFlag(cmd *cobra.Command, limit *int, what string) {
	*limit = 50
	typed.Number(cmd.Flags(), limit, "limit", 0, math.MaxInt32, "at most `N` "+what+", 0 for all")
}

func (p *program) quotaRunsCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List runs, the latest first",
		Long: `Lists the runs that were admitted: whose they are, what they spent of what they
could have spent, and whether they still hold something.`,
		Example: `  hsharness quota runs --limit 10`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				runs, err := l.Store.Runs(cmd.Context(), limit)
				if err != nil {
					return ledgerError(err)
				}
				if p.format == "json" {
					return json.NewEncoder(p.stdout).Encode(append([]quota.RunInfo{}, runs...))
				}
				return listing.WriteRuns(p.stdout, runs)
			})
		},
	}
	limitFlag(cmd, &limit, "runs")
	return cmd
}

func (p *program) quotaVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Recompute every figure from the journal",
		Long: `Recomputes every balance and every run from the entries and checks each rule
that must hold. Exits 1 and says what differs if something does.`,
		Example: `  hsharness quota verify`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				found, err := l.Store.Verify(cmd.Context())
				if err != nil {
					return ledgerError(err)
				}
				return p.printReport(found)
			})
		},
	}
}

// printReport prints what an audit found; problems are exit 1.
func (p *program) printReport(found quota.Report) error {
	var err error
	if p.format == "json" {
		err = json.NewEncoder(p.stdout).Encode(found)
	} else if len(found.Problems) == 0 && !p.quiet {
		_, err = fmt.Fprintf(p.stdout, "%d entries add up\n", found.Entries)
	}
	if err != nil || len(found.Problems) == 0 {
		return err
	}
	return &exitError{exitFailed, fmt.Errorf("the ledger does not add up:\n  %s", strings.Join(found.Problems, "\n  "))}
}
