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
// the same id, and opens it. It refuses entries that [quota.Checked] does, with a
// [*quota.EntryError], and runs that are still active: their processes would go on with
// the old ledger. The file must not be there: [quota.ErrLedgerExists].
func Import(ctx context.Context, config Config, info quota.Info, entries iter.Seq2[quota.Entry, error]) (quota.Store, error) {
	if err := info.Validate(); err != nil {
		return nil, err
	}
	return opened(create(ctx, config, func(c *conn, _ time.Time) error {
		var report quota.Report
		for e, err := range quota.Checked(entries, &report) {
			if err != nil {
				return err
			}
			if err := c.insertEntry(e); err != nil {
				return errors.Join(fmt.Errorf("entry %d", e.Seq), err)
			}
		}
		if report.Entries == 0 {
			return errors.New("there are no entries, and a ledger has at least its first grant")
		}
		for _, r := range report.Runs {
			if r.State == quota.Active {
				return &quota.RunsActiveError{Run: r.ID}
			}
			if err := c.insertRun(r); err != nil {
				return err
			}
		}
		return c.insertLedger(info, report.Balances)
	}))
}
