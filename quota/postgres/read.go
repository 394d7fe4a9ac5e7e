package postgres

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// balances sums up the allowance's row and those of the active runs, on the
// server: an admission needs no more, and there may be a thousand runs.
func (tx *tx) balances(ctx context.Context) (b quota.Balances, err error) {
	err = tx.QueryRow(ctx, `SELECT granted, base + active.spent, active.held, ledger.unknown + active.unknown, floor, exhausted
		FROM ledger, (SELECT coalesce(sum(spent), 0)::bigint AS spent, coalesce(sum(max - spent), 0)::bigint AS held,
			coalesce(sum(unknown), 0)::bigint AS unknown FROM run WHERE over IS NULL) AS active`).
		Scan(&b.Granted, &b.Spent, &b.Held, &b.Unknown, &b.Floor, &b.Exhausted)
	return b, err
}

// active reads the active runs, oldest first. Spends that come between this and
// balances only move units from a hold to what is spent; all else waits for the
// allowance's row or is in another snapshot.
func (tx *tx) active(ctx context.Context) ([]quota.RunInfo, error) {
	return runs(ctx, tx, "over IS NULL ORDER BY begun, id")
}

// alive judges runs at one moment and asks for each process once.
func (s *Store) alive(now time.Time) func(quota.RunInfo) bool {
	gone := map[quota.Process]bool{}
	return func(r quota.RunInfo) bool {
		if !r.LeaseUntil.After(now) {
			return false
		}
		if _, asked := gone[r.Process]; !asked {
			gone[r.Process] = s.config.gone(r.Process)
		}
		return !gone[r.Process]
	}
}

func (s *Store) holders(active []quota.RunInfo, now time.Time) []quota.Holder {
	alive := s.alive(now)
	holders := make([]quota.Holder, 0, len(active))
	for _, r := range active {
		holders = append(holders, quota.Holder{
			ID: r.ID, Suite: r.Suite, Max: r.Max, Spent: r.Spent, Alive: alive(r), LeaseUntil: r.LeaseUntil, Process: r.Process,
		})
	}
	return holders
}

// info is what the ledger says of itself.
func (tx *tx) info(ctx context.Context) (quota.Info, error) {
	info := tx.store.info
	last, err := tx.store.entries(ctx, tx, "true ORDER BY seq DESC LIMIT 1")
	if err == nil && len(last) > 0 {
		info.Head = last[0]
	}
	return info, err
}

// Info implements [quota.Store].
func (s *Store) Info(ctx context.Context) (quota.Info, error) {
	return view(ctx, s, func(ctx context.Context, tx *tx) (quota.Info, error) { return tx.info(ctx) })
}

// Status implements [quota.Store].
func (s *Store) Status(ctx context.Context) (quota.Status, error) {
	return view(ctx, s, func(ctx context.Context, tx *tx) (status quota.Status, err error) {
		info, err := tx.info(ctx)
		if err != nil {
			return status, err
		}
		b, err := tx.balances(ctx)
		if err != nil {
			return status, err
		}
		active, err := tx.active(ctx)
		if err != nil {
			return status, err
		}
		var burned int64
		err = tx.QueryRow(ctx, "SELECT coalesce(sum(spent), 0)::bigint FROM run WHERE begun >= $1", quota.BurnSince(tx.now)).Scan(&burned)
		if err != nil {
			return status, err
		}
		return quota.NewStatus(info, tx.now, b, s.holders(active, tx.now), burned), nil
	})
}

// Runs implements [quota.Store].
func (s *Store) Runs(ctx context.Context, limit int) ([]quota.RunInfo, error) {
	var most *int // NULL is all
	if limit > 0 {
		most = &limit
	}
	return view(ctx, s, func(ctx context.Context, tx *tx) ([]quota.RunInfo, error) {
		return runs(ctx, tx, "true ORDER BY begun DESC, id DESC LIMIT $1", most)
	})
}

// page is how many entries are read at once.
const page = 512

// Entries implements [quota.Store]. While others write, an entry whose
// transaction is still under way is missing even if later ones are there; those
// of one run are never out of order.
func (s *Store) Entries(ctx context.Context, after int64) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for {
			entries, err := view(ctx, s, func(ctx context.Context, tx *tx) ([]quota.Entry, error) {
				return s.entries(ctx, tx, "seq > $1 ORDER BY seq LIMIT $2", after, page)
			})
			if err != nil {
				yield(quota.Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				after = e.Seq
			}
			if len(entries) < page {
				return
			}
		}
	}
}

// Verify implements [quota.Store].
func (s *Store) Verify(ctx context.Context) (quota.Report, error) {
	return view(ctx, s, func(ctx context.Context, tx *tx) (report quota.Report, err error) {
		// A long journal takes its time, and keeps no one waiting.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return report, err
		}
		b, err := tx.balances(ctx)
		if err != nil {
			return report, err
		}
		return quota.Audit(each(ctx, tx, "SELECT "+entryColumns+" FROM entry ORDER BY seq", entryScanner(s.info.Allowance)),
			&quota.Claim{Balances: b, Runs: each(ctx, tx, "SELECT "+runColumns+" FROM run", scanRun)})
	})
}

// each goes through the rows of a statement as they come.
func each[T any](ctx context.Context, q querier, sql string, scan pgx.RowToFunc[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		rows, err := q.Query(ctx, sql)
		if err != nil {
			yield(zero, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			v, err := scan(rows)
			if !yield(v, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, err)
		}
	}
}
