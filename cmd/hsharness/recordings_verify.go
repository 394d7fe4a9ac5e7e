package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/rebuy"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsVerifyCommand() *cobra.Command {
	var f meterFlags
	var sample int
	cmd := &cobra.Command{
		Use:   "verify --sample N --max-spend N",
		Short: "Buy some answers again, and say whether the sandbox has changed",
		Long: `Takes the recordings that were bought longest ago, then those asked for most, then
the dearest; buys the answer of each once more, and compares it with the one before.
Another code, wherever it stands, is a change, and so are a new status, new fields,
removed ones and other types; recordings.drift in the project file says what else is,
or is not. Other values are printed. Exits 1 if something changed: what was bought is
kept, and answers nothing until recordings accept. Where nothing changed it is a take
like others. A failure that passes, such as 503, is kept as evidence and ends the
verify with exit 5; the recording answers as before.`,
		Example: `  hsharness recordings verify --sample 3 --max-spend 3`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sample < 1 {
				return usageError(errors.New("how many? Give --sample N, 1 or more"))
			}
			pr, err := p.kept()
			if err != nil {
				return err
			}
			var damaged error
			var possible []rebuy.Candidate
			store, all := p.listed(pr, &damaged)
			for r := range all {
				if r.Answer() != nil && rebuy.Possible(store, r) {
					possible = append(possible, rebuy.CandidateOf(r))
				}
			}
			if damaged != nil {
				return damaged
			}
			var uses map[string]rebuy.Use
			err = p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				uses, err = rebuy.Uses(l.Store.Entries(cmd.Context(), 0))
				return ledgerError(err)
			})
			if err != nil {
				return err
			}
			chosen, err := rebuy.Read(store, rebuy.Sample(possible, uses, sample))
			if err != nil {
				return usageError(err)
			}
			if len(chosen) == 0 {
				return &exitError{exitMissing, hint.LookAtRecordings.About(fmt.Errorf("%s has no recording that can be bought again", show.Path(pr.RecordingsDir())))}
			}
			f.withhold = true
			out, err := p.rebuy(cmd, f, chosen)
			for i, r := range chosen[:len(out.Compared)] {
				out.Compared[i].Tests = uses[r.Key].Tests
			}
			if len(out.Compared) > 0 || err == nil {
				err = errors.Join(err, p.printRebought(out))
			}
			if changed := out.Drift(); err == nil && changed != nil {
				return &exitError{exitFailed, changed}
			}
			return err
		},
	}
	typed.Number(cmd.Flags(), &sample, "sample", 1, math.MaxInt32, "buy the answers of `N` recordings again")
	f.flags(cmd)
	f.billFlag(cmd)
	return cmd
}

func (p *program) recordingsRefreshCommand() *cobra.Command {
	var f meterFlags
	cmd := &cobra.Command{
		Use:   "refresh KEY|FILE… --max-spend N",
		Short: "Buy the answers of some recordings again",
		Long: `Buys the answer of each recording that is named once more. The new one is added
as a take and answers from then on; how it differs from the one before is
printed.`,
		Example: `  hsharness recordings ls --older-than 180d
  hsharness recordings refresh 3f9a1c --max-spend 1`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			store, err := pr.OpenRecordings()
			if err != nil {
				return usageError(err)
			}
			var chosen []*recording.Recording
			for _, arg := range args {
				r, err := p.find(pr, arg)
				if err != nil {
					return err
				}
				if !rebuy.Possible(store, r) {
					return usageError(fmt.Errorf("%s can't be bought again: it cost nothing, a secret was taken out of its request, or it is not the file that answers that request", show.Path(r.File)))
				}
				if !slices.ContainsFunc(chosen, func(c *recording.Recording) bool { return c.Key == r.Key }) {
					chosen = append(chosen, r)
				}
			}
			out, err := p.rebuy(cmd, f, chosen)
			if len(out.Compared) > 0 || err == nil {
				err = errors.Join(err, p.printRebought(out))
			}
			return err
		},
	}
	f.flags(cmd)
	f.billFlag(cmd)
	return cmd
}
