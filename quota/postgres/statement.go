package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hsharness/hsharness/quota"
)

// Statement implements [quota.Store].
func (s *store) Statement(ctx context.Context, since time.Time) (quota.Statement, error) {
	return view(s.slow(ctx, "a report"), s, func(ctx context.Context, tx *tx) (quota.Statement, error) {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return quota.Statement{}, err
		}
		runs, err := runs(ctx, tx, "true")
		if err != nil {
			return quota.Statement{}, err
		}
		t := quota.NewTallier(since, tx.now, runs)
		if err := errors.Join(tx.endings(ctx, t), tx.spends(ctx, t)); err != nil {
			return quota.Statement{}, err
		}
		rest := "SELECT " + entryColumns + " FROM hsharness.entry WHERE kind IN ('grant', 'reconcile', 'exhaust', 'block') ORDER BY seq"
		for e, err := range each(ctx, tx, rest, entryScanner(s.info.Allowance)) {
			if err != nil {
				return quota.Statement{}, err
			}
			t.Entry(e)
		}
		return t.Statement(), nil
	})
}

// endings hands on those of all spends that were not simply answered with a
// status below 400. An answer that came after all counts more than that it was
// unknown.
func (tx *tx) endings(ctx context.Context, t *quota.Tallier) error {
	rows, err := tx.Query(ctx, `
		SELECT e.id, coalesce(late.outcome, e.outcome), coalesce(late.status, e.status) FROM hsharness.entry e
		LEFT JOIN hsharness.entry late ON e.outcome = 'unknown' AND late.id = e.id AND late.kind = 'settle' AND late.outcome = 'answered'
		WHERE e.status >= 400 OR e.outcome = 'unknown' OR e.kind = 'refund'
	UNION ALL
		SELECT spend.id, '', 0 FROM hsharness.run JOIN hsharness.entry spend ON spend.run = run.id AND spend.kind = 'spend'
		WHERE run.over IS NULL AND NOT EXISTS (SELECT FROM hsharness.entry e WHERE e.id = spend.id AND e.kind IN ('settle', 'refund'))`)
	if err != nil {
		return err
	}
	var id string
	var outcome quota.Outcome
	var status int
	_, err = pgx.ForEachRow(rows, []any{&id, &outcome, &status}, func() error {
		t.Ending(id, outcome, status)
		return nil
	})
	return err
}

// spends hands each spend on.
func (tx *tx) spends(ctx context.Context, t *quota.Tallier) error {
	rows, err := tx.Query(ctx, "SELECT at, run, units, id, operation, request_key, test FROM hsharness.entry WHERE kind = 'spend' ORDER BY seq")
	if err != nil {
		return err
	}
	var a quota.Attempt
	_, err = pgx.ForEachRow(rows, []any{&a.At, &a.Run, &a.Units, (*pgtype.DriverBytes)(&a.ID), &a.Operation, (*pgtype.DriverBytes)(&a.RequestKey), &a.Test}, func() error {
		t.Spend(a)
		return nil
	})
	return err
}
