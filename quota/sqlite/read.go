package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// crowd is what the active runs of one process add up to.
type crowd struct {
	process              quota.Process
	spent, held, unknown int64
	lease, latest        time.Time // the first to pass, and the last
}

// balances reads the figures of the allowance, with what the active runs add to
// them, by process: an admission needs no more, and there may be a thousand runs.
func (c *conn) balances() (b quota.Balances, crowds []crowd, err error) {
	err = c.query("SELECT granted, base, unknown, floor, exhausted FROM ledger", func(s *sqlite3.Stmt) error {
		b = quota.Balances{Granted: s.ColumnInt64(0), Spent: s.ColumnInt64(1), Unknown: s.ColumnInt64(2), Floor: s.ColumnInt64(3), Exhausted: s.ColumnBool(4)}
		return nil
	})
	if err == nil && b.Exhausted {
		_, b.Bar, err = c.barred("")
	}
	if err != nil {
		return b, nil, err
	}
	err = c.query(`SELECT host, pid, process_start, sum(spent), sum(max - spent), sum(unknown), min(lease_until), max(lease_until) FROM run
		WHERE state = 'active' GROUP BY host, pid, process_start`, func(s *sqlite3.Stmt) error {
		crowds = append(crowds, crowd{
			quota.Process{Host: s.ColumnText(0), PID: s.ColumnInt(1), Start: s.ColumnText(2)},
			s.ColumnInt64(3), s.ColumnInt64(4), s.ColumnInt64(5), fromMicros(s.ColumnInt64(6)), fromMicros(s.ColumnInt64(7)),
		})
		return nil
	})
	for _, p := range crowds {
		b.Spent += p.spent
		b.Held += p.held
		b.Unknown += p.unknown
	}
	return b, crowds, err
}

// active reads the active runs, oldest first.
func (c *conn) active() ([]quota.RunInfo, error) {
	return c.runs("state = 'active' ORDER BY begun, id")
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
func (s *store) holders(c *conn, active []quota.RunInfo, now time.Time) ([]quota.Holder, error) {
	alive := s.alive(now)
	holders := make([]quota.Holder, 0, len(active))
	for _, r := range active {
		unrenewed, err := s.unrenewed(c, r, now)
		if err != nil {
			return nil, err
		}
		holders = append(holders, quota.NewHolder(r, alive(r) && !unrenewed, now, s.config.lease()))
	}
	return holders, nil
}

// blocks are the refusals since a run began that are not dated later than now.
func (c *conn) blocks(r quota.RunInfo, now time.Time) ([]quota.Entry, error) {
	return c.entries("", `kind = 'block' AND at <= ? AND seq > (SELECT seq FROM entry
		WHERE (kind = 'begin' OR kind = 'hold' OR kind = 'end' OR kind = 'expire') AND run = ? AND kind = 'begin')`, micros(now), r.ID)
}

// unrenewed tells whether the lease of r is ahead and nobody renews it. It asks
// the journal only where the lease is ahead.
func (s *store) unrenewed(c *conn, r quota.RunInfo, now time.Time) (bool, error) {
	lease := s.config.lease()
	if !quota.LeaseAhead(r.LeaseUntil, now, lease) {
		return false, nil
	}
	blocks, err := c.blocks(r, now)
	return quota.Unrenewed(blocks, r, now, lease), err
}

// read runs f in a read transaction, so that it sees one state of the ledger.
func (s *store) read(ctx context.Context, f func(*conn) error) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return quota.ErrClosed
	}
	return s.view(ctx, s.reader, f)
}

// view runs f in a read transaction of c.
func (s *store) view(ctx context.Context, c *conn, f func(*conn) error) error {
	began := time.Now()
	if ctx.Err() != nil {
		return s.noAnswer(ctx, began)
	}
	c.until(ctx)
	err := c.exec("BEGIN")
	if err == nil {
		err = f(c)
	}
	if err == nil {
		err = c.sleeps()
	}
	c.until(context.Background())
	c.rollback() // it only read
	if err != nil && ctx.Err() != nil {
		return s.noAnswer(ctx, began)
	}
	if errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.TOOBIG) || err != nil && overflows(err) {
		return fmt.Errorf("read ledger %s: %w", s.path, s.explain(err))
	}
	return err
}

