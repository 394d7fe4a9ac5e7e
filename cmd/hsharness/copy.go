package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaCopyCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "copy --to LEDGER",
		Short: "Move the ledger to another store, entry for entry",
		Long: `Makes a new ledger of this one, entry for entry and under the same id, in a file or
in PostgreSQL, and verifies both. Runs that are active must be over. The old
ledger is then blocked, as if the service had said that nothing is left: of two
that both spend, neither would know what the other sent. It stays readable, and
a reconciliation opens it again. Nothing else is changed: name the new ledger in
the project file, or in HSHARNESS_LEDGER on every machine.`,
		Example: `  hsharness quota copy --to postgres://ledger@db.example/quota
  hsharness quota copy --ledger postgres://ledger@db.example/quota --to sqlite:.hsharness/ledger.db`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usageError(errors.New("--to says where the new ledger is: sqlite:PATH or postgres://…"))
			}
			pr, err := p.project()
			if err != nil {
				return err
			}
			at, err := p.addressOf(pr, to, ".")
			if err != nil {
				return err
			}
			return p.withLedger(cmd.Context(), func(l *ledger) error { return p.quotaCopy(cmd.Context(), l, at) })
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`address` of the new ledger, which must not be there yet")
	return cmd
}

// copied is what copy did, as JSON.
type copied struct {
	LedgerID string `json:"ledger_id"`
	// Entries is how many were copied, and Store the kind of store they are in.
	Entries int64  `json:"entries"`
	Store   string `json:"store"`
}

func (p *program) quotaCopy(ctx context.Context, l *ledger, at address) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	info, err := l.Store.Info(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if err := sound(ctx, l.Store, "the ledger"); err != nil {
		return err
	}
	made, err := importStore(ctx, at, info, until(l.Store.Entries(ctx, 0), info.Head.Seq))
	if err != nil {
		return ledgerError(err)
	}
	defer func() { _ = made.Close() }()
	report, err := made.Verify(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if err := sound(ctx, made, "the copy"); err != nil {
		return err
	}
	if err := p.retire(ctx, l.Store, info.Head.Seq); err != nil {
		return err
	}
	now, err := made.Info(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(copied{now.LedgerID, report.Entries, now.Store})
	}
	_, err = fmt.Fprintf(p.stdout, "copied %d entries of ledger %s to %s; this one is blocked from now on\nname the new one under ledger: in %s, or in HSHARNESS_LEDGER\n",
		report.Entries, now.LedgerID, now.Store, project.Name)
	return err
}

// sound verifies a ledger.
func sound(ctx context.Context, store quota.Store, what string) error {
	report, err := store.Verify(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if len(report.Problems) > 0 {
		return &exitError{exitFailed, fmt.Errorf("%s does not add up: %s", what, report.Problems[0])}
	}
	return nil
}

// until ends the entries with that Seq.
func until(entries iter.Seq2[quota.Entry, error], last int64) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for e, err := range entries {
			if err == nil && e.Seq > last || !yield(e, err) {
				return
			}
		}
	}
}

// retire blocks the old ledger, in the name of a run that can't spend, and then
// looks whether anything else was written since it was copied.
func (p *program) retire(ctx context.Context, store quota.Store, last int64) error {
	id, err := newID()
	if err != nil {
		return err
	}
	spec := quota.RunSpec{ID: id, Attribution: quota.Attribution{Suite: "quota copy"}, Process: quota.ThisProcess()}
	_, beginErr := store.Begin(ctx, spec, nil)
	if beginErr != nil {
		return ledgerError(beginErr)
	}
	_, exhaustErr := store.Exhaust(ctx, quota.ExhaustSpec{Run: id, Note: "copied to another store, which goes on from here"})
	_, endErr := store.End(ctx, id, quota.Counters{})
	if err := errors.Join(exhaustErr, endErr); err != nil {
		return ledgerError(err)
	}
	for e, err := range store.Entries(ctx, last) {
		if err != nil {
			return ledgerError(err)
		}
		if e.Run != id {
			return &exitError{exitLedger, fmt.Errorf(
				"the ledger went on while it was copied (entry %d, run %s): the copy is not whole and must be removed; this ledger is blocked, open it again with: hsharness quota reconcile --observed N --note WHY", e.Seq, e.Run)}
		}
	}
	return nil
}
