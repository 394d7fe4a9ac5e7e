package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaGrantCommand() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:   "grant N",
		Short: "Add units that the service granted",
		Long: `Adds units to the allowance, after the service granted more. It also lifts the
block that an "exhausted" answer of the service put on all runs.`,
		Example: `  hsharness quota grant 500 --note "support ticket 4711"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := listing.Units("N", args[0], 1)
			if err != nil {
				return err
			}
			return p.grant(cmd.Context(), quota.GrantSpec{ID: rand.Text(), Units: n, Note: strings.ToValidUTF8(note, "\uFFFD")}, "granted %d more", n)
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "`text` for the journal: who granted it, and where it says so")
	return cmd
}

func (p *program) quotaFloorCommand() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:     "floor N",
		Short:   "Set the units that ordinary runs may never touch",
		Long:    `Sets the floor. Only runs whose budget says may_use_floor can spend below it.`,
		Example: `  hsharness quota floor 100`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := listing.Units("N", args[0], 0)
			if err != nil {
				return err
			}
			return p.grant(cmd.Context(), quota.GrantSpec{ID: rand.Text(), Floor: &n, Note: strings.ToValidUTF8(note, "\uFFFD")}, "the floor is %d now", n)
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "`text` for the journal")
	return cmd
}

// grant changes the allowance, but not of a ledger that may not be spent from.
func (p *program) grant(ctx context.Context, spec quota.GrantSpec, done string, args ...any) error {
	if err := spec.Validate(); err != nil {
		return usageError(err)
	}
	return p.withLedger(ctx, func(l *ledger.Ledger) error {
		if err := l.Ready(ctx); err != nil {
			return err
		}
		e, err := l.Store.Grant(ctx, spec)
		if err != nil {
			return ledgerError(err)
		}
		return p.report(ctx, l, e, done, args...)
	})
}

func (p *program) quotaReconcileCommand() *cobra.Command {
	var spec quota.ReconcileSpec
	cmd := &cobra.Command{
		Use:   "reconcile --observed N --note TEXT",
		Short: "Correct the ledger to what the service has counted",
		Long: `Writes a correction, so that what counts as spent is what the service says it
has counted in all, ever. This is also the way to go on with a ledger that went
back in time or was imported, and after the service answered that nothing is
left. A ledger that was copied to another store is opened by --reopen alone: of
two that both spend, neither knows what the other sent.`,
		Example: `  hsharness quota reconcile --observed 412 --note "usage page, 3 May"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if given := cmd.Flags().Changed; !given("observed") || !given("note") {
				return usageError(errors.New("what has the service counted, and who says so? Give --observed N --note TEXT"))
			}
			spec.ID, spec.Note = rand.Text(), strings.ToValidUTF8(spec.Note, "\uFFFD")
			if err := spec.Validate(); err != nil {
				return usageError(err)
			}
			return p.withLedger(cmd.Context(), func(l *ledger.Ledger) error {
				if err := l.Comparable(); err != nil {
					return err
				}
				e, err := l.Client.Reconcile(cmd.Context(), spec)
				if err != nil {
					return ledgerError(err)
				}
				return p.report(cmd.Context(), l, e, "corrected by %+d to %d spent", e.Units, spec.Observed)
			})
		},
	}
	typed.Number(cmd.Flags(), &spec.Observed, "observed", 0, quota.MaxUnits, "`units` that the service has counted in all, ever")
	cmd.Flags().StringVar(&spec.Note, "note", "", "`text` that says where the figure is from")
	cmd.Flags().BoolVar(&spec.Reopen, "reopen", false, "open a ledger that was copied, because the other one is gone for good")
	return cmd
}

func (p *program) quotaEndCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "end RUN",
		Short: "End a run and give back what it has not spent",
		Long: `Ends a run from outside. What it has spent stays spent; what it still holds is
free again. Should its process be alive after all, it can't spend any more. The
beginning of its id is enough, as far as no other run's begins so.`,
		Example: `  hsharness quota runs
  hsharness quota end 4KQ2N7ZD`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withLedger(cmd.Context(), func(l *ledger.Ledger) error {
				id, err := l.Run(cmd.Context(), args[0])
				if err != nil {
					return ledgerError(err)
				}
				e, err := l.Store.End(cmd.Context(), id, quota.Counters{})
				var over *quota.RunOverError
				if errors.As(err, &over) { // what was asked for is so already
					return p.report(cmd.Context(), l, e, "%s", over)
				}
				if err != nil {
					return ledgerError(fmt.Errorf("run %s: %w", id, err))
				}
				return p.report(cmd.Context(), l, e, "ended run %s", id)
			})
		},
	}
}