// noAnswer is the error of a call whose context ended first.
func (s *store) noAnswer(ctx context.Context, began time.Time) error {
	return &quota.NoAnswerError{Ledger: s.path, Waited: time.Since(began), Err: ctx.Err()}
}

// head is the latest entry.
func (c *conn) head(allowance string) (quota.Entry, error) {
	last, err := c.entries(allowance, "seq = (SELECT max(seq) FROM entry)")
	if err != nil {
		return quota.Entry{}, err
	}
	if len(last) == 0 { // Init wrote one at least
		return quota.Entry{}, fmt.Errorf("%w: its journal has no entry", quota.ErrDamaged)
	}
	return last[0], nil
}

// Info implements [quota.Store].
func (s *store) Info(ctx context.Context) (quota.Info, error) {
	info := s.info
	s.mu.Lock()
	poisoned := s.poisoned
	s.mu.Unlock()
	if poisoned != nil { // it is asked before units are drawn, and none ever is
		return info, poisoned
	}
	err := s.read(ctx, func(c *conn) (err error) {
		info.Head, err = c.head(info.Allowance)
		return err
	})
	return info, err
}

// Status implements [quota.Store].
func (s *store) Status(ctx context.Context) (status quota.Status, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		status, err = s.status(c, s.config.now())
		return err
	})
	return status, err
}

// status is that of a moment, in a transaction that reads.
func (s *store) status(c *conn, now time.Time) (quota.Status, error) {
	info := s.info
	var err error
	if info.Head, err = c.head(info.Allowance); err != nil {
		return quota.Status{}, err
	}
	b, _, err := c.balances()
	if err != nil {
		return quota.Status{}, err
	}
	active, err := c.active()
	if err != nil {
		return quota.Status{}, err
	}
	burned, err := c.number("SELECT sum(spent) FROM run WHERE "+begunSince, micros(quota.BurnSince(now)), micros(now))
	if err != nil {
		return quota.Status{}, err
	}
	holders, err := s.holders(c, active, now)
	if err != nil {
		return quota.Status{}, err
	}
	return quota.NewStatus(info, now, b, holders, burned), nil
}

// Runs implements [quota.Store].
func (s *store) Runs(ctx context.Context, limit int) (runs []quota.RunInfo, err error) {
	if limit <= 0 {
		limit = -1
	}
	err = s.read(ctx, func(c *conn) (err error) {
		runs, err = c.runs("true ORDER BY begun DESC, id DESC LIMIT ?", int64(limit))
		return err
	})
	return runs, err
}

// page is how many entries are read at once.
const page = 512

// Entries implements [quota.Store].
func (s *store) Entries(ctx context.Context, after int64) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		for {
			var entries []quota.Entry
			err := s.read(ctx, func(c *conn) (err error) {
				entries, err = c.entries(s.info.Allowance, "seq > ? ORDER BY seq LIMIT ?", after, int64(page))
				return err
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
func (s *store) Lookup(ctx context.Context, seqs ...int64) (found []quota.Entry, err error) {
	err = s.read(ctx, func(c *conn) error {
		for _, seq := range slices.Sorted(slices.Values(seqs)) {
			one, err := c.entries(s.info.Allowance, "seq = ?", seq)
			if err != nil {
				return err
			}
			found = append(found, one...)
		}
		return nil
	})
	return found, err
}

// each goes through the rows of a statement.
func each[T any](c *conn, sql string, scan func(*sqlite3.Stmt) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := c.query(sql, func(s *sqlite3.Stmt) error {
			v, err := scan(s)
			if err != nil {
				return err
			}
			if !yield(v, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			var zero T
			yield(zero, err)
		}
	}
}
