package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

// spendSQL is the compare-and-set that makes the ledger its own fence: whoever
// expires this run and whoever spends on it write the same row, one after the
// other. Where two calls bring the same id at once, neither sees the other's
// entry, and the index refuses the second. It writes in a session alone that still
// is what was set up, and to the table that was found at home. The table is asked for
// by its name, which can't lead elsewhere while it is locked: the row's own
// tableoid is not there any more, on a table with triggers, where the row is read
// again because another spend changed it meanwhile.
const spendSQL = `WITH spent AS (
	UPDATE hsharness.run SET spent = spent + $3
	WHERE id = $2 AND state = 'active' AND lease_until > $1 AND spent + $3 <= max
		AND ` + markSQL + ` = $9 AND to_regclass('hsharness.run')::oid::bigint = $10
		AND NOT EXISTS (SELECT FROM hsharness.entry WHERE kind = 'spend' AND id = $4)
	RETURNING id)
INSERT INTO hsharness.entry (at, run, kind, units, id, operation, request_key, test, owner)
SELECT $1, id, 'spend', $3, $4, $5, $6, $7, $8 FROM spent RETURNING seq`

// lockSQL locks the runs of spends. It is a statement of its own
// before those that look at the outcomes, which see what was committed before
// they begin.
const lockSQL = `SELECT FROM hsharness.run WHERE id = ANY (ARRAY (SELECT run FROM hsharness.entry WHERE kind = 'spend' AND id = ANY ($1))) ORDER BY id FOR NO KEY UPDATE`

// lockLateSQL locks the allowance, before any run, if a late answer to a run that
// is over may change it.
const lockLateSQL = `SELECT FROM hsharness.ledger WHERE EXISTS (SELECT FROM hsharness.entry AS spend JOIN hsharness.run ON run.id = spend.run
	WHERE spend.kind = 'spend' AND spend.id = ANY ($1) AND run.state <> 'active') FOR NO KEY UPDATE`

// settleSQL notes what became of a spend if [quota.Settlement.Settles] allows
// it, and changes the figures that the outcome changes: none for the usual one,
// an answer to an open spend.
const settleSQL = `WITH ok AS (
	SELECT spend.run, spend.units, run.state, coalesce(last.outcome, '') AS before
	FROM hsharness.entry AS spend JOIN hsharness.run ON run.id = spend.run LEFT JOIN LATERAL (
		SELECT outcome FROM hsharness.entry WHERE kind IN ('settle', 'refund') AND id = $2 ORDER BY seq DESC LIMIT 1) AS last ON true
	WHERE spend.kind = 'spend' AND spend.id = $2
		AND (last.outcome IS NULL OR last.outcome = 'unknown' AND $4 = 'answered')
		AND ($4 <> 'refunded' OR run.state = 'active' AND run.lease_until > $1)
), counted AS (
	UPDATE hsharness.run SET spent = spent - CASE WHEN $4 = 'refunded' THEN ok.units ELSE 0 END,
		unknown = unknown + CASE WHEN $4 = 'unknown' THEN ok.units WHEN ok.before = 'unknown' THEN -ok.units ELSE 0 END
	FROM ok WHERE run.id = ok.run AND ($4 <> 'answered' OR ok.before = 'unknown')
), late AS (
	UPDATE hsharness.ledger SET unknown = unknown - ok.units FROM ok WHERE ok.before = 'unknown' AND ok.state <> 'active'
)
INSERT INTO hsharness.entry (at, run, kind, units, id, outcome, status, duration_ms, bytes, note)
SELECT $1, run, $3, units, $2, $4, $5, $6, $7, $8 FROM ok`

// settleOwnSQL notes, behind a spend that this very transaction wrote and that so
// has the row of its run, an answer to an open spend of that run. It is what
// settles nearly always, it changes no figure, and it needs no lock of its own. A
// spend that an earlier transaction wrote, whose commit was not heard of, has no
// row any more: somebody may be settling there, unseen.
const settleOwnSQL = `INSERT INTO hsharness.entry (at, run, kind, units, id, outcome, status, duration_ms, bytes, note)
SELECT $1, run, 'settle', units, id, 'answered', $3, $4, $5, $6 FROM hsharness.entry AS spend
WHERE kind = 'spend' AND id = $2 AND run = $7
	AND EXISTS (SELECT FROM hsharness.entry WHERE kind = 'spend' AND id = $8 AND xmin = pg_current_xact_id_if_assigned()::xid)
	AND NOT EXISTS (SELECT FROM hsharness.entry AS later WHERE later.kind IN ('settle', 'refund') AND later.id = spend.id)`

