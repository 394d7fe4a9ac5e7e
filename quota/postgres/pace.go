package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/internal/pace"
)

var _ pace.Keeper = (*store)(nil)

// forget is after how many turns the runs that are over are forgotten.
const forget = 64

// paced runs op in a transaction that alone decides on turns. It holds the row of the
// pause and no other that is there before; times are by the server's clock, unless the
// store was given one.
func paced[T any](c *call, s *store, op func(context.Context, *tx, pace.Pause) (answer[T], error)) (T, error) {
	return repeat(c, s, func(ctx context.Context) (a answer[T], err error) {
		if err := s.going(); err != nil {
			return no[T](err), nil
		}
		err = pgx.BeginFunc(ctx, s.pool, func(t pgx.Tx) error {
			tx := &tx{Tx: t, store: s}
			var p pace.Pause
			// A clock that is read in the list of a row to be locked is read before the lock.
			if err := tx.QueryRow(ctx, "SELECT paused_until, left(why, 1000) FROM hsharness.pace FOR UPDATE").Scan(moment{&p.Until}, &p.Why); err != nil {
				return err
			}
			a, err = op(ctx, tx, p)
			return err
		})
		return a, err
	})
}

// clockSQL is the time, in whole microseconds by itself.
const clockSQL = "SELECT clock_timestamp()"

// paceNow is the time by the clock that turns go by.
func (s *store) paceNow(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (now time.Time, err error) {
	if s.config.Now != nil {
		return s.config.now(), nil
	}
	err = q.QueryRow(ctx, clockSQL).Scan(&now)
	return now.UTC(), err
}

// Turn implements [pace.Keeper].
func (s *store) Turn(ctx context.Context, ask pace.Ask) (pace.Answer, error) {
	if len(ask.Rates) == 0 {
		return pace.Answer{}, fmt.Errorf("run %s asks for a turn without a rate", ask.Run)
	}
	return paced(s.quick(ctx, "a turn of run "+ask.Run), s, func(ctx context.Context, tx *tx, pause pace.Pause) (answer[pace.Answer], error) {
		return tx.turn(ctx, ask, pause)
	})
}

func (tx *tx) turn(ctx context.Context, ask pace.Ask, pause pace.Pause) (a answer[pace.Answer], err error) {
	r, refusal, err := run(ctx, tx, ask.Run)
	if err == nil && refusal == nil {
		refusal = living(r, tx.store.config.now())
	}
	if err != nil || refusal != nil {
		return no[pace.Answer](refusal), err
	}
	table := pace.Table{Rates: ask.Rates}
	if table.Now, table.Pause, err = tx.pausedNow(ctx, pause); err != nil {
		return a, err
	}
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(seq), 0) FROM hsharness.pace_turn WHERE seq <= $1", int64(pace.MostTurns)).Scan(&table.Head); err != nil {
		return a, err
	}
	if table.Waiting, err = tx.waiting(ctx); err != nil {
		return a, err
	}
	own, err := waiters(ctx, tx, "WHERE pace_run.run = $1", ask.Run)
	if err != nil {
		return a, err
	}
	var was pace.Waiter
	if len(own) > 0 {
		was = own[0]
	}
	turns := map[int64]time.Time{}
	for _, span := range table.Spans(ask.Late) {
		rows, err := tx.Query(ctx, "SELECT seq, at FROM hsharness.pace_turn WHERE seq BETWEEN $1 AND $2", span[0], span[1])
		if err != nil {
			return a, err
		}
		var seq int64
		var at time.Time
		if _, err := pgx.ForEachRow(rows, []any{&seq, moment{&at}}, func() error { turns[seq] = at; return nil }); err != nil {
			return a, err
		}
	}
	table.At = func(seq int64) time.Time { return turns[seq] }
	if latest, back := table.WentBack(); back {
		if _, err := tx.Exec(ctx, "UPDATE hsharness.pace_turn SET at = $1 WHERE at > $1", latest); err != nil {
			return a, err
		}
	}
	given, me := table.Answer(ask, was)
	return yes(given), tx.keepTurn(ctx, ask, given, me)
}

// pausedNow is the time, and a pause as it can be then, and it is kept so.
func (tx *tx) pausedNow(ctx context.Context, p pace.Pause) (now time.Time, _ pace.Pause, err error) {
	if now, err = tx.store.paceNow(ctx, tx); err != nil {
		return now, p, err
	}
	p, less := p.Now(now)
	if less {
		_, err = tx.Exec(ctx, "UPDATE hsharness.pace SET paused_until = $1, why = $2", p.Until, p.Why)
	}
	return now, p, err
}

