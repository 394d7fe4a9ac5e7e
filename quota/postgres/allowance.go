package postgres

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
	return locked(s.quick(ctx, "a grant"), s, func(ctx context.Context, tx *tx) (a answer[quota.Entry], err error) {
		if err := s.atHome(&tx.look); err != nil {
			return a, err
		}
		known, ok, err := s.once(ctx, tx, spec.ID, quota.KindGrant)
		if err != nil {
			return a, err
		}
		if ok {
			if known.Units != spec.Units || known.Note != spec.Note || spec.Floor != nil && *spec.Floor != known.Floor {
				return no[quota.Entry](fmt.Errorf("grant %s: %w", spec.ID, quota.ErrConflict)), nil
			}
			return yes(known), nil
		}
		b, err := tx.balances(ctx)
		if err != nil {
			return a, err
		}
		if err := b.Grantable(spec); err != nil {
			return no[quota.Entry](err), nil
		}
		var floor int64
		err = tx.QueryRow(ctx, `UPDATE hsharness.ledger SET granted = granted + $1, floor = coalesce($2, floor), exhausted = exhausted AND $1 = 0
			RETURNING floor`, spec.Units, spec.Floor).Scan(&floor)
		if err != nil {
			return a, err
		}
		e, err := tx.append(ctx, quota.Entry{Kind: quota.KindGrant, Units: spec.Units, ID: spec.ID, Floor: floor, Note: spec.Note})
		return yes(e), err
	})
}

// Reconcile implements [quota.Store].
func (s *store) Reconcile(ctx context.Context, spec quota.ReconcileSpec) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	note := fmt.Sprintf("observed %d: %s", spec.Observed, spec.Note)
	return locked(s.quick(ctx, "a reconciliation"), s, func(ctx context.Context, tx *tx) (a answer[quota.Entry], err error) {
		known, ok, err := s.once(ctx, tx, spec.ID, quota.KindReconcile)
		if err != nil {
			return a, err
		}
		if ok {
			if known.Note != note {
				return no[quota.Entry](fmt.Errorf("reconciliation %s: %w", spec.ID, quota.ErrConflict)), nil
			}
			return yes(known), nil
		}
		if err := tx.sweep(ctx); err != nil {
			return a, err
		}
		b, err := tx.balances(ctx)
		if err != nil {
			return a, err
		}
		if err := b.Bar.Reconcilable(spec); err != nil {
			return no[quota.Entry](err), nil
		}
		active, err := tx.active(ctx)
		if err != nil {
			return a, err
		}
		// Spends that come between only make the figure too high.
		correction := spec.Observed - b.Spent
		if correction < 0 {
			for _, r := range active {
				if r.Max > 0 {
					return no[quota.Entry](&quota.RunsActiveError{Run: r.ID, Observed: spec.Observed, Spent: b.Spent}), nil
				}
			}
		}
		// The ledger goes on here, wherever it was at home before.
		if _, err := tx.Exec(ctx, "UPDATE hsharness.ledger SET base = base + $1, exhausted = false, home = "+s.homeSQL, correction); err != nil {
			return a, err
		}
		e, err := tx.append(ctx, quota.Entry{Kind: quota.KindReconcile, Units: correction, ID: spec.ID, Note: note})
		return yes(e), err
	})
}

// Exhaust implements [quota.Store].
func (s *store) Exhaust(ctx context.Context, spec quota.ExhaustSpec) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return locked(s.quick(ctx, "the word that nothing is left"), s, func(ctx context.Context, tx *tx) (a answer[quota.Entry], err error) {
		if _, refusal, err := run(ctx, tx, spec.Run); err != nil || refusal != nil {
			return no[quota.Entry](refusal), err
		}
		tag, err := tx.Exec(ctx, "UPDATE hsharness.ledger SET exhausted = true WHERE NOT exhausted")
		if err != nil {
			return a, err
		}
		if tag.RowsAffected() == 0 { // it is enough to be told once, unless it was no entry that told
			told, err := s.entries(ctx, tx, "kind = 'exhaust' ORDER BY seq DESC LIMIT 1")
			if err != nil {
				return a, err
			}
			if len(told) > 0 {
				return yes(told[0]), nil
			}
		}
		e, err := tx.append(ctx, quota.Entry{Kind: quota.KindExhaust, Run: spec.Run, Status: spec.Status, Note: spec.Note})
		return yes(e), err
	})
}
