package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Import makes a ledger from the entries of another, entry for entry and under
// the same id, and opens it. It refuses entries that [quota.Audit] finds a
// problem in, and runs that are still active: their processes would go on with
// the old ledger. The file must not be there: [quota.ErrLedgerExists].
func Import(ctx context.Context, config Config, info quota.Info, entries iter.Seq2[quota.Entry, error]) (*Store, error) {
	return create(ctx, config, func(c *conn, _ time.Time) error {
		report, err := quota.Audit(copying(c, entries), nil)
		if err != nil {
			return err
		}
		if len(report.Problems) > 0 {
			return fmt.Errorf("the entries don't add up: %s", report.Problems[0])
		}
		if report.Entries == 0 {
			return errors.New("there are no entries, and a ledger has at least its first grant")
		}
		for _, r := range report.Runs {
			if r.State == quota.Active {
				return quota.StillActive(r.ID)
			}
			if err := c.insertRun(r); err != nil {
				return err
			}
		}
		return c.insertLedger(info, report.Balances)
	})
}

// copying writes each entry on its way.
func copying(c *conn, entries iter.Seq2[quota.Entry, error]) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for e, err := range entries {
			if err == nil {
				if err = c.insertEntry(e); err != nil {
					err = errors.Join(fmt.Errorf("entry %d", e.Seq), err)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