// Spend implements [quota.Store].
func (s *store) Spend(ctx context.Context, spec quota.SpendSpec, settled ...quota.Settlement) (quota.Entry, error) {
	if err := spec.Validate(); err != nil {
		return quota.Entry{}, err
	}
	owner := rand.Text() // of this call: only it may send
	return repeat(s.quick(ctx, "a spend of run "+spec.Run), s, func(ctx context.Context) (answer[quota.Entry], error) {
		if err := s.going(); err != nil {
			return no[quota.Entry](err), nil
		}
		return s.spend(ctx, spec, owner, settled)
	})
}

// spend writes spend and settlements. What the spend can't settle in passing is
// settled by itself, before the spend where that may need the units of a refund.
func (s *store) spend(ctx context.Context, spec quota.SpendSpec, owner string, settled []quota.Settlement) (answer[quota.Entry], error) {
	var simple, other []quota.Settlement
	for _, st := range settled {
		if st.Outcome == quota.Answered && st.Validate() == nil {
			simple = append(simple, st)
		} else {
			other = append(other, st)
		}
	}
	if len(other) > 0 {
		if _, err := s.settle(ctx, other); err != nil {
			return answer[quota.Entry]{}, err
		}
	}
	w := &writing{owner: owner, settled: simple, entry: quota.Entry{
		Allowance: s.info.Allowance, Run: spec.Run, Kind: quota.KindSpend, Units: spec.Units, ID: spec.ID,
		Operation: spec.Operation, RequestKey: spec.RequestKey, Test: spec.Test,
	}}
	if err := s.write(ctx, w); err != nil {
		return answer[quota.Entry]{}, err
	}
	if len(w.left) > 0 {
		_, _ = s.settle(ctx, w.left) // one that is lost leaves a spent unit
	}
	if w.entry.Seq == 0 {
		return s.refuse(ctx, spec, owner, w.entry.Time)
	}
	return yes(w.entry), nil
}

// writeAlone writes one spend in one round trip, which the server runs and commits as one
// transaction.
func (s *store) writeAlone(ctx context.Context, w *writing) error {
	e := &w.entry
	e.Time = s.config.now()
	var batch pgx.Batch
	batch.Queue(s.names.in(spendSQL), e.Time, e.Run, e.Units, e.ID, e.Operation, e.RequestKey, e.Test, w.owner, s.wantMark(), s.runTable.Load()).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&e.Seq); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
	for _, st := range w.settled {
		batch.Queue(s.names.in(settleOwnSQL), e.Time, st.Spend, int64(st.Status), st.DurationMS, st.Bytes, st.Note, e.Run, e.ID).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				w.left = append(w.left, st)
			}
			return nil
		})
	}
	if err := s.sendSpend(ctx, &batch); err != nil {
		return err
	}
	if e.Seq != 0 {
		s.wrote(*e)
	}
	return nil
}

// sendSpend sends the batch of a spend on a connection that leads to the ledger's
// home, and waits for the commit: only then is the entry there.
func (s *store) sendSpend(ctx context.Context, batch *pgx.Batch) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := s.spendable(ctx, conn.Conn()); err != nil {
		return err
	}
	return conn.SendBatch(ctx, batch).Close()
}

func spendsOf(settled []quota.Settlement) []string {
	ids := make([]string, 0, len(settled))
	for _, st := range settled {
		ids = append(ids, st.Spend)
	}
	return ids
}

// queueSettle queues the settlements that are right in themselves, and returns
// where each will say how many entries it made.
func (s *store) queueSettle(batch *pgx.Batch, now time.Time, settled []quota.Settlement) []*pgx.QueuedQuery {
	batch.Queue(s.names.in(lockSQL), spendsOf(settled))
	queued := make([]*pgx.QueuedQuery, len(settled))
	for i, st := range settled {
		if st.Validate() == nil {
			e := st.Entry(quota.Entry{})
			queued[i] = batch.Queue(s.names.in(settleSQL), now, st.Spend, string(e.Kind), string(e.Outcome), int64(e.Status), e.DurationMS, e.Bytes, e.Note)
		}
	}
	return queued
}

