package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/typed"
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

The forecast takes the pace of the last fourteen days and leaves the floor alone.
With --since only spends, runs and changes from then on are summed; what is left
and the forecast are always those of now. The file - is standard output; the text goes to
stderr then.`,
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
			from, err := typed.Since("--since", since, time.Now())
			if err != nil {
				return usageError(err)
			}
			reports := []output.Report[report.Budget]{
				{Flag: "--html", To: html, Write: pages.Budget},
				{Flag: "--md", To: md, Write: func(w io.Writer, b report.Budget) error { return report.BudgetMarkdown(w, b, dimension) }},
				{Flag: "--json", To: jsonFile, Write: report.BudgetJSON},
				{Flag: "--csv", To: csv, Write: func(w io.Writer, b report.Budget) error { return report.BudgetCSV(w, b, dimension) }},
			}
			if err := output.Check(reports...); err != nil {
				return usageError(err)
			}
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				b, err := l.Report(cmd.Context(), from)
				if err != nil {
					return err
				}
				to := p.besides(output.Taken(reports...))
				if p.format == "json" {
					err = report.BudgetJSON(to, b)
				} else {
					err = report.BudgetText(to, b, dimension)
				}
				return errors.Join(err, output.Write(b, p.writeTo, reports...))
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
