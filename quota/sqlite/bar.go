package sqlite

import (
	"context"
	"fmt"

	"github.com/hsharness/hsharness/quota"
)

// barred finds the bar that is in force and its entry, zero where there is none.
// Only an exhaust that bars has a detail.
func (c *conn) barred(allowance string) (e quota.Entry, bar quota.Bar, err error) {
	last, err := c.entries(allowance, "kind = 'exhaust' AND detail <> '' ORDER BY seq DESC LIMIT 1")
	if err != nil || len(last) == 0 || last[0].Bar == nil {
		return quota.Entry{}, quota.Bar{}, err
	}
	later, err := c.entries(allowance, "seq > ? AND kind IN ('grant', 'reconcile') ORDER BY seq", last[0].Seq)
	for _, e := range later {
		if last[0].Bar.Lifted(e) {
			return quota.Entry{}, quota.Bar{}, err
		}
	}
	return last[0], *last[0].Bar, err
}

// told tells whether the service's own word counts that nothing is left.
func (c *conn) told() (bool, error) {
	n, err := c.number(`SELECT kind = 'exhaust' FROM entry WHERE kind = 'exhaust' AND detail = ''
		OR kind = 'reconcile' OR kind = 'grant' AND units > 0 ORDER BY seq DESC LIMIT 1`)
	return n == 1, err
}

// Bar implements [quota.Store].
func (s *store) Bar(ctx context.Context, bar quota.Bar) (quota.Entry, error) {
	if err := bar.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return write(ctx, s, func(tx *tx) (quota.Entry, error) {
		if _, err := tx.sweep(); err != nil {
			return quota.Entry{}, err
		}
		before, now, err := tx.barred(tx.allowance)
		if err != nil {
			return quota.Entry{}, err
		}
		if follows, err := bar.Follows(now); err != nil || !follows {
			return before, err
		}
		active, err := tx.active()
		if err != nil {
			return quota.Entry{}, err
		}
		if len(active) > 0 {
			return quota.Entry{}, &quota.RunsActiveError{Run: active[0].ID}
		}
		if err := tx.exec("UPDATE ledger SET exhausted = 1"); err != nil {
			return quota.Entry{}, err
		}
		return tx.append(bar.Entry())
	})
}

// Unbar implements [quota.Store].
func (s *store) Unbar(ctx context.Context, id string) (quota.Entry, error) {
	return write(ctx, s, func(tx *tx) (quota.Entry, error) {
		_, now, err := tx.barred(tx.allowance)
		if err != nil {
			return quota.Entry{}, err
		}
		if !now.Unbars(id) {
			known, ok, err := tx.once(id, quota.KindGrant)
			switch {
			case err != nil || ok:
				return known, err
			case now != (quota.Bar{}):
				return quota.Entry{}, &quota.BarredError{Bar: now}
			}
			return quota.Entry{}, fmt.Errorf("bar %s: %w: there is none", id, quota.ErrConflict)
		}
		told, err := tx.told()
		if err != nil {
			return quota.Entry{}, err
		}
		if err := tx.exec("UPDATE ledger SET exhausted = ?", told); err != nil {
			return quota.Entry{}, err
		}
		floor, err := tx.number("SELECT floor FROM ledger")
		if err != nil {
			return quota.Entry{}, err
		}
		return tx.append(quota.Opening(id, floor))
	})
}
