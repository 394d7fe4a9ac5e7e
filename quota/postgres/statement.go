package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

var _ tally.Summer = (*store)(nil)

// Statement implements [quota.Store].
func (s *store) Statement(ctx context.Context, since time.Time) (quota.Statement, error) {
	statement, _, err := s.Sum(ctx, since, nil)
	return statement, err
}

// summed is what one transaction saw.
type summed struct {
	status quota.Status
	read   tally.Read
	stale  bool
}

// Sum implements [tally.Summer].
func (s *store) Sum(ctx context.Context, since time.Time, known *tally.Journal) (quota.Statement, *tally.Journal, error) {
	for {
		whole := known == nil
		if whole {
			known = new(tally.Journal)
		}
		upto := known.Upto()
		saw, err := view(s.slow(ctx, "a report"), s, func(ctx context.Context, tx *tx) (summed, error) { return tx.sumsUp(ctx, upto) })
		if err != nil {
			return quota.Statement{}, nil, err
		}
		if !saw.stale {
			statement, ok := known.Statement(saw.read, since)
			if statement.Status = saw.status; ok || whole {
				return statement, known, nil
			}
		}
		known = nil
	}
}

// sumsUp reads what came after a journal, and the status of the same moment.
func (tx *tx) sumsUp(ctx context.Context, upto tally.Upto) (saw summed, err error) {
	info, err := tx.info(ctx)
	if err == nil {
		saw.status, err = tx.status(ctx, info)
	}
	if err == nil { // all else takes longer with a longer journal
		_, err = tx.Exec(ctx, "SET LOCAL statement_timeout = 0")
	}
	if err == nil && upto != (tally.Upto{}) {
		saw.stale, err = tx.stale(ctx, upto)
	}
	if err != nil || saw.stale {
		return saw, err
	}
	r := &saw.read
	r.Now = tx.now
	r.Upto = tally.Upto{Ledger: info.LedgerID, Spends: info.Head.Seq, Head: info.Head.Seq, Mark: tally.Mark(info.Head)}
	if r.Runs, err = runs(ctx, tx, "true"); err != nil {
		return saw, err
	}
	spends := int64(0)
	for i := range r.Runs {
		spends += r.Runs[i].Spent
	}
	p := tally.NewPart(spends)
	r.Parts = []*tally.Part{p}
	open, err := tx.endings(ctx, p, upto.Spends)
	if open != 0 {
		r.Upto.Spends = min(r.Upto.Spends, open-1)
	}
	return saw, errors.Join(err, tx.spends(ctx, p, upto.Spends), tx.rest(ctx, p, upto.Spends), tx.count(ctx, &r.Upto))
}

// count counts the entries: one that comes in late has a number below that of others
// which were there before.
func (tx *tx) count(ctx context.Context, upto *tally.Upto) error {
	return tx.QueryRow(ctx, "SELECT count(*) FROM hsharness.entry WHERE seq <= $1", upto.Head).Scan(&upto.Entries)
}

// stale tells whether the ledger is not the one that a journal is of, as it was then and
// longer.
func (tx *tx) stale(ctx context.Context, upto tally.Upto) (bool, error) {
	last, err := tx.store.entries(ctx, tx, "seq = $1", upto.Head)
	if err != nil {
		return false, err
	}
	if upto.Ledger != tx.store.info.LedgerID || len(last) == 0 || tally.Mark(last[0]) != upto.Mark {
		return true, nil
	}
	then := upto
	if err := tx.count(ctx, &then); err != nil || then.Entries != upto.Entries {
		return true, err
	}
	var changed bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM hsharness.entry AS late JOIN hsharness.entry AS spend
			ON spend.kind = 'spend' AND spend.id = late.id AND spend.seq <= $2
		WHERE late.seq > $1 AND late.kind IN ('settle', 'refund'))`, upto.Head, upto.Spends).Scan(&changed)
	return changed, err
}

// endings hands on those of all spends after an entry that were not simply answered with
// a status below 400, and says which of those is the first of which nothing is known
// yet, 0 for none. An answer that came after all counts more than that it was unknown.
func (tx *tx) endings(ctx context.Context, p *tally.Part, after int64) (open int64, err error) {
	rows, err := tx.Query(ctx, `
		SELECT 0, e.id, coalesce(late.outcome, e.outcome), coalesce(late.status, e.status) FROM hsharness.entry e
		LEFT JOIN hsharness.entry late ON e.outcome = 'unknown' AND late.id = e.id AND late.kind = 'settle' AND late.outcome = 'answered'
		WHERE e.seq > $1 AND (e.status >= 400 OR e.outcome = 'unknown' OR e.kind = 'refund')
	UNION ALL
		SELECT spend.seq, spend.id, '', 0 FROM hsharness.run JOIN hsharness.entry spend ON spend.run = run.id AND spend.kind = 'spend'
		WHERE run.over IS NULL AND spend.seq > $1 AND NOT EXISTS (SELECT FROM hsharness.entry e WHERE e.id = spend.id AND e.kind IN ('settle', 'refund'))`, after)
	if err != nil {
		return 0, err
	}
	var seq int64
	var id string
	var outcome quota.Outcome
	var status int
	_, err = pgx.ForEachRow(rows, []any{&seq, &id, &outcome, &status}, func() error {
		p.Ending(id, outcome, status)
		if seq != 0 && (open == 0 || seq < open) {
			open = seq
		}
		return nil
	})
	return open, err
}

// spends hands each spend after an entry on.
func (tx *tx) spends(ctx context.Context, p *tally.Part, after int64) error {
	rows, err := tx.Query(ctx, "SELECT seq, at, run, units, id, operation, request_key, test FROM hsharness.entry WHERE kind = 'spend' AND seq > $1 ORDER BY seq", after)
	if err != nil {
		return err
	}
	var a tally.Attempt
	var at time.Time
	text := func(b *[]byte) *pgtype.DriverBytes { return (*pgtype.DriverBytes)(b) }
	_, err = pgx.ForEachRow(rows, []any{&a.Seq, &at, text(&a.Run), &a.Units, text(&a.ID), text(&a.Operation), text(&a.RequestKey), text(&a.Test)}, func() error {
		a.At = at.UnixMicro()
		p.Spend(a)
		return nil
	})
	return err
}

// rest hands each other entry on that a statement is made of.
func (tx *tx) rest(ctx context.Context, p *tally.Part, after int64) error {
	entries, err := tx.store.entries(ctx, tx, "kind IN ('grant', 'reconcile', 'exhaust', 'block') AND seq > $1 ORDER BY seq", after)
	for _, e := range entries {
		p.Entry(e)
	}
	return err
}
