package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// Import makes a ledger from the entries of another, entry for entry and under
// the same id, and opens it. It refuses entries that [quota.Checked] does, with a
// [*quota.EntryError], and runs that are still active: their processes would go on with
// the old ledger. There must be none in the schema: [quota.ErrLedgerExists].
func Import(ctx context.Context, config Config, info quota.Info, entries iter.Seq2[quota.Entry, error]) (quota.Store, error) {
	if err := info.Validate(); err != nil {
		return nil, err
	}
	return opened(create(ctx, config, func(ctx context.Context, tx *tx) error {
		var report quota.Report
		c := copier{tx: tx}
		if err := c.copy(ctx, quota.Checked(entries, &report)); err != nil {
			return err
		}
		if report.Entries == 0 {
			return own(errors.New("there are no entries, and a ledger has at least its first grant"))
		}
		for _, r := range report.Runs {
			if r.State == quota.Active {
				return own(&quota.RunsActiveError{Run: r.ID})
			}
			r.LeaseUntil = r.Over // leases are not journaled
			if err := tx.insertRun(ctx, r); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "SELECT setval(pg_get_serial_sequence($1, 'seq'), $2)", tx.store.names.in("hsharness.entry"), report.Head); err != nil {
			return err
		}
		return tx.insertLedger(ctx, info, report.Balances)
	}))
}

// copier writes entries as they are, a page at a time.
type copier struct {
	tx   *tx
	rows [][]any
}

// copy writes all entries.
func (c *copier) copy(ctx context.Context, entries iter.Seq2[quota.Entry, error]) error {
	for e, err := range entries {
		if err != nil {
			return own(err) // of the other ledger
		}
		if err := c.add(ctx, e); err != nil {
			return err
		}
	}
	return c.flush(ctx)
}

func (c *copier) add(ctx context.Context, e quota.Entry) error {
	values, err := entryValues(e)
	if err != nil {
		return own(err)
	}
	if c.rows = append(c.rows, values); len(c.rows) < page {
		return nil
	}
	return c.flush(ctx)
}

func (c *copier) flush(ctx context.Context) error {
	_, err := c.tx.CopyFrom(ctx, pgx.Identifier{c.tx.store.names.schema, "entry"}, entryNames, pgx.CopyFromRows(c.rows))
	c.rows = c.rows[:0]
	return err
}