// refuse finds out why the compare-and-set of a spend changed nothing. An entry
// of this very call is the commit whose answer was lost: nothing was sent on it.
func (s *store) refuse(ctx context.Context, spec quota.SpendSpec, owner string, now time.Time) (a answer[quota.Entry], err error) {
	var l look
	if err := l.scan(s.pool.QueryRow(ctx, "SELECT "+s.lookSQL()+" FROM hsharness.ledger")); err != nil {
		return a, err
	}
	if err := s.found(&l); err != nil {
		return a, err
	}
	known, ok, err := s.once(ctx, s.pool, spec.ID, quota.KindSpend)
	if err != nil {
		return a, err
	}
	if ok {
		var mine bool
		if err := s.pool.QueryRow(ctx, "SELECT owner = $1 FROM hsharness.entry WHERE seq = $2", owner, known.Seq).Scan(&mine); err != nil {
			return a, err
		}
		switch {
		case mine:
			s.wrote(known)
			return yes(known), nil
		case !spec.Matches(known):
			return no[quota.Entry](fmt.Errorf("spend %s: %w", spec.ID, quota.ErrConflict)), nil
		}
		return answer[quota.Entry]{known, fmt.Errorf("spend %s: %w", spec.ID, quota.ErrSpent)}, nil
	}
	r, refusal, err := run(ctx, s.pool, spec.Run)
	if err != nil {
		return a, err
	}
	if refusal == nil {
		refusal = living(r, now)
	}
	if refusal == nil && spec.Units > r.Held() {
		refusal = &quota.HoldUsedError{Run: r.ID, Requested: spec.Units, Max: r.Max, Spent: r.Spent}
	}
	if refusal != nil {
		return no[quota.Entry](refusal), nil
	}
	return a, errMoved
}

// Settle implements [quota.Store].
func (s *store) Settle(ctx context.Context, settled ...quota.Settlement) error {
	_, err := repeat(s.quick(ctx, "a settlement"), s, func(ctx context.Context) (answer[struct{}], error) {
		if err := s.going(); err != nil {
			return no[struct{}](err), nil
		}
		return s.settle(ctx, settled)
	})
	return err
}

func (s *store) settle(ctx context.Context, settled []quota.Settlement) (a answer[struct{}], err error) {
	now := s.config.now()
	var batch pgx.Batch
	batch.Queue(s.names.in(lockLateSQL), spendsOf(settled))
	made := make([]bool, len(settled))
	for i, q := range s.queueSettle(&batch, now, settled) {
		if q != nil {
			q.Exec(func(tag pgconn.CommandTag) error { made[i] = tag.RowsAffected() > 0; return nil })
		}
	}
	if err := s.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return a, err
	}
	var refused []error
	for i, st := range settled {
		if made[i] {
			continue
		}
		refusal, err := s.refuseSettle(ctx, st, now)
		if err != nil {
			return a, err
		}
		refused = append(refused, refusal)
	}
	return no[struct{}](errors.Join(refused...)), nil
}

// refuseSettle finds out why a settlement was not written; nil is a repetition.
func (s *store) refuseSettle(ctx context.Context, st quota.Settlement, now time.Time) (refusal, err error) {
	if err := st.Validate(); err != nil {
		return err, nil
	}
	about, err := s.entries(ctx, s.pool, "kind IN ('spend', 'settle', 'refund') AND id = $1 ORDER BY seq", st.Spend)
	if err != nil {
		return nil, err
	}
	if len(about) == 0 {
		return fmt.Errorf("%w: %s", quota.ErrNoSpend, st.Spend), nil
	}
	outcome := about[len(about)-1].Outcome
	if st.Outcome == quota.Refunded && outcome != quota.Refunded {
		r, refusal, err := run(ctx, s.pool, about[0].Run)
		if err != nil || refusal != nil {
			return refusal, err
		}
		if over := living(r, now); over != nil {
			return fmt.Errorf("refund of spend %s: %w", st.Spend, over), nil
		}
	}
	fresh, refusal := st.Settles(outcome)
	if fresh {
		return nil, errMoved
	}
	return refusal, nil
}
