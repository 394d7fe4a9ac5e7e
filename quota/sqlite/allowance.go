package sqlite

import (
	"context"
	"fmt"

	"github.com/hsharness/hsharness/quota"
)

// Grant implements [quota.Store].
func (s *store) Grant(ctx context.Context, spec quota.GrantSpec) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return write(ctx, s, func(tx *tx) (quota.Entry, error) {
		if known, ok, err := tx.once(spec.ID, quota.KindGrant); err != nil {
			return quota.Entry{}, err
		} else if ok {
			if known.Units != spec.Units || known.Note != spec.Note || spec.Floor != nil && *spec.Floor != known.Floor {
				return quota.Entry{}, fmt.Errorf("grant %s: %w", spec.ID, quota.ErrConflict)
			}
			return known, nil
		}
		b, _, err := tx.balances()
		if err != nil {
			return quota.Entry{}, err
		}
		if err := b.Grantable(spec); err != nil {
			return quota.Entry{}, err
		}
		if spec.Floor != nil {
			b.Floor = *spec.Floor
		}
		err = tx.exec("UPDATE ledger SET granted = granted + ?, floor = ?, exhausted = ?",
			spec.Units, b.Floor, b.Exhausted && spec.Units == 0)
		if err != nil {
			return quota.Entry{}, err
		}
		return tx.append(quota.Entry{Kind: quota.KindGrant, Units: spec.Units, ID: spec.ID, Floor: b.Floor, Note: spec.Note})
	})
}

// Reconcile implements [quota.Store].
func (s *store) Reconcile(ctx context.Context, spec quota.ReconcileSpec) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	note := fmt.Sprintf("observed %d: %s", spec.Observed, spec.Note)
	return write(ctx, s, func(tx *tx) (quota.Entry, error) {
		if known, ok, err := tx.once(spec.ID, quota.KindReconcile); err != nil {
			return quota.Entry{}, err
		} else if ok {
			if known.Note != note {
				return quota.Entry{}, fmt.Errorf("reconciliation %s: %w", spec.ID, quota.ErrConflict)
			}
			return known, nil
		}
		b, err := tx.sweep()
		if err != nil {
			return quota.Entry{}, err
		}
		if err := b.Bar.Reconcilable(spec); err != nil {
			return quota.Entry{}, err
		}
		active, err := tx.active()
		if err != nil {
			return quota.Entry{}, err
		}
		correction := spec.Observed - b.Spent
		if correction < 0 {
			for _, r := range active {
				if r.Max > 0 {
					return quota.Entry{}, &quota.RunsActiveError{Run: r.ID, Observed: spec.Observed, Spent: b.Spent}
				}
			}
		}
		if err := tx.exec("UPDATE ledger SET base = base + ?, exhausted = 0", correction); err != nil {
			return quota.Entry{}, err
		}
		return tx.append(quota.Entry{Kind: quota.KindReconcile, Units: correction, ID: spec.ID, Note: note})
	})
}

// Exhaust implements [quota.Store].
func (s *store) Exhaust(ctx context.Context, spec quota.ExhaustSpec) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return write(ctx, s, func(tx *tx) (quota.Entry, error) {
		if _, err := tx.run(spec.Run); err != nil {
			return quota.Entry{}, err
		}
		b, _, err := tx.balances()
		if err != nil {
			return quota.Entry{}, err
		}
		if b.Exhausted { // it is enough to be told once, unless it was no entry that told
			told, err := tx.entries(tx.allowance, "kind = 'exhaust' ORDER BY seq DESC LIMIT 1")
			if err != nil {
				return quota.Entry{}, err
			}
			if len(told) > 0 {
				return told[0], nil
			}
		}
		if err := tx.exec("UPDATE ledger SET exhausted = 1"); err != nil {
			return quota.Entry{}, err
		}
		return tx.append(quota.Entry{Kind: quota.KindExhaust, Run: spec.Run, Status: spec.Status, Note: spec.Note})
	})
}
