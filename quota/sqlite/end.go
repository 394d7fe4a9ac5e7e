package sqlite

import (
	"context"

	"github.com/hsharness/hsharness/quota"
)

// expire ends a run that can't end itself. What it had not drawn returns; what
// it spent stays spent.
func (tx *tx) expire(r quota.RunInfo) error {
	unknown, err := tx.settleOpen(r)
	if err != nil {
		return err
	}
	if _, err := tx.append(quota.Entry{Kind: quota.KindExpire, Run: r.ID, Units: r.Held()}); err != nil {
		return err
	}
	return tx.retire(r, quota.Expired, r.Unknown+unknown, quota.Counters{})
}

// settleOpen settles the open spends of a run as unknown and sums them up.
func (tx *tx) settleOpen(r quota.RunInfo) (units int64, err error) {
	open, err := tx.entries(tx.allowance, `kind = 'spend' AND run = ? AND NOT EXISTS
		(SELECT 1 FROM entry AS later WHERE later.id <> '' AND later.id = entry.id AND later.kind IN ('settle', 'refund')) ORDER BY seq`, r.ID)
	if err != nil {
		return 0, err
	}
	for _, spend := range open {
		s := quota.Settlement{Spend: spend.ID, Outcome: quota.Unknown, Note: "the run was over before it was settled"}
		if _, err := tx.append(s.Entry(spend)); err != nil {
			return 0, err
		}
		units += spend.Units
	}
	return units, nil
}

// retire moves what an active run has spent to the ledger's own row.
func (tx *tx) retire(r quota.RunInfo, state quota.RunState, unknown int64, n quota.Counters) error {
	err := tx.exec(`UPDATE run SET state = ?, unknown = ?, over = ?, requests = ?, replayed = ?, mocked = ?, missed = ?, would_spend = ?
		WHERE id = ? AND state = 'active'`,
		string(state), unknown, micros(tx.now), n.Requests, n.Replayed, n.Mocked, n.Missed, n.WouldSpend, r.ID)
	if err != nil {
		return err
	}
	return tx.exec("UPDATE ledger SET base = base + ?, unknown = unknown + ?", r.Spent, unknown)
}

// End implements [quota.Store].
func (s *store) End(ctx context.Context, id string, counters quota.Counters) (quota.Entry, error) {
	if err := counters.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return write(ctx, s, func(tx *tx) (quota.Entry, error) { return tx.end(id, counters) })
}

func (tx *tx) end(id string, counters quota.Counters) (quota.Entry, error) {
	r, err := tx.run(id)
	if err != nil {
		return quota.Entry{}, err
	}
	if over := tx.living(r); over != nil {
		switch {
		case r.State == quota.Active:
			if err := tx.expire(r); err != nil {
				return quota.Entry{}, err
			}
		case r.State == quota.Ended && r.Counters == counters:
			ends, err := tx.entries(tx.allowance, "(kind = 'begin' OR kind = 'hold' OR kind = 'end' OR kind = 'expire') AND run = ? AND kind = 'end'", id)
			if err != nil {
				return quota.Entry{}, err
			}
			if len(ends) > 0 {
				return ends[0], nil
			}
		}
		return quota.Entry{}, over
	}
	unknown, err := tx.settleOpen(r)
	if err != nil {
		return quota.Entry{}, err
	}
	if rest := r.Held(); rest > 0 {
		if _, err := tx.append(quota.Entry{Kind: quota.KindRelease, Run: id, Units: rest}); err != nil {
			return quota.Entry{}, err
		}
	}
	e, err := tx.append(quota.Entry{Kind: quota.KindEnd, Run: id, Counters: &counters})
	if err != nil {
		return e, err
	}
	return e, tx.retire(r, quota.Ended, r.Unknown+unknown, counters)
}
