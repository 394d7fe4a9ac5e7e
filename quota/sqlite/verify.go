package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// Snapshot implements [quota.Store].
func (s *store) Snapshot(ctx context.Context, use func(quota.Info, iter.Seq2[quota.Entry, error]) error) error {
	return s.aside(ctx, func(c *conn) error {
		info, err := s.info, error(nil)
		if info.Head, err = c.head(info.Allowance); err != nil {
			return err
		}
		return use(info, each(c, "SELECT "+entryColumns+" FROM entry ORDER BY seq", func(st *sqlite3.Stmt) (quota.Entry, error) {
			e, err := scanEntry(st)
			e.Allowance = info.Allowance
			return e, err
		}))
	})
}

// aside reads one state over a connection of its own, so that a long journal
// keeps no one waiting.
func (s *store) aside(ctx context.Context, f func(*conn) error) error {
	if err := s.read(ctx, func(*conn) error { return nil }); err != nil {
		return err
	}
	c, err := s.connectToRead(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.view(ctx, c, f), c.close())
}

// Verify implements [quota.Store]. It reads over a connection of its own, so
// that a long journal keeps no one waiting.
func (s *store) Verify(ctx context.Context) (report quota.Report, err error) {
	if err := s.read(ctx, func(*conn) error { return nil }); err != nil {
		return report, err
	}
	c, err := s.connectToRead(ctx)
	if err != nil {
		return report, err
	}
	err = s.view(ctx, c, func(c *conn) error {
		b, _, err := c.balances()
		if err != nil {
			return err
		}
		report, err = quota.Audit(each(c, "SELECT "+entryColumns+" FROM entry ORDER BY seq", scanEntry),
			&quota.Claim{Balances: b, Runs: each(c, "SELECT "+runColumns+" FROM run", func(s *sqlite3.Stmt) (quota.RunInfo, error) {
				return scanRun(s), nil
			})})
		if err != nil {
			return err
		}
		found, err := c.text("PRAGMA quick_check(1)")
		if err == nil && found != "ok" {
			report.Problems = append(report.Problems, "the file is damaged: "+found)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("verify ledger %s: %w", s.path, err)
	}
	return report, errors.Join(err, c.close())
}

var errStop = errors.New("stop")
