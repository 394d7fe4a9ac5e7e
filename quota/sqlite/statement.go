package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// Statement implements [quota.Store]. It reads over a connection of its own, as
// Verify does.
func (s *store) Statement(ctx context.Context, since time.Time) (statement quota.Statement, err error) {
	if err := s.read(ctx, func(*conn) error { return nil }); err != nil {
		return statement, err
	}
	c, err := s.connectToRead(ctx)
	if err != nil {
		return statement, err
	}
	err = s.view(ctx, c, func(c *conn) error {
		runs, err := c.runs("true")
		if err != nil {
			return err
		}
		t := quota.NewTallier(since, s.config.now(), runs)
		if err := errors.Join(c.endings(t, runs), c.tally(t, s.info.Allowance)); err != nil {
			return err
		}
		statement = t.Statement()
		return nil
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("sum up ledger %s: %w", s.path, err)
	}
	return statement, errors.Join(err, c.close())
}

// endings hands on those of all spends that were not simply answered with a
// status below 400. They are few, and the rest needs no second look.
func (c *conn) endings(t *quota.Tallier, runs []quota.RunInfo) error {
	// An answer that came after all counts more than that it was unknown.
	err := c.query(`SELECT e.id, coalesce(late.outcome, e.outcome), coalesce(late.status, e.status) FROM entry e
		LEFT JOIN entry late ON e.outcome = 'unknown' AND late.id <> '' AND late.id = e.id AND late.kind = 'settle' AND late.outcome = 'answered'
		WHERE e.status >= 400 OR e.outcome = 'unknown' OR e.kind = 'refund'`, func(s *sqlite3.Stmt) error {
		t.Ending(s.ColumnText(0), quota.Outcome(s.ColumnText(1)), s.ColumnInt(2))
		return nil
	})
	for _, r := range runs {
		if err == nil && r.State == quota.Active {
			err = c.query(`SELECT id FROM entry spend WHERE kind = 'spend' AND run = ? AND NOT EXISTS (
				SELECT 1 FROM entry e WHERE e.id <> '' AND e.id = spend.id AND (e.kind = 'settle' OR e.kind = 'refund'))`, func(s *sqlite3.Stmt) error {
				t.Ending(s.ColumnText(0), "", 0)
				return nil
			}, r.ID)
		}
	}
	return err
}

// tally hands on the rest. A spend costs as few conversions as it can: there may
// be a million.
func (c *conn) tally(t *quota.Tallier, allowance string) error {
	words := map[string]string{}
	word := func(raw []byte) string {
		w, ok := words[string(raw)]
		if !ok {
			w = string(raw)
			words[w] = w
		}
		return w
	}
	return c.query(`SELECT at, run, units, id, operation, request_key, test, CASE kind WHEN 'spend' THEN 0 ELSE seq END FROM entry
		WHERE kind = 'spend' OR kind <> 'settle' AND (kind = 'grant' OR kind = 'reconcile' OR kind = 'exhaust' OR kind = 'block') ORDER BY seq`, func(s *sqlite3.Stmt) error {
		if seq := s.ColumnInt64(7); seq != 0 {
			e, err := c.entries(allowance, "seq = ?", seq)
			if err == nil {
				t.Entry(e[0])
			}
			return err
		}
		t.Spend(quota.Attempt{
			At: fromMicros(s.ColumnInt64(0)), Run: word(s.ColumnRawText(1)), Units: s.ColumnInt64(2), ID: s.ColumnRawText(3),
			Operation: word(s.ColumnRawText(4)), RequestKey: s.ColumnRawText(5), Test: word(s.ColumnRawText(6)),
		})
		return nil
	})
}
