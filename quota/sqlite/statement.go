package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

var _ tally.Summer = (*store)(nil)

// Statement implements [quota.Store].
func (s *store) Statement(ctx context.Context, since time.Time) (quota.Statement, error) {
	statement, _, err := s.Sum(ctx, since, nil)
	return statement, err
}

// Sum implements [tally.Summer]. It reads over connections of its own, as Verify
// does.
func (s *store) Sum(ctx context.Context, since time.Time, known *tally.Journal) (statement quota.Statement, now *tally.Journal, err error) {
	for _, from := range []*tally.Journal{known, nil} {
		if from == nil {
			from = new(tally.Journal)
		}
		var read tally.Read
		var status quota.Status
		err = s.aside(ctx, func(c *conn) error {
			read, status, err = s.sumsUp(ctx, c, from.Upto())
			return err
		})
		switch {
		case errors.Is(err, tally.ErrStale):
			continue
		case err != nil && ctx.Err() == nil:
			return statement, nil, fmt.Errorf("sum up ledger %s: %w", s.path, err)
		case err != nil:
			return statement, nil, err
		}
		if statement, ok := from.Statement(read, since); ok {
			statement.Status = status
			return statement, from, nil
		}
	}
	return statement, nil, err
}

// sumsUp reads what came after a journal, and the status of the same moment.
func (s *store) sumsUp(ctx context.Context, c *conn, upto tally.Upto) (r tally.Read, status quota.Status, err error) {
	r.Now = s.config.now()
	if status, err = s.status(c, r.Now); err != nil {
		return r, status, err
	}
	head, err := c.head(s.info.Allowance)
	if err == nil {
		err = s.continues(c, upto)
	}
	if err == nil {
		r.Runs, err = c.runs("true")
	}
	if err != nil {
		return r, status, err
	}
	r.Upto = tally.Upto{Ledger: s.info.LedgerID, Spends: head.Seq, Head: head.Seq, Mark: tally.Mark(head)}
	spends := int64(0)
	for i := range r.Runs {
		spends += r.Runs[i].Spent
	}
	if r.Parts, err = s.stretches(ctx, c, upto.Spends, head.Seq, spends); err != nil {
		return r, status, err
	}
	// Of all runs that are over each spend was settled when they were.
	err = c.query(`SELECT spend.seq FROM run CROSS JOIN entry AS spend
		WHERE state = 'active' AND spend.kind = 'spend' AND spend.run = run.id AND spend.seq > ? AND NOT EXISTS (
			SELECT 1 FROM entry AS e WHERE e.id <> '' AND e.id = spend.id AND (e.kind = 'settle' OR e.kind = 'refund'))`, func(st *sqlite3.Stmt) error {
		open := st.ColumnInt64(0)
		r.Parts[0].Ending(open, "", 0)
		r.Upto.Spends = min(r.Upto.Spends, open-1)
		return nil
	}, upto.Spends)
	return r, status, err
}

// continues tells whether the ledger is the one that a journal is of, as it was then
// and longer. A file has no entry that comes in late.
func (s *store) continues(c *conn, upto tally.Upto) error {
	if upto == (tally.Upto{}) {
		return nil
	}
	last, err := c.entries(s.info.Allowance, "seq = ?", upto.Head)
	if err != nil {
		return err
	}
	if upto.Ledger != s.info.LedgerID || len(last) == 0 || tally.Mark(last[0]) != upto.Mark {
		return tally.ErrStale
	}
	changed, err := c.number(`SELECT EXISTS (SELECT 1 FROM entry AS late CROSS JOIN entry AS spend
		WHERE late.seq > ? AND (late.kind = 'settle' OR late.kind = 'refund')
			AND spend.id <> '' AND spend.id = late.id AND spend.kind = 'spend' AND spend.seq <= ?)`, upto.Head, upto.Spends)
	if err == nil && changed != 0 {
		err = tally.ErrStale
	}
	return err
}

// longStretch is how many entries are worth a connection of their own. Tests have fewer.
var longStretch int64 = 50_000

// mostStretches bounds the connections of a statement, of which each takes memory.
const mostStretches = 4

// stretches reads the journal between two entries, the later one included, in as many
// parts as there are processors for. Entries stay as they are, so connections that begin
// after the first one see the same.
func (s *store) stretches(ctx context.Context, c *conn, after, head, spends int64) ([]*tally.Part, error) {
	n := max(1, min((head-after)/longStretch, int64(runtime.GOMAXPROCS(0)), mostStretches))
	parts, errs := make([]*tally.Part, n), make(chan error, n)
	for i := range n {
		parts[i] = tally.NewPart(spends / n)
		read := func(c *conn) error {
			return c.tally(parts[i], s.info.Allowance, after+(head-after)*i/n, after+(head-after)*(i+1)/n)
		}
		if i == 0 {
			go func() { errs <- read(c) }()
			continue
		}
		go func() {
			more, err := s.connectToRead(ctx)
			if err == nil {
				err = errors.Join(s.view(ctx, more, read), more.close())
			}
			errs <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-errs)
	}
	return parts, err
}

// tally hands on what a statement is made of: spends, what became of those that were not
// simply answered with a status below 400, as its outcome, its status and the spend's number, and
// the numbers of the other entries. Of a spend nothing else is read, for there may be a
// million. An answer that came after all counts more than that it was unknown.
func (c *conn) tally(p *tally.Part, allowance string, after, upto int64) error {
	return c.query(`SELECT seq, at, run, units, operation, request_key, test, CASE
			WHEN kind = 'spend' THEN NULL
			WHEN outcome = '' THEN ''
			ELSE coalesce((SELECT late.outcome || ' ' || late.status FROM entry AS late
					WHERE entry.outcome = 'unknown' AND late.id <> '' AND late.id = entry.id AND late.kind = 'settle' AND late.outcome = 'answered'), outcome || ' ' || status)
				|| ' ' || coalesce((SELECT spend.seq FROM entry AS spend WHERE spend.id <> '' AND spend.id = entry.id AND spend.kind = 'spend'), 0)
			END
		FROM entry WHERE seq > ? AND seq <= ? AND (kind = 'spend' OR status >= 400 OR outcome = 'unknown'
			OR kind <> 'settle' AND (kind = 'refund' OR kind = 'grant' OR kind = 'reconcile' OR kind = 'exhaust' OR kind = 'block')) ORDER BY seq`, func(s *sqlite3.Stmt) error {
		if s.ColumnType(7) == sqlite3.NULL {
			p.Spend(tally.Attempt{
				Seq: s.ColumnInt64(0), At: s.ColumnInt64(1), Run: s.ColumnRawText(2), Units: s.ColumnInt64(3),
				Operation: s.ColumnRawText(4), RequestKey: s.ColumnRawText(5), Test: s.ColumnRawText(6),
			})
			return nil
		}
		if ending := s.ColumnText(7); ending != "" {
			return p.Ended(ending)
		}
		e, err := c.entries(allowance, "seq = ?", s.ColumnInt64(0))
		if err == nil {
			p.Entry(e[0])
		}
		return err
	}, after, upto)
}
