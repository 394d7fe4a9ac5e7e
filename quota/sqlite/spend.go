package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// Spend implements [quota.Store].
func (s *store) Spend(ctx context.Context, spec quota.SpendSpec, settled ...quota.Settlement) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return share(ctx, s, func(tx *tx) (quota.Entry, error) {
		for _, st := range settled {
			if err := tx.settle(st); databaseError(err) {
				return quota.Entry{}, err
			}
		}
		return tx.spend(spec)
	})
}

func (tx *tx) spend(spec quota.SpendSpec) (quota.Entry, error) {
	drawn, err := tx.draw(spec.Run, spec.Units)
	if err != nil {
		return quota.Entry{}, err
	}
	if !drawn {
		return tx.refuse(spec)
	}
	e, fresh, err := tx.appendSpend(spec)
	if err != nil || fresh {
		return e, err
	}
	if _, err := tx.draw(spec.Run, -spec.Units); err != nil {
		return quota.Entry{}, err
	}
	return tx.refuse(spec)
}

// refuse finds out why a spend was not drawn, or not written down.
func (tx *tx) refuse(spec quota.SpendSpec) (quota.Entry, error) {
	if err := tx.drawn(); err != nil {
		return quota.Entry{}, err
	}
	if known, ok, err := tx.once(spec.ID, quota.KindSpend); err != nil {
		return quota.Entry{}, err
	} else if ok {
		if !spec.Matches(known) {
			return quota.Entry{}, fmt.Errorf("spend %s: %w", spec.ID, quota.ErrConflict)
		}
		return known, fmt.Errorf("spend %s: %w", spec.ID, quota.ErrSpent)
	}
	r, err := tx.run(spec.Run)
	if err != nil {
		return quota.Entry{}, err
	}
	if err := tx.living(r); err != nil {
		return quota.Entry{}, err
	}
	return quota.Entry{}, &quota.HoldUsedError{Run: r.ID, Requested: spec.Units, Max: r.Max, Spent: r.Spent}
}

// Settle implements [quota.Store].
func (s *store) Settle(ctx context.Context, settled ...quota.Settlement) error {
	_, err := write(ctx, s, func(tx *tx) (struct{}, error) {
		var refused []error
		for _, st := range settled {
			err := tx.settle(st)
			if databaseError(err) {
				return struct{}{}, err
			}
			refused = append(refused, err)
		}
		return struct{}{}, errors.Join(refused...)
	})
	return err
}

func (tx *tx) settle(st quota.Settlement) error {
	if err := st.Validate(); err != nil {
		return err
	}
	// A spend and what became of it share the id, and come in the order of the
	// index: to sort three rows costs as much as to find them.
	var spend quota.Entry
	var now quota.Outcome
	var latest int64
	err := tx.query("SELECT seq, run, units, outcome FROM entry WHERE id <> '' AND id = ? AND kind <> 'grant' AND kind <> 'reconcile'",
		func(s *sqlite3.Stmt) error {
			seq, outcome := s.ColumnInt64(0), quota.Outcome(s.ColumnText(3))
			if outcome == "" {
				spend = quota.Entry{Seq: seq, Run: s.ColumnText(1), Units: s.ColumnInt64(2), ID: st.Spend}
			} else if seq > latest {
				latest, now = seq, outcome
			}
			return nil
		}, st.Spend)
	if err != nil {
		return err
	}
	if spend.Seq == 0 {
		return fmt.Errorf("%w: %s", quota.ErrNoSpend, st.Spend)
	}
	if st.Outcome != quota.Answered || now != "" { // which looks at the run, or changes it
		if err := tx.drawn(); err != nil {
			return err
		}
	}
	if st.Outcome == quota.Refunded && now != quota.Refunded {
		if r, err := tx.run(spend.Run); err != nil {
			return err
		} else if err := tx.living(r); err != nil {
			return fmt.Errorf("refund of spend %s: %w", st.Spend, err)
		}
	}
	fresh, err := st.Settles(now)
	if err != nil || !fresh {
		return err
	}
	if err := tx.count(st.Outcome, now, spend); err != nil {
		return err
	}
	return tx.appendSettled(st.Entry(spend))
}

// count changes the figures that an outcome changes: none for the usual one,
// an answer to an open spend.
func (tx *tx) count(outcome, before quota.Outcome, spend quota.Entry) error {
	switch {
	case outcome == quota.Refunded:
		return tx.exec("UPDATE run SET spent = spent - ? WHERE id = ?", spend.Units, spend.Run)
	case outcome == quota.Unknown:
		return tx.exec("UPDATE run SET unknown = unknown + ? WHERE id = ?", spend.Units, spend.Run)
	case before == quota.Unknown: // a late answer
		if err := tx.exec("UPDATE run SET unknown = unknown - ? WHERE id = ?", spend.Units, spend.Run); err != nil {
			return err
		}
		return tx.exec("UPDATE ledger SET unknown = unknown - ? WHERE EXISTS (SELECT 1 FROM run WHERE id = ? AND state <> 'active')",
			spend.Units, spend.Run)
	}
	return nil
}
