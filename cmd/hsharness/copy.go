package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaCopyCommand() *cobra.Command {
	var to string
	var undo bool
	cmd := &cobra.Command{
		Use:   "copy --to LEDGER",
		Short: "Move the ledger to another store, entry for entry",
		Long: `Makes a new ledger of this one, entry for entry and under the same id, in a file or
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
				return usageError(errors.New("--to says where the new ledger is: sqlite:PATH or postgres://…; --undo gives a copy up"))
			}
			return p.withLedger(cmd.Context(), func(l *ledger.Ledger) error {
				if undo {
					return p.quotaCopyUndo(cmd.Context(), l)
				}
				at, err := p.source(l.Project).AddressOf(to, ".")
				if err != nil {
					return err
				}
				return p.quotaCopy(cmd.Context(), l, at)
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

// quotaCopy goes from the first of these states to the last. Each step is one
// transaction of one ledger, so whatever ends the command leaves one of them, and
// the same command goes on from there:
//
//	old open     new absent
//	old copying  new absent
//	old copying  new arriving
//	old moved    new arriving
//	old moved    new open
func (p *program) quotaCopy(ctx context.Context, l *ledger.Ledger, at ledger.Address) error {
	bar, err := p.barForCopy(ctx, l, at)
	if err != nil {
		return err
	}
	made, err := p.copyTo(ctx, l.Store, at, bar)
	if err != nil {
		return err
	}
	defer func() { _ = made.Close() }()
	found, err := sound(ctx, made, "the copy")
	if err != nil {
		return unfinished(bar, err)
	}
	is, err := made.Status(ctx)
	if err != nil {
		return unfinished(bar, err)
	}
	if !is.Bar.Unbars(bar.ID) { // an earlier attempt came to its end, and said nothing
		if _, err := made.Unbar(ctx, bar.ID); err != nil {
			return unfinished(bar, err)
		}
		return p.printCopied(ctx, made, found.Entries)
	}
	bar.Reason = quota.Moved
	if _, err := l.Store.Bar(ctx, bar); err != nil {
		return unfinished(bar, err)
	}
	p.at("moved")
	if _, err := made.Unbar(ctx, bar.ID); err != nil {
		return unfinished(bar, err)
	}
	p.at("opened")
	return p.printCopied(ctx, made, found.Entries-1) // its bar was in no other
}

// at tells a test how far a command is that may be interrupted anywhere.
func (p *program) at(step string) {
	if p.reached != nil {
		p.reached(step)
	}
}

// barForCopy bars the ledger, unless an earlier attempt of this copy did.
func (p *program) barForCopy(ctx context.Context, l *ledger.Ledger, at ledger.Address) (quota.Bar, error) {
	from, to := l.At.Public(), at.Public()
	if from == to {
		return quota.Bar{}, usageError(fmt.Errorf("the ledger is at %s already", to))
	}
	status, err := l.Store.Status(ctx)
	if err != nil {
		return quota.Bar{}, ledgerError(err)
	}
	if bar := status.Bar; bar != (quota.Bar{}) {
		if (bar.Reason == quota.Copying || bar.Reason == quota.Moved) && bar.From == from && bar.To == to {
			return bar, nil
		}
		return bar, ledgerError(&quota.BarredError{Bar: bar})
	}
	if err := l.Ready(ctx); err != nil {
		return quota.Bar{}, err
	}
	if _, err := sound(ctx, l.Store, "the ledger"); err != nil {
		return quota.Bar{}, err
	}
	if err := absent(ctx, at); err != nil {
		return quota.Bar{}, err
	}
	p.at("checked")
	bar := quota.Bar{Reason: quota.Copying, ID: session.NewID(), From: from, To: to}
	if _, err := l.Store.Bar(ctx, bar); err != nil {
		return bar, ledgerError(err)
	}
	p.at("barred")
	return bar, nil
}

// absent says that no ledger is at an address, before anything is changed.
func absent(ctx context.Context, at ledger.Address) error {
	there, err := at.Store(ctx)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil
	}
	if err != nil {
		return ledgerError(err)
	}
	defer func() { _ = there.Close() }()
	err = fmt.Errorf("%w at %s: look at it: hsharness quota status --ledger '%s'", quota.ErrLedgerExists, at.Public(), at.Public())
	if status, unknown := there.Status(ctx); unknown == nil && status.Bar.Reason == quota.Arriving {
		err = fmt.Errorf("%w at %s: it is what is left of a copy that was given up: remove it, or copy to another place", quota.ErrLedgerExists, at.Public())
	}
	return ledgerError(err)
}

// copyTo makes the new ledger, or opens what an earlier attempt made.
func (p *program) copyTo(ctx context.Context, old quota.Store, at ledger.Address, bar quota.Bar) (made quota.Store, err error) {
	if bar.Reason == quota.Copying {
		made, err = p.importCopy(ctx, old, at, bar)
		switch {
		case err == nil:
			p.at("made")
			return made, nil
		case !errors.Is(err, quota.ErrLedgerExists):
			return nil, ledgerError(errors.Join(err, giveUp(ctx, old, bar)))
		}
	}
	if made, err = at.Store(ctx); err != nil {
		return nil, unfinished(bar, err)
	}
	if err := sameCopy(ctx, old, made, bar); err != nil {
		return nil, unfinished(bar, errors.Join(err, made.Close()))
	}
	return made, nil
}

// importCopy makes the new ledger. It has the entries of the old one up to where
// that was barred, and a bar of its own.
func (p *program) importCopy(ctx context.Context, old quota.Store, at ledger.Address, bar quota.Bar) (made quota.Store, err error) {
	err = old.Snapshot(ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
		made, err = at.Import(ctx, info, p.arriving(bar, entries))
		return err
	})
	if made != nil { // it is whole, however the reading of the old one ended
		return made, nil
	}
	return nil, err
}

// arriving are the entries of a copy.
func (p *program) arriving(bar quota.Bar, entries iter.Seq2[quota.Entry, error]) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for e, err := range entries {
			if err == nil && e.Bar != nil && *e.Bar == bar {
				own := bar
				own.Reason = quota.Arriving
				last := own.Entry()
				last.Seq, last.Time, last.Allowance = e.Seq, e.Time, e.Allowance
				yield(last, nil)
				return
			}
			if !yield(e, err) {
				return
			}
			p.at("copying")
		}
		yield(quota.Entry{}, fmt.Errorf("bar %s: %w: it is in no entry", bar.ID, quota.ErrConflict))
	}
}

// sameCopy says whether a ledger is what this copy made.
func sameCopy(ctx context.Context, old, made quota.Store, bar quota.Bar) error {
	is, err := old.Info(ctx)
	if err != nil {
		return err
	}
	now, err := made.Status(ctx)
	if err != nil {
		return err
	}
	// One that was opened has the opening of this copy, which Unbar looks for.
	if now.LedgerID != is.LedgerID || bar.Reason == quota.Copying && !now.Bar.Unbars(bar.ID) {
		return fmt.Errorf("%w at %s, and it is none that this copy made", quota.ErrLedgerExists, bar.To)
	}
	return nil
}

// unfinished is an error after which the same command has to be given again.
func unfinished(bar quota.Bar, err error) error {
	next := bar
	next.Reason = quota.Copying
	text := "go on with it: " + next.Next()
	if bar.Reason == quota.Copying {
		text += fmt.Sprintf("\nor give it up: hsharness quota copy --undo --ledger '%s'", bar.From)
	}
	return ledgerError(fmt.Errorf("%w\n%s", err, text))
}

// giveUpTime is how long opening the old ledger again may take.
const giveUpTime = 10 * time.Second

// giveUp opens the old ledger again, after the new one could not be made.
func giveUp(ctx context.Context, old quota.Store, bar quota.Bar) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTime)
	defer cancel()
	if _, err := old.Unbar(ctx, bar.ID); err != nil {
		return fmt.Errorf("the ledger is still blocked, open it again: hsharness quota copy --undo --ledger '%s': %w", bar.From, err)
	}
	return nil
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
		return usageError(errors.New("no copy of this ledger was interrupted; look at it: hsharness quota status"))
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

// sound verifies a ledger.
func sound(ctx context.Context, store quota.Store, what string) (quota.Report, error) {
	report, err := store.Verify(ctx)
	if err != nil {
		return report, ledgerError(err)
	}
	if len(report.Problems) > 0 {
		return report, &exitError{exitFailed, fmt.Errorf("%s does not add up: %s", what, report.Problems[0])}
	}
	return report, nil
}
