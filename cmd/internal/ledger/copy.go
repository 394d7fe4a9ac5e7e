package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Copy makes a ledger of another in a second place, of which never more than one
// can be spent from.
type Copy struct {
	From *Ledger
	To   Address
	// Reached is told of each step, after which the copy may be interrupted. Nil is
	// nobody.
	Reached func(step string)
}

// Run goes from the first of these states to the last. Each step is one
// transaction of one ledger, so whatever ends the command leaves one of them, and
// the same command goes on from there:
//
//	old open     new absent
//	old copying  new absent
//	old copying  new arriving
//	old moved    new arriving
//	old moved    new open
//
// It returns the new ledger, open, and how many entries it has.
func (c *Copy) Run(ctx context.Context) (made quota.Store, entries int64, err error) {
	bar, err := c.bar(ctx)
	if err != nil {
		return nil, 0, err
	}
	if made, err = c.make(ctx, bar); err != nil {
		return nil, 0, err
	}
	if entries, err = c.finish(ctx, made, bar); err != nil {
		return nil, 0, errors.Join(err, made.Close())
	}
	return made, entries, nil
}

// finish verifies the new ledger and opens it, after the old one is blocked for
// good.
func (c *Copy) finish(ctx context.Context, made quota.Store, bar quota.Bar) (entries int64, err error) {
	found, err := sound(ctx, made, "the copy")
	if err != nil {
		return 0, unfinished(bar, err)
	}
	is, err := made.Status(ctx)
	if err != nil {
		return 0, unfinished(bar, err)
	}
	if !is.Bar.Unbars(bar.ID) { // an earlier attempt came to its end, and said nothing
		if _, err := made.Unbar(ctx, bar.ID); err != nil {
			return 0, unfinished(bar, err)
		}
		return found.Entries, nil
	}
	bar.Reason = quota.Moved
	if _, err := c.From.Store.Bar(ctx, bar); err != nil {
		return 0, unfinished(bar, err)
	}
	c.at("moved")
	if _, err := made.Unbar(ctx, bar.ID); err != nil {
		return 0, unfinished(bar, err)
	}
	c.at("opened")
	return found.Entries - 1, nil // its bar was in no other
}

// at tells a test how far a command is that may be interrupted anywhere.
func (c *Copy) at(step string) {
	if c.Reached != nil {
		c.Reached(step)
	}
}

// bar bars the ledger, unless an earlier attempt of this copy did.
func (c *Copy) bar(ctx context.Context) (quota.Bar, error) {
	from, to := c.From.At.Public(), c.To.Public()
	if from == to {
		return quota.Bar{}, fmt.Errorf("the ledger is at %s already", to)
	}
	status, err := c.From.Store.Status(ctx)
	if err != nil {
		return quota.Bar{}, session.Failed(err)
	}
	if bar := status.Bar; bar != (quota.Bar{}) {
		if (bar.Reason == quota.Copying || bar.Reason == quota.Moved) && bar.From == from && bar.To == to {
			return bar, nil
		}
		return bar, session.Failed(&quota.BarredError{Bar: bar})
	}
	if err := c.From.Ready(ctx); err != nil {
		return quota.Bar{}, err
	}
	if _, err := sound(ctx, c.From.Store, "the ledger"); err != nil {
		return quota.Bar{}, err
	}
	if err := absent(ctx, c.To); err != nil {
		return quota.Bar{}, err
	}
	c.at("checked")
	bar := quota.Bar{Reason: quota.Copying, ID: session.NewID(), From: from, To: to}
	if _, err := c.From.Store.Bar(ctx, bar); err != nil {
		return bar, session.Failed(err)
	}
	c.at("barred")
	return bar, nil
}

// absent says that no ledger is at an address, before anything is changed.
func absent(ctx context.Context, at Address) error {
	there, err := at.Store(ctx)
	if errors.Is(err, quota.ErrNoLedger) {
		return nil
	}
	if err != nil {
		return session.Failed(err)
	}
	defer func() { _ = there.Close() }()
	err = hint.LookAt(at.Public()).About(fmt.Errorf("%w at %s", quota.ErrLedgerExists, at.Public()))
	if status, unknown := there.Status(ctx); unknown == nil && status.Bar.Reason == quota.Arriving {
		err = fmt.Errorf("%w at %s: it is what is left of a copy that was given up: remove it, or copy to another place", quota.ErrLedgerExists, at.Public())
	}
	return session.Failed(err)
}

// make makes the new ledger, or opens what an earlier attempt made.
func (c *Copy) make(ctx context.Context, bar quota.Bar) (made quota.Store, err error) {
	if bar.Reason == quota.Copying {
		made, err = c.importTo(ctx, bar)
		switch {
		case err == nil:
			c.at("made")
			return made, nil
		case !errors.Is(err, quota.ErrLedgerExists):
			return nil, session.Failed(errors.Join(err, giveUp(ctx, c.From.Store, bar)))
		}
	}
	if made, err = c.To.Store(ctx); err != nil {
		return nil, unfinished(bar, err)
	}
	if err := sameCopy(ctx, c.From.Store, made, bar); err != nil {
		return nil, unfinished(bar, errors.Join(err, made.Close()))
	}
	return made, nil
}

// importTo makes the new ledger. It has the entries of the old one up to where
// that was barred, and a bar of its own.
func (c *Copy) importTo(ctx context.Context, bar quota.Bar) (made quota.Store, err error) {
	err = c.From.Store.Snapshot(ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
		made, err = c.To.Import(ctx, info, c.arriving(bar, entries))
		return err
	})
	if made != nil { // it is whole, however the reading of the old one ended
		return made, nil
	}
	return nil, err
}

// arriving are the entries of a copy.
func (c *Copy) arriving(bar quota.Bar, entries iter.Seq2[quota.Entry, error]) iter.Seq2[quota.Entry, error] {
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
			c.at("copying")
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
	text := "go on with it: " + hint.Bar(next)
	if bar.Reason == quota.Copying {
		text += "\nor give it up: " + string(hint.UndoCopy(bar.From))
	}
	return session.Failed(fmt.Errorf("%w\n%s", err, text))
}

// giveUpTime is how long opening the old ledger again may take.
const giveUpTime = 10 * time.Second

// giveUp opens the old ledger again, after the new one could not be made.
func giveUp(ctx context.Context, old quota.Store, bar quota.Bar) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTime)
	defer cancel()
	if _, err := old.Unbar(ctx, bar.ID); err != nil {
		return hint.UndoCopy(bar.From).About(fmt.Errorf("the ledger is still blocked: %w", err))
	}
	return nil
}

// sound verifies a ledger.
func sound(ctx context.Context, store quota.Store, what string) (quota.Report, error) {
	report, err := store.Verify(ctx)
	if err != nil {
		return report, session.Failed(err)
	}
	if len(report.Problems) > 0 {
		return report, &UnsoundError{what, report.Problems[0]}
	}
	return report, nil
}

// UnsoundError says that a ledger's entries don't add up.
type UnsoundError struct {
	// What is the ledger, in words, and Problem the first thing that is wrong.
	What, Problem string
}

func (e *UnsoundError) Error() string {
	return fmt.Sprintf("%s does not add up: %s", e.What, e.Problem)
}
