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
		FROM hsharness.ledger, (SELECT coalesce(sum(spent), 0)::bigint AS spent, coalesce(sum(max - spent), 0)::bigint AS held,
			coalesce(sum(unknown), 0)::bigint AS unknown FROM hsharness.run WHERE over IS NULL) AS active`).
		Scan(&b.Granted, &b.Spent, &b.Held, &b.Unknown, &b.Floor, &b.Exhausted)
	if err == nil && b.Exhausted {
		_, b.Bar, err = tx.barred(ctx)
	}
	return b, err
}

// active reads the active runs, oldest first. Spends that come between this and
// balances only move units from a hold to what is spent; all else waits for the
// allowance's row or is in another snapshot.
func (tx *tx) active(ctx context.Context) ([]quota.RunInfo, error) {
	return runs(ctx, tx, "over IS NULL ORDER BY begun, id")
}

// alive judges runs at one moment and asks for each process once.
func (s *store) alive(now time.Time) func(quota.RunInfo) bool {
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

// holders are the active runs as messages have them.
func (tx *tx) holders(ctx context.Context, active []quota.RunInfo) ([]quota.Holder, error) {
	alive := tx.store.alive(tx.now)
	holders := make([]quota.Holder, 0, len(active))
	for _, r := range active {
		unrenewed, err := tx.unrenewed(ctx, r)
		if err != nil {
			return nil, err
		}
		holders = append(holders, quota.NewHolder(r, alive(r) && !unrenewed, tx.now, tx.store.config.lease()))
	}
	return holders, nil
}

// blocks are the refusals since a run began that are not dated later than now.
func (tx *tx) blocks(ctx context.Context, r quota.RunInfo) ([]quota.Entry, error) {
	return tx.store.entries(ctx, tx, `kind = 'block' AND at <= $1 AND seq >
		(SELECT seq FROM hsharness.entry WHERE run = $2 AND kind = 'begin')`, tx.now, r.ID)
}

// unrenewed tells whether the lease of r is ahead and nobody renews it. It asks
// the journal only where the lease is ahead.
func (tx *tx) unrenewed(ctx context.Context, r quota.RunInfo) (bool, error) {
	lease := tx.store.config.lease()
	if !quota.LeaseAhead(r.LeaseUntil, tx.now, lease) {
		return false, nil
	}
	blocks, err := tx.blocks(ctx, r)
	return quota.Unrenewed(blocks, r, tx.now, lease), err
}

// newlyAhead are the leases that are ahead and that no entry has noted as they
// are.
func (tx *tx) newlyAhead(ctx context.Context, active []quota.RunInfo) (map[string]time.Time, error) {
	ahead := quota.LeasesAhead(active, tx.now, tx.store.config.lease())
	for _, r := range active {
		if _, ok := ahead[r.ID]; !ok {
			continue
		}
		blocks, err := tx.blocks(ctx, r)
		if err != nil {
			return nil, err
		}
		if _, noted := quota.Noted(blocks, r); noted {
			delete(ahead, r.ID)
		}
	}
	return ahead, nil
}

// info is what the ledger says of itself.
func (tx *tx) info(ctx context.Context) (quota.Info, error) {
	s, info := tx.store, tx.store.info
	var batch pgx.Batch
	batch.Queue(s.names.in("SELECT " + s.lookSQL() + " FROM hsharness.ledger")).QueryRow(tx.look.scan)
	batch.Queue(s.names.in("SELECT " + entryColumns + " FROM hsharness.entry ORDER BY seq DESC LIMIT 1")).Query(func(rows pgx.Rows) error {
		last, err := pgx.CollectRows(rows, entryScanner(info.Allowance))
		if err == nil && len(last) > 0 {
			info.Head = last[0]
		}
		return err
	})
	err := tx.SendBatch(ctx, &batch).Close()
	info.Astray = tx.look.astray()
	return info, err
}

// Info implements [quota.Store].
func (s *store) Info(ctx context.Context) (quota.Info, error) {
	return view(s.quick(ctx, "a look"), s, func(ctx context.Context, tx *tx) (quota.Info, error) { return tx.info(ctx) })
}

// Status implements [quota.Store].
func (s *store) Status(ctx context.Context) (quota.Status, error) {
	return view(s.quick(ctx, "a look at the status"), s, func(ctx context.Context, tx *tx) (quota.Status, error) {
		info, err := tx.info(ctx)
		if err != nil {
			return quota.Status{}, err
		}
		return tx.status(ctx, info)
	})
}

// status is that of what the transaction sees.
func (tx *tx) status(ctx context.Context, info quota.Info) (status quota.Status, err error) {
	b, err := tx.balances(ctx)
	if err != nil {
		return status, err
	}
	active, err := tx.active(ctx)
	if err != nil {
		return status, err
	}
	var burned int64
	err = tx.QueryRow(ctx, "SELECT coalesce(sum(spent), 0)::bigint FROM hsharness.run WHERE "+begunSince, quota.BurnSince(tx.now), tx.now).Scan(&burned)
	if err != nil {
		return status, err
	}
	holders, err := tx.holders(ctx, active)
	if err != nil {
		return status, err
	}
	status = quota.NewStatus(info, tx.now, b, holders, burned)
	if unseen := tx.store.unseen(tx.look.bound); unseen != "" {
		status.Warnings = append(status.Warnings, unseen)
	}
	return status, nil
}

// Runs implements [quota.Store].
func (s *store) Runs(ctx context.Context, limit int) ([]quota.RunInfo, error) {
	var most *int // NULL is all
	if limit > 0 {
		most = &limit
	}
	return view(s.slow(ctx, "a look at the runs"), s, func(ctx context.Context, tx *tx) ([]quota.RunInfo, error) {
		return runs(ctx, tx, "true ORDER BY begun DESC, id DESC LIMIT $1", most)
	})
}

// page is how many entries are read at once.
const page = 512

// Entries implements [quota.Store]. While others write, an entry whose
// transaction is still under way is missing even if later ones are there; those
// of one run are never out of order.
func (s *store) Entries(ctx context.Context, after int64) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for {
			entries, err := view(s.quick(ctx, "a look at the journal"), s, func(ctx context.Context, tx *tx) ([]quota.Entry, error) {
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

// Lookup implements [quota.Store].
func (s *store) Lookup(ctx context.Context, seqs ...int64) ([]quota.Entry, error) {
	return repeat(s.quick(ctx, "a look at the journal"), s, func(ctx context.Context) (a answer[[]quota.Entry], err error) {
		a.value, err = s.entries(ctx, s.pool, "seq = ANY ($1) ORDER BY seq", seqs)
		return a, err
	})
}

// Snapshot implements [quota.Store].
func (s *store) Snapshot(ctx context.Context, use func(quota.Info, iter.Seq2[quota.Entry, error]) error) error {
	if s.closed.Load() {
		return quota.ErrClosed
	}
	c := s.slow(ctx, "a look at the whole journal")
	defer c.end()
	if ctx.Err() != nil {
		return s.noAnswer(c)
	}
	var used error
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(t pgx.Tx) error {
		tx := &tx{Tx: t, store: s, now: s.config.now()}
		// A long journal takes its time, and so may whoever uses it.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		info, err := tx.info(ctx)
		if err != nil {
			return err
		}
		used = use(info, func(yield func(quota.Entry, error) bool) {
			for e, err := range each(ctx, tx, "SELECT "+entryColumns+" FROM hsharness.entry ORDER BY seq", entryScanner(s.info.Allowance)) {
				if !yield(e, s.translate(c, err)) {
					return
				}
			}
		})
		return used
	})
	if used != nil {
		return used
	}
	return s.translate(c, err)
}

// Verify implements [quota.Store].
func (s *store) Verify(ctx context.Context) (quota.Report, error) {
	return view(s.slow(ctx, "a verification"), s, func(ctx context.Context, tx *tx) (report quota.Report, err error) {
		// A long journal takes its time, and keeps no one waiting.
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return report, err
		}
		b, err := tx.balances(ctx)
		if err != nil {
			return report, err
		}
		return quota.Audit(each(ctx, tx, "SELECT "+entryColumns+" FROM hsharness.entry ORDER BY seq", entryScanner(s.info.Allowance)),
			&quota.Claim{Balances: b, Runs: each(ctx, tx, "SELECT "+runColumns+" FROM hsharness.run", scanRun)})
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
