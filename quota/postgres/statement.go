package postgres

import (
	"context"
	"errors"
	"fmt"
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
	open, err := tx.open(ctx, p, upto.Spends)
	if open != 0 {
		r.Upto.Spends = min(r.Upto.Spends, open-1)
	}
	missing, err2 := tx.missing(ctx, upto.Head, r.Upto.Head)
	r.Upto.Missing = upto.Missing + missing
	return saw, errors.Join(err, err2, tx.journal(ctx, p, upto.Spends))
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
	if late, err := tx.late(ctx, upto.Missing); err != nil || late {
		return true, err
	}
	var changed bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM hsharness.entry AS late JOIN hsharness.entry AS spend
			ON spend.kind = 'spend' AND spend.id = late.id AND spend.seq <= $2
		WHERE late.seq > $1 AND late.kind IN ('settle', 'refund'))`, upto.Head, upto.Spends).Scan(&changed)
	return changed, err
}

// open hands on the spends after an entry of which nothing is known yet, and says which is
// the first of them, 0 for none. Of all runs that are over each spend was settled when they were.
func (tx *tx) open(ctx context.Context, p *tally.Part, after int64) (first int64, err error) {
	rows, err := tx.Query(ctx, `SELECT spend.seq FROM hsharness.run JOIN hsharness.entry spend ON spend.run = run.id AND spend.kind = 'spend'
		WHERE run.over IS NULL AND spend.seq > $1 AND NOT EXISTS (SELECT FROM hsharness.entry e WHERE e.id = spend.id AND e.kind IN ('settle', 'refund'))`, after)
	if err != nil {
		return 0, err
	}
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&seq}, func() error {
		p.Ending(seq, "", 0)
		if first == 0 || seq < first {
			first = seq
		}
		return nil
	})
	return first, err
}

// journalSQL is what a statement is made of, in one walk: spends, what became of those that
// were not simply answered with a status below 400, as its outcome, its status and the spend's
// number, and the numbers of the other entries. An answer that came after all counts more than that it was unknown.
const journalSQL = `SELECT seq, at, run, units, operation, request_key, test, CASE
		WHEN kind = 'spend' THEN NULL
		WHEN outcome = '' THEN ''
		ELSE coalesce((SELECT late.outcome || ' ' || late.status FROM hsharness.entry AS late
				WHERE entry.outcome = 'unknown' AND late.id = entry.id AND late.kind = 'settle' AND late.outcome = 'answered'), outcome || ' ' || status)
			|| ' ' || coalesce((SELECT spend.seq FROM hsharness.entry AS spend WHERE spend.id = entry.id AND spend.kind = 'spend'), 0)
		END
	FROM hsharness.entry WHERE seq > $1 AND (kind = 'spend' OR status >= 400 OR outcome = 'unknown' OR kind IN ('refund', 'grant', 'reconcile', 'exhaust', 'block'))
	ORDER BY seq`

// journal hands each entry after one on that a statement is made of.
func (tx *tx) journal(ctx context.Context, p *tally.Part, after int64) error {
	rows, err := tx.Query(ctx, journalSQL, after)
	if err != nil {
		return err
	}
	var a tally.Attempt
	var at time.Time
	var ending []byte
	var rest []int64
	text := func(b *[]byte) *pgtype.DriverBytes { return (*pgtype.DriverBytes)(b) }
	_, err = pgx.ForEachRow(rows, []any{&a.Seq, moment{&at}, text(&a.Run), &a.Units, text(&a.Operation), text(&a.RequestKey), text(&a.Test), text(&ending)}, func() error {
		switch {
		case ending == nil:
			a.At = at.UnixMicro()
			if sum := len(a.Run) + len(a.Operation) + len(a.RequestKey) + len(a.Test); sum > mostTexts {
				return &tooLongError{fmt.Sprint("entry ", a.Seq), sum}
			}
			p.Spend(a)
			return nil
		case len(ending) == 0:
			rest = append(rest, a.Seq)
			return nil
		}
		return p.Ended(string(ending))
	})
	if err != nil || len(rest) == 0 {
		return err
	}
	entries, err := tx.store.entries(ctx, tx, "seq = ANY ($1) ORDER BY seq", rest)
	for _, e := range entries {
		p.Entry(e)
	}
	return err
}
