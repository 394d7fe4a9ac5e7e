package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// barred finds the bar that is in force and its entry, zero where there is none.
// Only an exhaust that bars has a detail.
func (tx *tx) barred(ctx context.Context) (e quota.Entry, bar quota.Bar, err error) {
	last, err := tx.store.entries(ctx, tx, "kind = 'exhaust' AND detail IS NOT NULL ORDER BY seq DESC LIMIT 1")
	if err != nil || len(last) == 0 || last[0].Bar == nil {
		return quota.Entry{}, quota.Bar{}, err
	}
	later, err := tx.store.entries(ctx, tx, "seq > $1 AND kind IN ('grant', 'reconcile') ORDER BY seq", last[0].Seq)
	for _, e := range later {
		if last[0].Bar.Lifted(e) {
			return quota.Entry{}, quota.Bar{}, err
		}
	}
	return last[0], *last[0].Bar, err
}

// told tells whether the service's own word counts that nothing is left.
func (tx *tx) told(ctx context.Context) (told bool, err error) {
	err = tx.QueryRow(ctx, `SELECT kind = 'exhaust' FROM hsharness.entry WHERE kind = 'exhaust' AND detail IS NULL
		OR kind = 'reconcile' OR kind = 'grant' AND units > 0 ORDER BY seq DESC LIMIT 1`).Scan(&told)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return told, err
}

// Bar implements [quota.Store].
func (s *store) Bar(ctx context.Context, bar quota.Bar) (quota.Entry, error) {
	if err := bar.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return locked(s.quick(ctx, "a bar"), s, func(ctx context.Context, tx *tx) (a answer[quota.Entry], err error) {
		if err := tx.sweep(ctx); err != nil {
			return a, err
		}
		before, now, err := tx.barred(ctx)
		if err != nil {
			return a, err
		}
		if follows, refusal := bar.Follows(now); refusal != nil || !follows {
			return answer[quota.Entry]{before, refusal}, nil
		}
		active, err := tx.active(ctx)
		if err != nil {
			return a, err
		}
		if len(active) > 0 {
			return no[quota.Entry](&quota.RunsActiveError{Run: active[0].ID}), nil
		}
		if _, err := tx.Exec(ctx, "UPDATE hsharness.ledger SET exhausted = true"); err != nil {
			return a, err
		}
		e, err := tx.append(ctx, bar.Entry())
		return yes(e), err
	})
}

// Unbar implements [quota.Store].
func (s *store) Unbar(ctx context.Context, id string) (quota.Entry, error) {
	return locked(s.quick(ctx, "lifting a bar"), s, func(ctx context.Context, tx *tx) (a answer[quota.Entry], err error) {
		_, now, err := tx.barred(ctx)
		if err != nil {
			return a, err
		}
		if !now.Unbars(id) {
			known, ok, err := s.once(ctx, tx, id, quota.KindGrant)
			switch {
			case err != nil:
				return a, err
			case ok:
				return yes(known), nil
			case now != (quota.Bar{}):
				return no[quota.Entry](&quota.BarredError{Bar: now}), nil
			}
			return no[quota.Entry](fmt.Errorf("bar %s: %w: there is none", id, quota.ErrConflict)), nil
		}
		told, err := tx.told(ctx)
		if err != nil {
			return a, err
		}
		var floor int64
		if err := tx.QueryRow(ctx, "UPDATE hsharness.ledger SET exhausted = $1 RETURNING floor", told).Scan(&floor); err != nil {
			return a, err
		}
		e, err := tx.append(ctx, quota.Opening(id, floor))
		return yes(e), err
	})
}
