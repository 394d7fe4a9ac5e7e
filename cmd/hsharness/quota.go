package main

import (
	"cmp"
	"context"
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
		Long: `The sandbox answers only so many requests, ever. The ledger writes each of
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

// report prints a change: what was done, and the figures after it.
func (p *program) report(ctx context.Context, l *ledger.Ledger, e quota.Entry, format string, args ...any) error {
	s, err := l.Status(ctx)
	if err != nil {
		return err
	}
	return listing.Change{Entry: e, Status: s}.Print(p.stdout, p.format == "json", p.quiet, fmt.Sprintf(format, args...))
}

func (p *program) quotaInitCommand() *cobra.Command {
	var granted, spentBefore, floor int64
	cmd := &cobra.Command{
		Use:   "init --granted N",
		Short: "Make the ledger of an account",
		Long: `Makes a ledger and binds it to the account, that is, to the sandbox's identity
service and the client id. Nothing else ever makes one, because a new ledger has
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
