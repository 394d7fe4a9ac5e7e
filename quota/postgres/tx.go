package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// attempts is how often an operation is tried whose outcome is unknown or that
// another transaction undid, and pause the wait before the second; it doubles.
const (
	attempts = 4
	pause    = 50 * time.Millisecond
)

// answer is what a caller is told: a value, or why not. A refusal is no error of
// the database: what was written before it is kept.
type answer[T any] struct {
	value   T
	refusal error
}

func yes[T any](v T) answer[T] { return answer[T]{value: v} }

func no[T any](refusal error) answer[T] { return answer[T]{refusal: refusal} }

// repeat does op until its outcome is known, a few times at most. Op must be
// one that has the same effect done once or twice.
func repeat[T any](c *call, s *store, op func(context.Context) (answer[T], error)) (T, error) {
	defer c.end()
	var zero T
	wait := pause
	for attempt := 1; ; attempt++ {
		if s.closed.Load() {
			return zero, quota.ErrClosed
		}
		if c.ctx.Err() != nil {
			return zero, s.noAnswer(c)
		}
		a, err := op(c.ctx)
		if err == nil {
			return a.value, a.refusal
		}
		if attempt == c.tries || !repeatable(c.ctx, err) {
			return zero, s.translate(c, err)
		}
		if code(err) == uniqueViolation {
			continue // whoever was first is through
		}
		select {
		case <-c.ctx.Done():
			return zero, s.noAnswer(c)
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// tx is a transaction.
type tx struct {
	pgx.Tx
	store *store
	now   time.Time
	last  quota.Entry // the latest that it wrote
	look  look        // at the session and the ledger's place, when it was locked
}

// locked runs op in a transaction that holds the allowance's row, so that one
// at a time does. Rows of runs are locked after it, and only those of active
// ones: whoever holds the row of a run that is over may be waiting for this one.
func locked[T any](c *call, s *store, op func(context.Context, *tx) (answer[T], error)) (T, error) {
	return repeat(c, s, func(ctx context.Context) (a answer[T], err error) {
		tx := &tx{store: s}
		if err := s.going(); err != nil {
			return no[T](err), nil
		}
		err = pgx.BeginFunc(ctx, s.pool, func(t pgx.Tx) error {
			tx.Tx = t
			err := tx.look.scan(tx.QueryRow(ctx, "SELECT "+s.lookSQL()+" FROM hsharness.ledger FOR NO KEY UPDATE"))
			if errors.Is(err, pgx.ErrNoRows) {
				err = s.missing()
			}
			if err == nil {
				err = s.sameMark(tx.look.mark)
			}
			if err != nil {
				return err
			}
			tx.now = s.config.now()
			a, err = op(ctx, tx)
			return err
		})
		if err == nil {
			s.wrote(tx.last)
		}
		return a, err
	})
}

// snapshot is a transaction that sees one state of the ledger.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// view runs op in a transaction that sees one state of the ledger.
func view[T any](c *call, s *store, op func(context.Context, *tx) (T, error)) (T, error) {
	return repeat(c, s, func(ctx context.Context) (a answer[T], err error) {
		err = pgx.BeginTxFunc(ctx, s.pool, snapshot, func(t pgx.Tx) error {
			a.value, err = op(ctx, &tx{Tx: t, store: s, now: s.config.now()})
			return err
		})
		return a, err
	})
}
