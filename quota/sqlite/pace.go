package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/internal/pace"
)

var _ pace.Keeper = (*store)(nil)

// forget is after how many turns the runs that are over are forgotten.
const forget = 64

// Turn implements [pace.Keeper].
func (s *store) Turn(ctx context.Context, ask pace.Ask) (pace.Answer, error) {
	if len(ask.Rates) == 0 {
		return pace.Answer{}, fmt.Errorf("run %s asks for a turn without a rate", ask.Run)
	}
	return write(ctx, s, func(tx *tx) (pace.Answer, error) {
		r, err := tx.run(ask.Run)
		if err == nil {
			err = tx.living(r)
		}
		if err != nil {
			return pace.Answer{}, err
		}
		return tx.turn(ask)
	})
}

func (tx *tx) turn(ask pace.Ask) (a pace.Answer, err error) {
	var was pace.Waiter
	table := pace.Table{Now: tx.now, Rates: ask.Rates}
	if table.Head, err = tx.number("SELECT coalesce(max(seq), 0) FROM pace_turn WHERE seq <= ?", int64(pace.MostTurns)); err != nil {
		return a, err
	}
	if table.Pause, err = tx.pausedNow(); err != nil {
		return a, err
	}
	if table.Waiting, err = tx.waiting(tx.now); err != nil {
		return a, err
	}
	err = tx.query("SELECT run, last, since, due, expected FROM pace_run WHERE run = ?", func(s *sqlite3.Stmt) error {
		was = scanWaiter(s)
		return nil
	}, ask.Run)
	if err != nil {
		return a, err
	}
	turns := map[int64]time.Time{}
	for _, span := range table.Spans(ask.Late) {
		err := tx.query("SELECT seq, at FROM pace_turn WHERE seq BETWEEN ? AND ?", func(s *sqlite3.Stmt) error {
			turns[s.ColumnInt64(0)] = fromMicros(s.ColumnInt64(1))
			return nil
		}, span[0], span[1])
		if err != nil {
			return a, err
		}
	}
	table.At = func(seq int64) time.Time { return turns[seq] }
	if latest, back := table.WentBack(); back {
		if err := tx.exec("UPDATE pace_turn SET at = ?1 WHERE at > ?1", micros(latest)); err != nil {
			return a, err
		}
	}
	a, me := table.Answer(ask, was)
	if a.PutOff {
		return a, tx.exec("UPDATE pace_turn SET at = ? WHERE seq = ?", micros(a.Expected), a.Seq)
	}
	err = tx.exec("INSERT OR REPLACE INTO pace_run(run, last, since, due, expected) VALUES (?, ?, ?, ?, ?)",
		me.Run, me.Last, micros(me.Since), micros(me.Due), micros(me.Expected))
	if err != nil || !a.Given {
		return a, err
	}
	if err := tx.exec("INSERT INTO pace_turn(seq, at, run) VALUES (?, ?, ?)", a.Seq, micros(a.Expected), ask.Run); err != nil {
		return a, err
	}
	if err := tx.exec("DELETE FROM pace_turn WHERE seq <= ?", a.Seq-pace.Kept); err != nil {
		return a, err
	}
	if a.Seq%forget == 0 {
		err = tx.exec("DELETE FROM pace_run WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = pace_run.run AND state = 'active')")
	}
	return a, err
}

// waiting are the runs that wait and are not over.
func (c *conn) waiting(now time.Time) (all []pace.Waiter, err error) {
	err = c.query(`SELECT pace_run.run, last, since, due, expected FROM pace_run JOIN run ON run.id = pace_run.run
		WHERE due > 0 AND state = 'active' AND lease_until > ?`, func(s *sqlite3.Stmt) error {
		all = append(all, scanWaiter(s))
		return nil
	}, micros(now))
	return all, err
}

func scanWaiter(s *sqlite3.Stmt) pace.Waiter {
	return pace.Waiter{
		Run: s.ColumnText(0), Last: s.ColumnInt64(1),
		Since: fromMicros(s.ColumnInt64(2)), Due: fromMicros(s.ColumnInt64(3)), Expected: fromMicros(s.ColumnInt64(4)),
	}
}

func (c *conn) pause() (p pace.Pause, err error) {
	err = c.query("SELECT paused_until, why FROM pace", func(s *sqlite3.Stmt) error {
		p = pace.Pause{Until: fromMicros(s.ColumnInt64(0)), Why: s.ColumnText(1)}
		return nil
	})
	return p, err
}

// pausedNow is the pause as it can be now, and it is kept so.
func (tx *tx) pausedNow() (pace.Pause, error) {
	p, err := tx.pause()
	if err != nil {
		return p, err
	}
	p, less := p.Now(tx.now)
	if less {
		err = tx.exec("UPDATE pace SET paused_until = ?, why = ?", micros(p.Until), p.Why)
	}
	return p, err
}

// Leave implements [pace.Keeper].
func (s *store) Leave(ctx context.Context, run string) error {
	_, err := write(ctx, s, func(tx *tx) (struct{}, error) {
		return struct{}{}, tx.exec("UPDATE pace_run SET since = 0, due = 0, expected = 0 WHERE run = ?", run)
	})
	return err
}

// Pause implements [pace.Keeper].
func (s *store) Pause(ctx context.Context, wait time.Duration, why string) error {
	_, err := write(ctx, s, func(tx *tx) (struct{}, error) {
		p, err := tx.pausedNow()
		if until := tx.now.Add(wait); err == nil && until.After(p.Until) {
			err = tx.exec("UPDATE pace SET paused_until = ?, why = ?", micros(until), why)
		}
		return struct{}{}, err
	})
	return err
}

// Pace implements [pace.Keeper].
func (s *store) Pace(ctx context.Context) (state pace.State, err error) {
	err = s.read(ctx, func(c *conn) error {
		state = pace.State{Now: s.config.now()}
		version, err := c.number("PRAGMA user_version")
		if err != nil || version < 2 { // who only reads takes a ledger as it is
			return err
		}
		err = c.query("SELECT seq, at FROM pace_turn WHERE seq <= ? ORDER BY seq DESC LIMIT 1", func(s *sqlite3.Stmt) error {
			state.Turns, state.Last = s.ColumnInt64(0), fromMicros(s.ColumnInt64(1))
			return nil
		}, int64(pace.MostTurns))
		if err != nil {
			return err
		}
		waiting, err := c.waiting(state.Now)
		if err != nil {
			return err
		}
		state.Waiting = pace.Order(waiting, state.Now)
		p, err := c.pause()
		if p, _ = p.Now(state.Now); p.Until.After(state.Now) {
			state.Pause = p
		}
		return err
	})
	if err != nil {
		return state, fmt.Errorf("read the pace of ledger %s: %w", s.path, err)
	}
	return state, nil
}
