package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaCopyCommand() *cobra.Command {
	var to string
	var undo bool
	cmd := &cobra.Command{
		Use:   "copy --to LEDGER",
		Short: "Move the ledger to another store, entry for entry",
		Long: `Copies this ledger into a new one, entry for entry and under the same id, in a file or
in PostgreSQL, and verifies both. Runs that are active must be over. The old
ledger is blocked first and for good, and the new one is opened last: of two that
both spend, neither would know what the other sent. When a copy was interrupted,
the same command goes on with it; with --undo the old ledger is open again, and
what there is of the new one is not. The old one stays readable. Nothing else is
changed: name the new ledger in the project file, or in HSHARNESS_LEDGER on every
machine.`,
		Example: `  hsharness quota copy --to postgres://ledger@db.example/quota
  hsharness quota copy --ledger postgres://ledger@db.example/quota --to sqlite:.hsharness/ledger.db
  hsharness quota copy --undo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if undo == (to != "") {
				return usageError(hint.CopyTo.About(errors.New("where the new ledger is to be is not said")))
			}
			return p.withLedger(cmd.Context(), func(l *ledger.Ledger) error {
				if undo {
					return p.quotaCopyUndo(cmd.Context(), l)
				}
				at, err := p.source(l.Project).AddressOf(to, ".")
				if err != nil {
					return err
				}
				made, entries, err := (&ledger.Copy{From: l, To: at, Reached: p.reached}).Run(cmd.Context())
				if err != nil {
					return err
				}
				defer func() { _ = made.Close() }()
				return p.printCopied(cmd.Context(), made, entries)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`address` of the new ledger, which must not be there yet")
	cmd.Flags().BoolVar(&undo, "undo", false, "give up a copy that was interrupted")
	return cmd
}

// copied is what copy did, as JSON.
type copied struct {
	LedgerID string `json:"ledger_id"`
	// Entries is how many the new ledger has, and Store the kind of store.
	Entries int64  `json:"entries"`
	Store   string `json:"store"`
}

func (p *program) quotaCopyUndo(ctx context.Context, l *ledger.Ledger) error {
	status, err := l.Store.Status(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if status.Bar.Reason != quota.Copying {
		if status.Bar != (quota.Bar{}) {
			return ledgerError(&quota.BarredError{Bar: status.Bar})
		}
		return usageError(hint.LookAt(l.At.Public()).About(errors.New("no copy of this ledger was interrupted")))
	}
	e, err := l.Store.Unbar(ctx, status.Bar.ID)
	if err != nil {
		return ledgerError(err)
	}
	return p.report(ctx, l, e, "the copy to %s is given up; what there is of it can't be spent from, and may be removed", status.Bar.To)
}

func (p *program) printCopied(ctx context.Context, made quota.Store, entries int64) error {
	now, err := made.Info(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(copied{now.LedgerID, entries, now.Store})
	}
	_, err = fmt.Fprintf(p.stdout, "copied %d entries of ledger %s to %s; this one is blocked from now on\nname the new one under ledger: in %s, or in HSHARNESS_LEDGER\n",
		entries, now.LedgerID, now.Store, project.Name)
	return err
}