// keepTurn writes what was decided, in one round trip.
func (tx *tx) keepTurn(ctx context.Context, ask pace.Ask, a pace.Answer, me pace.Waiter) error {
	if a.PutOff {
		_, err := tx.Exec(ctx, "UPDATE hsharness.pace_turn SET at = $1 WHERE seq = $2", a.Expected, a.Seq)
		return err
	}
	var batch pgx.Batch
	in := tx.store.names.in
	batch.Queue(in(`INSERT INTO hsharness.pace_run (run, last, since, due, expected) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (run) DO UPDATE SET last = $2, since = $3, due = $4, expected = $5`), me.Run, me.Last, orNull(me.Since), orNull(me.Due), orNull(me.Expected))
	if a.Given {
		batch.Queue(in("INSERT INTO hsharness.pace_turn (seq, at, run) VALUES ($1, $2, $3)"), a.Seq, a.Expected, ask.Run)
		batch.Queue(in("DELETE FROM hsharness.pace_turn WHERE seq <= $1"), a.Seq-pace.Kept)
		if a.Seq%forget == 0 {
			batch.Queue(in("DELETE FROM hsharness.pace_run WHERE NOT EXISTS (SELECT FROM hsharness.run WHERE id = pace_run.run AND over IS NULL)"))
		}
	}
	return tx.SendBatch(ctx, &batch).Close()
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// waiting are the runs that wait and are not over.
func (tx *tx) waiting(ctx context.Context) ([]pace.Waiter, error) {
	return waiters(ctx, tx, "JOIN hsharness.run ON run.id = pace_run.run WHERE due IS NOT NULL AND over IS NULL AND lease_until > $1", tx.store.config.now())
}

func waiters(ctx context.Context, q querier, where string, args ...any) ([]pace.Waiter, error) {
	rows, err := q.Query(ctx, "SELECT pace_run.run, last, since, due, expected FROM hsharness.pace_run "+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (w pace.Waiter, err error) {
		return w, row.Scan(&w.Run, &w.Last, moment{&w.Since}, moment{&w.Due}, moment{&w.Expected})
	})
}

// Leave implements [pace.Keeper].
func (s *store) Leave(ctx context.Context, run string) error {
	_, err := paced(s.quick(ctx, "run "+run+" waits no more"), s, func(ctx context.Context, tx *tx, _ pace.Pause) (a answer[struct{}], err error) {
		_, err = tx.Exec(ctx, "UPDATE hsharness.pace_run SET since = NULL, due = NULL, expected = NULL WHERE run = $1", run)
		return a, err
	})
	return err
}

// Pause implements [pace.Keeper].
func (s *store) Pause(ctx context.Context, wait time.Duration, why string) error {
	_, err := paced(s.quick(ctx, "a pause"), s, func(ctx context.Context, tx *tx, p pace.Pause) (a answer[struct{}], err error) {
		now, p, err := tx.pausedNow(ctx, p)
		if err != nil {
			return a, err
		}
		if until := now.Add(wait); until.After(p.Until) {
			_, err = tx.Exec(ctx, "UPDATE hsharness.pace SET paused_until = $1, why = $2", until, why)
		}
		return a, err
	})
	return err
}

// Pace implements [pace.Keeper].
func (s *store) Pace(ctx context.Context) (pace.State, error) {
	return view(s.quick(ctx, "a look at the pace"), s, func(ctx context.Context, tx *tx) (state pace.State, err error) {
		if state.Now, err = s.paceNow(ctx, tx); err != nil {
			return state, err
		}
		err = tx.QueryRow(ctx, `SELECT paused_until, left(why, 1000), coalesce(seq, 0), at FROM hsharness.pace
			LEFT JOIN (SELECT seq, at FROM hsharness.pace_turn WHERE seq <= $1 ORDER BY seq DESC LIMIT 1) AS turn ON true`, int64(pace.MostTurns)).
			Scan(moment{&state.Pause.Until}, &state.Pause.Why, &state.Turns, moment{&state.Last})
		if err != nil {
			return state, err
		}
		if state.Pause, _ = state.Pause.Now(state.Now); !state.Pause.Until.After(state.Now) {
			state.Pause = pace.Pause{}
		}
		waiting, err := tx.waiting(ctx)
		state.Waiting = pace.Order(waiting, state.Now)
		return state, err
	})
}
