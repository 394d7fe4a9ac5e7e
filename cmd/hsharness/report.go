package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
)

func (p *program) reportCommand() *cobra.Command {
	var html, md, jsonFile, csv, since, by string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Say who used the allowance, how long it will last, and what was wasted",
		Long: `Sums up the ledger: what is left and until when, who spent it, which tests are
the dearest, what bought no answer or one that was there already, what recordings
saved, and which runs were blocked and why. It asks the ledger and nobody else.

The forecast weighs recent days more and leaves the floor alone. With --since
only spends, runs and changes from then on are summed; what is left and the
forecast are always those of now.`,
		Example: `  hsharness report
  hsharness report --html report.html
  hsharness report --by branch --since 30d
  hsharness report --md summary.md --csv tests.csv --by test`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dimension := report.Dimension(by)
			if !slices.Contains(report.Dimensions(), dimension) {
				return usageError(fmt.Errorf("--by %q is none of %s", by, dimensionNames()))
			}
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				status, err := l.Status(cmd.Context())
				if err != nil {
					return err
				}
				statement, err := l.Store.Statement(cmd.Context(), from)
				if err != nil {
					return ledgerError(err)
				}
				b := report.NewBudget(status, statement, time.Now())
				for _, to := range []struct {
					file  string
					write func(io.Writer) error
				}{
					{html, func(w io.Writer) error { return pages.Budget(w, b) }},
					{md, func(w io.Writer) error { return report.BudgetMarkdown(w, b, dimension) }},
					{jsonFile, func(w io.Writer) error { return report.BudgetJSON(w, b) }},
					{csv, func(w io.Writer) error { return report.BudgetCSV(w, b, dimension) }},
				} {
					if to.file == "" {
						continue
					}
					if err := p.writeTo(to.file, os.O_TRUNC, to.write); err != nil {
						return usageError(err)
					}
				}
				if p.format == "json" {
					return report.BudgetJSON(p.stdout, b)
				}
				return report.BudgetText(p.stdout, b, dimension)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&html, "html", "", "also write it to this `file` as one HTML page with charts")
	flags.StringVar(&md, "md", "", "also write it to this `file` as Markdown")
	flags.StringVar(&jsonFile, "json", "", "also write it to this `file` as JSON")
	flags.StringVar(&csv, "csv", "", "also write the groups of --by to this `file` as CSV, all of them")
	flags.StringVar(&since, "since", "", "only what happened since this `time`: a day such as 2026-05-03, or an age such as 30d or 12h")
	flags.StringVar(&by, "by", string(report.BySuite), "what to group by: "+dimensionNames())
	return cmd
}

func dimensionNames() string {
	var names []string
	for _, d := range report.Dimensions() {
		names = append(names, string(d))
	}
	return strings.Join(names, ", ")
}

// parseSince reads a day of UTC or an age; empty is the zero time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	age, err := project.ParseAge(text)
	if err != nil || checkAge(text) != nil {
		return time.Time{}, usageError(fmt.Errorf("--since %q is neither a day such as 2026-05-03 nor an age such as 30d or 12h", text))
	}
	return now.Add(-age).UTC(), nil
}
