package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

var _ notice.Store = (*store)(nil)

const noticeColumns = "id, hook, mark, rule, epoch, noted, seq, granted, spent, held, floor, armed, tries, why, next"

// noticeTx is a [notice.Tx]. It holds the allowance's row: whatever grants,
// reconciles, blocks or notes waits.
type noticeTx struct {
	*tx
	ctx context.Context
}

// NoteNotices implements [notice.Store].
func (s *store) NoteNotices(ctx context.Context, hooks []notice.Hook) error {
	_, err := locked(s.quick(ctx, "noting what is to be told"), s, func(ctx context.Context, tx *tx) (answer[struct{}], error) {
		return answer[struct{}]{}, notice.Note(noticeTx{tx, ctx}, hooks)
	})
	return err
}

// Moment implements [notice.Tx].
func (tx noticeTx) Moment() (notice.Moment, error) {
	b, err := tx.balances(tx.ctx)
	if err != nil {
		return notice.Moment{}, err
	}
	m := notice.Moment{
		Time: tx.now, Ledger: tx.store.info.LedgerID, Granted: b.Granted, Spent: b.Spent, Held: b.Held, Floor: b.Floor,
		Exhausted: b.Exhausted && b.Bar == (quota.Bar{}),
	}
	return m, tx.QueryRow(tx.ctx, "SELECT max(seq) FROM hsharness.entry").Scan(&m.Seq)
}

// Seen implements [notice.Tx].
func (tx noticeTx) Seen(hook string) (m notice.Moment, known bool, err error) {
	err = tx.QueryRow(tx.ctx, "SELECT seen, floor, exhausted FROM hsharness.notice_hook WHERE hook = $1", hook).Scan(&m.Seq, &m.Floor, &m.Exhausted)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

// See implements [notice.Tx].
func (tx noticeTx) See(hook string, m notice.Moment) error {
	_, err := tx.Exec(tx.ctx, `INSERT INTO hsharness.notice_hook (hook, seen, floor, exhausted) VALUES ($1, $2, $3, $4)
		ON CONFLICT (hook) DO UPDATE SET seen = excluded.seen, floor = excluded.floor, exhausted = excluded.exhausted`, hook, m.Seq, m.Floor, m.Exhausted)
	return err
}

// Changes implements [notice.Tx].
func (tx noticeTx) Changes(after int64) ([]quota.Entry, error) {
	return tx.store.entries(tx.ctx, tx, "seq > $1 AND kind IN ('grant', 'reconcile', 'exhaust', 'block') ORDER BY seq", after)
}

// SpentAt implements [notice.Tx]. It is one statement: spends don't wait for this
// transaction.
func (tx noticeTx) SpentAt(seq int64) (spent int64, err error) {
	err = tx.QueryRow(tx.ctx, `SELECT base + (SELECT coalesce(sum(spent), 0)::bigint FROM hsharness.run WHERE over IS NULL)
		- (SELECT coalesce(sum(CASE kind WHEN 'refund' THEN -units ELSE units END), 0)::bigint FROM hsharness.entry
			WHERE seq > $1 AND kind IN ('spend', 'refund', 'reconcile')) FROM hsharness.ledger`, seq).Scan(&spent)
	return spent, err
}

func scanNotice(row pgx.CollectableRow) (n notice.Notice, err error) {
	err = row.Scan(&n.ID, &n.Hook, &n.Mark, &n.Rule, &n.Epoch, moment{&n.At.Time}, &n.At.Seq, &n.At.Granted, &n.At.Spent, &n.At.Held, &n.At.Floor,
		&n.Armed, &n.Tries, &n.Why, moment{&n.Next})
	if err == nil {
		err = fits("notice", n.ID, len(n.Hook), len(n.Why))
	}
	return n, err
}

func (tx *tx) notices(ctx context.Context, where string, args ...any) ([]notice.Notice, error) {
	rows, err := tx.Query(ctx, "SELECT "+noticeColumns+" FROM hsharness.notice WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanNotice)
}

// Latest implements [notice.Tx].
func (tx noticeTx) Latest(hook string, mark notice.Mark, rule string, upto int64) (notice.Notice, bool, error) {
	found, err := tx.notices(tx.ctx, "hook = $1 AND mark = $2 AND rule = $3 AND epoch <= $4 ORDER BY epoch DESC LIMIT 1", hook, string(mark), rule, upto)
	if err != nil || len(found) == 0 {
		return notice.Notice{}, false, err
	}
	return found[0], true, nil
}

// Insert implements [notice.Tx].
func (tx noticeTx) Insert(n notice.Notice) error {
	_, err := tx.Exec(tx.ctx, "INSERT INTO hsharness.notice ("+noticeColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL)",
		n.ID, n.Hook, string(n.Mark), n.Rule, n.Epoch, n.At.Time, n.At.Seq, n.At.Granted, n.At.Spent, n.At.Held, n.At.Floor, n.Armed, n.Tries, n.Why)
	return err
}

// Arm implements [notice.Tx].
func (tx noticeTx) Arm(id string, seq int64) error {
	_, err := tx.Exec(tx.ctx, "UPDATE hsharness.notice SET armed = $2 WHERE id = $1", id, seq)
	return err
}

// ClaimNotice implements [notice.Store]. A claim whose commit nobody heard of passes with its
// lease.
func (s *store) ClaimNotice(ctx context.Context, hooks []string, by string, lease time.Duration) (notice.Notice, bool, error) {
	found, err := locked(s.quick(ctx, "claiming a notice"), s, func(ctx context.Context, tx *tx) (a answer[[]notice.Notice], err error) {
		due, err := tx.notices(ctx, `delivered IS NULL AND hook = ANY($1) AND (next IS NULL OR next <= $2)
			AND (claimed_until IS NULL OR claimed_until <= $2) ORDER BY tries, noted, id LIMIT 1`, hooks, tx.now)
		if err != nil || len(due) == 0 {
			return a, err
		}
		_, err = tx.Exec(ctx, "UPDATE hsharness.notice SET claimed_by = $2, claimed_until = $3 WHERE id = $1", due[0].ID, by, tx.now.Add(lease))
		return yes(due), err
	})
	if err != nil || len(found) == 0 {
		return notice.Notice{}, false, err
	}
	return found[0], true, nil
}

// SettleNotice implements [notice.Store].
func (s *store) SettleNotice(ctx context.Context, o notice.Outcome) error {
	_, err := locked(s.quick(ctx, "settling a notice"), s, func(ctx context.Context, tx *tx) (a answer[struct{}], err error) {
		if o.Delivered {
			_, err = tx.Exec(ctx, "UPDATE hsharness.notice SET delivered = $2, tries = tries + 1 WHERE id = $1 AND delivered IS NULL", o.ID, tx.now)
			return a, err
		}
		_, err = tx.Exec(ctx, `UPDATE hsharness.notice SET tries = tries + 1, why = $3, next = $4, claimed_until = NULL
			WHERE id = $1 AND claimed_by = $2 AND delivered IS NULL`, o.ID, o.By, o.Why, tx.now.Add(o.Wait))
		return a, err
	})
	return err
}

// Undelivered implements [notice.Store].
func (s *store) Undelivered(ctx context.Context) ([]notice.Notice, error) {
	return view(s.quick(ctx, "a look"), s, func(ctx context.Context, tx *tx) ([]notice.Notice, error) {
		return tx.notices(ctx, "delivered IS NULL ORDER BY noted, id")
	})
}
