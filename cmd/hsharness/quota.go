package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/mistyped"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quota",
		Short: "What is left of the sandbox, who spent it, and how to correct it",
		Long: `The sandbox answers only so many requests, for ever. The ledger writes each of
them down before it is sent, and blocks what would be too many. It has to be
made once, with what the account was granted:

  hsharness quota init --granted N`,
		Args: mistyped.Command,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		p.quotaInitCommand(), p.quotaStatusCommand(), p.quotaHistoryCommand(), p.quotaRunsCommand(),
		p.quotaGrantCommand(), p.quotaFloorCommand(), p.quotaReconcileCommand(), p.quotaEndCommand(),
		p.quotaVerifyCommand(), p.quotaExportCommand(), p.quotaImportCommand(), p.quotaCopyCommand(),
	)
	return cmd
}

// withLedger opens the project's ledger for as long as work takes.
func (p *program) withLedger(ctx context.Context, work func(*ledger.Ledger) error) error {
	pr, err := p.project()
	if err != nil {
		return err
	}
	l, err := p.source(pr).Open(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	defer p.notifying(pr).After(ctx, l)
	return work(l)
}

// reading is withLedger for work that changes nothing.
func (p *program) reading(ctx context.Context, work func(*ledger.Ledger) error) error {
	pr, err := p.project()
	if err != nil {
		return err
	}
	l, err := p.source(pr).OpenToRead(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	return work(l)
}

// change is what a command did to the ledger, as JSON. There is no entry where
// there was nothing to do.
type change struct {
	Entry  quota.Entry  `json:"entry,omitzero"`
	Status quota.Status `json:"status"`
}

// report prints a change: what was done, and the figures after it.
func (p *program) report(ctx context.Context, l *ledger.Ledger, e quota.Entry, format string, args ...any) error {
	s, err := l.Status(ctx)
	if err != nil {
		return err
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(change{e, s})
	}
	text := fmt.Sprintf(format, args...) + "\n"
	if !p.quiet {
		text += "\n" + listing.Status(s)
	}
	_, err = fmt.Fprint(p.stdout, text)
	return err
}

// units reads a number of units from the command line.
func units(what, text string, least int64) (int64, error) {
	n, err := typed.ParseNumber(text, least, quota.MaxUnits)
	if err != nil {
		return 0, usageError(fmt.Errorf("%s %q is no number of units: %w", what, text, err))
	}
	return n, nil
}

func (p *program) quotaInitCommand() *cobra.Command {
	var granted, spentBefore, floor int64
	cmd := &cobra.Command{
		Use:   "init --granted N",
		Short: "Make the ledger of an account",
		Long: `Makes a ledger and binds it to the account, that is, to the sandbox's identity
service and the client id. It is never made by itself, because a new ledger has
its full allowance. What is not given is taken from the project file. Where this
machine knows another ledger of the account, each has only its own share of what
the service granted, and you are told so.`,
		Example: `  hsharness quota init --granted 1000
  hsharness quota init --granted 1000 --spent-before 37 --floor 100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			spec := quota.InitSpec{Granted: pr.Allowance.Granted, SpentBefore: pr.Allowance.SpentBefore, Floor: pr.Allowance.Floor}
			for _, f := range []struct {
				name      string
				typed, to *int64
			}{{"granted", &granted, &spec.Granted}, {"spent-before", &spentBefore, &spec.SpentBefore}, {"floor", &floor, &spec.Floor}} {
				if cmd.Flags().Changed(f.name) {
					*f.to = *f.typed
				}
			}
			if spec.Granted == 0 {
				return usageError(errors.New("how much was granted? Give --granted N, or allowance.granted in " + project.Name))
			}
			if err := spec.Validate(); err != nil {
				return usageError(err)
			}
			return p.quotaInit(cmd.Context(), pr, spec)
		},
	}
	typed.Number(cmd.Flags(), &granted, "granted", 1, quota.MaxUnits, "`units` that the account may spend in all")
	typed.Number(cmd.Flags(), &spentBefore, "spent-before", 0, quota.MaxUnits, "`units` that were spent before there was a ledger")
	typed.Number(cmd.Flags(), &floor, "floor", 0, quota.MaxUnits, "`units` that ordinary runs may not touch")
	return cmd
}

func (p *program) quotaInit(ctx context.Context, pr *project.Project, spec quota.InitSpec) error {
	l, err := p.makeLedger(pr, func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		spec.Allowance, spec.Account = at.Allowance, client.Account
		return at.Init(ctx, spec)
	})
	if err != nil {
		return err
	}
	defer l.Close()
	others, err := l.Client.Adopt(ctx)
	if err != nil {
		return ledgerError(err)
	}
	info, err := l.Store.Info(ctx)
	if err != nil {
		return ledgerError(err)
	}
	text := fmt.Sprintf("made ledger %s in %s", info.LedgerID, cmp.Or(info.Path, info.Store))
	if len(others) > 0 {
		text += fmt.Sprintf("\nthis account is counted in another ledger too (%s): %d is the new one's own share of what the service granted",
			strings.Join(others, ", "), spec.Granted)
	}
	return p.report(ctx, l, info.Head, "%s", text)
}

// makeLedger lets create make a ledger where there may be one.
func (p *program) makeLedger(pr *project.Project, create func(ledger.Address, *quota.Client) (quota.Store, error)) (*ledger.Ledger, error) {
	return p.source(pr).OpenBy(func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		switch {
		case client.CI && !client.LocalStays && at.DSN == "":
			return nil, fmt.Errorf("%w: %s would start with its full allowance in each job", quota.ErrLocalInCI, at.Path)
		case !client.Loopback && p.source(pr).Anonymous() != nil:
			return nil, usageError(p.source(pr).Anonymous())
		}
		store, err := create(at, client)
		if errors.Is(err, quota.ErrLedgerExists) {
			err = hint.LookAt(at.Public()).About(err)
		}
		return store, err
	})
}

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
			n, err := units("N", args[0], 1)
			if err != nil {
				return err
			}
			return p.grant(cmd.Context(), quota.GrantSpec{ID: rand.Text(), Units: n, Note: note}, "granted %d more", n)
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
			n, err := units("N", args[0], 0)
			if err != nil {
				return err
			}
			return p.grant(cmd.Context(), quota.GrantSpec{ID: rand.Text(), Floor: &n, Note: note}, "the floor is %d now", n)
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
			if !cmd.Flags().Changed("observed") {
				return usageError(errors.New("what has the service counted? Give --observed N"))
			}
			spec.ID = rand.Text()
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
