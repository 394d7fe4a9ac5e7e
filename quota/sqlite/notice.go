package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

var _ notice.Store = (*store)(nil)

// sumSpent is what entries add to what is spent, of those that a condition selects.
const sumSpent = "SELECT coalesce(sum(CASE kind WHEN 'refund' THEN -units ELSE units END), 0) FROM entry WHERE (kind = 'spend' OR kind = 'refund' OR kind = 'reconcile')"

const noticeColumns = "id, hook, mark, rule, epoch, noted, seq, granted, spent, held, floor, armed, tries, why, next"

// noticeTx is a [notice.Tx].
type noticeTx struct{ *tx }

// NoteNotices implements [notice.Store].
func (s *store) NoteNotices(ctx context.Context, hooks []notice.Hook) error {
	_, err := write(ctx, s, func(tx *tx) (struct{}, error) { return struct{}{}, notice.Note(noticeTx{tx}, hooks) })
	return err
}

// Moment implements [notice.Tx].
func (tx noticeTx) Moment() (notice.Moment, error) {
	b, _, err := tx.balances()
	if err != nil {
		return notice.Moment{}, err
	}
	head, err := tx.number("SELECT max(seq) FROM entry")
	return notice.Moment{
		Time: tx.now, Ledger: tx.store.info.LedgerID, Seq: head, Granted: b.Granted, Spent: b.Spent, Held: b.Held, Floor: b.Floor,
		Exhausted: b.Exhausted && b.Bar == (quota.Bar{}),
	}, err
}

// Seen implements [notice.Tx].
func (tx noticeTx) Seen(hook string) (m notice.Moment, known bool, err error) {
	err = tx.query("SELECT seen, floor, exhausted FROM notice_hook WHERE hook = ?", func(s *sqlite3.Stmt) error {
		m, known = notice.Moment{Seq: s.ColumnInt64(0), Floor: s.ColumnInt64(1), Exhausted: s.ColumnBool(2)}, true
		return nil
	}, hook)
	return m, known, err
}

// See implements [notice.Tx].
func (tx noticeTx) See(hook string, m notice.Moment) error {
	return tx.exec("INSERT OR REPLACE INTO notice_hook(hook, seen, floor, exhausted) VALUES (?, ?, ?, ?)", hook, m.Seq, m.Floor, m.Exhausted)
}

// Changes implements [notice.Tx].
func (tx noticeTx) Changes(after int64) ([]quota.Entry, error) {
	return tx.entries(tx.allowance, "seq > ? AND (kind = 'grant' OR kind = 'reconcile' OR kind = 'exhaust' OR kind = 'block') ORDER BY seq", after)
}

// SpentAt implements [notice.Tx].
func (tx noticeTx) SpentAt(seq int64) (int64, error) {
	b, _, err := tx.balances()
	if err != nil {
		return 0, err
	}
	later, err := tx.number(sumSpent+" AND seq > ?", seq)
	return b.Spent - later, err
}

func scanNotice(s *sqlite3.Stmt) notice.Notice {
	return notice.Notice{
		ID: s.ColumnText(0), Hook: s.ColumnText(1), Mark: notice.Mark(s.ColumnText(2)), Rule: s.ColumnText(3), Epoch: s.ColumnInt64(4),
		At: notice.Moment{
			Time: fromMicros(s.ColumnInt64(5)), Seq: s.ColumnInt64(6),
			Granted: s.ColumnInt64(7), Spent: s.ColumnInt64(8), Held: s.ColumnInt64(9), Floor: s.ColumnInt64(10),
		},
		Armed: s.ColumnInt64(11), Tries: s.ColumnInt64(12), Why: s.ColumnText(13), Next: fromMicros(s.ColumnInt64(14)),
	}
}

func (c *conn) notices(where string, args ...any) (all []notice.Notice, err error) {
	err = c.query("SELECT "+noticeColumns+" FROM notice WHERE "+where, func(s *sqlite3.Stmt) error {
		all = append(all, scanNotice(s))
		return nil
	}, args...)
	return all, err
}

// Latest implements [notice.Tx].
func (tx noticeTx) Latest(hook string, mark notice.Mark, rule string, upto int64) (notice.Notice, bool, error) {
	found, err := tx.notices("hook = ? AND mark = ? AND rule = ? AND epoch <= ? ORDER BY epoch DESC LIMIT 1", hook, string(mark), rule, upto)
	if err != nil || len(found) == 0 {
		return notice.Notice{}, false, err
	}
	return found[0], true, nil
}

// Insert implements [notice.Tx].
func (tx noticeTx) Insert(n notice.Notice) error {
	return tx.exec("INSERT INTO notice("+noticeColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		n.ID, n.Hook, string(n.Mark), n.Rule, n.Epoch, micros(n.At.Time), n.At.Seq, n.At.Granted, n.At.Spent, n.At.Held, n.At.Floor,
		n.Armed, n.Tries, n.Why, micros(n.Next))
}

// Arm implements [notice.Tx].
func (tx noticeTx) Arm(id string, seq int64) error {
	return tx.exec("UPDATE notice SET armed = ? WHERE id = ?", seq, id)
}

// ClaimNotice implements [notice.Store].
func (s *store) ClaimNotice(ctx context.Context, hooks []string, by string, lease time.Duration) (notice.Notice, bool, error) {
	found, err := write(ctx, s, func(tx *tx) ([]notice.Notice, error) {
		due, err := tx.notices("delivered = 0 AND next <= ?1 AND claimed_until <= ?1 ORDER BY tries, noted, rowid", micros(tx.now))
		if err != nil {
			return nil, err
		}
		for _, n := range due {
			for _, hook := range hooks {
				if n.Hook == hook {
					return []notice.Notice{n}, tx.exec("UPDATE notice SET claimed_by = ?, claimed_until = ? WHERE id = ?", by, micros(tx.now.Add(lease)), n.ID)
				}
			}
		}
		return nil, nil
	})
	if err != nil || len(found) == 0 {
		return notice.Notice{}, false, err
	}
	return found[0], true, nil
}

// SettleNotice implements [notice.Store].
func (s *store) SettleNotice(ctx context.Context, o notice.Outcome) error {
	_, err := write(ctx, s, func(tx *tx) (struct{}, error) {
		if o.Delivered {
			return struct{}{}, tx.exec("UPDATE notice SET delivered = ?, tries = tries + 1 WHERE id = ? AND delivered = 0", micros(tx.now), o.ID)
		}
		return struct{}{}, tx.exec("UPDATE notice SET tries = tries + 1, why = ?, next = ?, claimed_until = 0 WHERE id = ? AND claimed_by = ? AND delivered = 0",
			o.Why, micros(tx.now.Add(o.Wait)), o.ID, o.By)
	})
	return err
}

// Undelivered implements [notice.Store].
func (s *store) Undelivered(ctx context.Context) (all []notice.Notice, err error) {
	err = s.read(ctx, func(c *conn) error {
		version, err := c.number("PRAGMA user_version")
		if err != nil || version < 2 { // who only reads takes a ledger as it is
			return err
		}
		all, err = c.notices("delivered = 0 ORDER BY noted, rowid")
		return err
	})
	return all, err
}
