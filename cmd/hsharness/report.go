package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/report"
)

func (p *program) reportCommand() *cobra.Command {
	var f output.Budget
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Say who used the allowance, how long it will last, and what was wasted",
		Long: `Sums up the ledger: what is left and until when, who spent it, which tests are
the dearest, what bought no answer or one that was there already, what recordings
saved, and which runs were blocked and why. It asks the ledger and nobody else.

The forecast takes the pace of the last fourteen days and leaves the floor alone.
With --since only spends, runs and changes from then on are summed; what is left
and the forecast are always those of now. With --also further allowances are reported
on, each of a ledger of its own and with its own sentence and figures. The file - is
standard output; the text goes to stderr then.`,
		Example: `  hsharness report
  hsharness report --html report.html
  hsharness report --by branch --since 30d
  hsharness report --also sqlite:../customs/.hsharness/ledger.db --html all.html
  hsharness report --md summary.md --csv tests.csv --by test`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			since, err := f.Check(time.Now())
			if err != nil {
				return usageError(err)
			}
			pr, err := p.project()
			if err != nil {
				return err
			}
			more := map[string]ledger.More{string(report.ByRequest): listing.Requests}[f.By]
			again := typed.Command(cmd.CommandPath(), cmd.Flags(), p.fromEnvironment, "also", "ledger")
			all, err := p.source(pr).Reports(cmd.Context(), since, again, f.Also, more)
			if err != nil {
				return err
			}
			printed := f.Print(p.besides(output.Taken(f.Reports()...)), p.format == "json", all)
			return errors.Join(printed, output.Write(all, p.writeTo, f.Reports()...))
		},
	}
	f.Flags(cmd.Flags())
	return cmd
}
