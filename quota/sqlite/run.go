package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

const runColumns = `id, mode, max, suite, branch, commit_id, actor, event, job_url, host, pid, process_start,
	state, spent, unknown, begun, lease_until, over, requests, replayed, mocked, missed, would_spend`

// scanRun reads a row of runColumns.
func scanRun(s *sqlite3.Stmt) quota.RunInfo {
	return quota.RunInfo{
		RunSpec: quota.RunSpec{
			ID: s.ColumnText(0), Mode: s.ColumnText(1), Max: s.ColumnInt64(2),
			Attribution: quota.Attribution{
				Suite: s.ColumnText(3), Branch: s.ColumnText(4), Commit: s.ColumnText(5),
				Actor: s.ColumnText(6), Event: s.ColumnText(7), JobURL: s.ColumnText(8),
			},
			Process: quota.Process{Host: s.ColumnText(9), PID: s.ColumnInt(10), Start: s.ColumnText(11)},
		},
		State: quota.RunState(s.ColumnText(12)), Spent: s.ColumnInt64(13), Unknown: s.ColumnInt64(14),
		Begun: fromMicros(s.ColumnInt64(15)), LeaseUntil: fromMicros(s.ColumnInt64(16)), Over: fromMicros(s.ColumnInt64(17)),
		Counters: quota.Counters{
			Requests: s.ColumnInt64(18), Replayed: s.ColumnInt64(19), Mocked: s.ColumnInt64(20),
			Missed: s.ColumnInt64(21), WouldSpend: s.ColumnInt64(22),
		},
	}
}

// insertRun writes a row of runColumns.
func (c *conn) insertRun(r quota.RunInfo) error {
	a, n := r.Attribution, r.Counters
	return c.exec("INSERT INTO run("+runColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID, r.Mode, r.Max, a.Suite, a.Branch, a.Commit, a.Actor, a.Event, a.JobURL, r.Process.Host, int64(r.Process.PID), r.Process.Start,
		string(r.State), r.Spent, r.Unknown, micros(r.Begun), micros(r.LeaseUntil), micros(r.Over),
		n.Requests, n.Replayed, n.Mocked, n.Missed, n.WouldSpend)
}

func (c *conn) runs(where string, args ...any) ([]quota.RunInfo, error) {
	var runs []quota.RunInfo
	err := c.query("SELECT "+runColumns+" FROM run WHERE "+where, func(s *sqlite3.Stmt) error {
		runs = append(runs, scanRun(s))
		return nil
	}, args...)
	return runs, err
}

// run finds a run by id.
func (tx *tx) run(id string) (quota.RunInfo, error) {
	runs, err := tx.runs("id = ?", id)
	if err != nil {
		return quota.RunInfo{}, err
	}
	if len(runs) == 0 {
		return quota.RunInfo{}, fmt.Errorf("%w: %s", quota.ErrNoRun, id)
	}
	return runs[0], nil
}

// living is nil for a run that may act, and says since when it may not. A lease
// that passed counts whether or not the run was swept.
func (tx *tx) living(r quota.RunInfo) error {
	switch {
	case r.State != quota.Active:
		return &quota.RunOverError{Run: r.ID, State: r.State, Since: r.Over}
	case !r.LeaseUntil.After(tx.now):
		return &quota.RunOverError{Run: r.ID, State: quota.Expired, Since: r.LeaseUntil}
	}
	return nil
}

// Begin implements [quota.Store].
func (s *store) Begin(ctx context.Context, spec quota.RunSpec, rules []quota.Rule) (quota.RunInfo, error) {
	if err := quota.ValidateBegin(spec, rules); err != nil {
		return quota.RunInfo{}, err
	}
	return write(ctx, s, func(tx *tx) (quota.RunInfo, error) { return tx.begin(spec, rules) })
}

func (tx *tx) begin(spec quota.RunSpec, rules []quota.Rule) (quota.RunInfo, error) {
	asked := spec
	spec.Trusted = "" // it is not kept
	if known, err := tx.runs("id = ?", spec.ID); err != nil {
		return quota.RunInfo{}, err
	} else if len(known) > 0 {
		if known[0].RunSpec != spec {
			return quota.RunInfo{}, fmt.Errorf("run %s: %w", spec.ID, quota.ErrConflict)
		}
		return known[0], tx.living(known[0])
	}
	balances, err := tx.sweep()
	if err != nil {
		return quota.RunInfo{}, err
	}
	blocked, err := quota.Admit(asked, rules, tx.now, balances, tx.usage)
	if err != nil {
		return quota.RunInfo{}, err
	}
	if blocked != nil {
		active, err := tx.active()
		if err != nil {
			return quota.RunInfo{}, err
		}
		if blocked.Holders, err = tx.store.holders(tx.conn, active, tx.now); err != nil {
			return quota.RunInfo{}, err
		}
		leases, err := tx.newlyAhead(active)
		if err != nil {
			return quota.RunInfo{}, err
		}
		_, err = tx.append(quota.Entry{Kind: quota.KindBlock, Run: spec.ID, Spec: &spec, Refusals: blocked.Refusals, Leases: leases})
		if err != nil {
			return quota.RunInfo{}, err
		}
		return quota.RunInfo{}, blocked
	}
	run := quota.RunInfo{RunSpec: spec, State: quota.Active, Begun: tx.now, LeaseUntil: tx.now.Add(tx.store.config.lease())}
	if err := tx.insertRun(run); err != nil {
		return quota.RunInfo{}, err
	}
	if _, err := tx.append(quota.Entry{Kind: quota.KindBegin, Run: spec.ID, Spec: &spec}); err != nil {
		return quota.RunInfo{}, err
	}
	if spec.Max > 0 {
		if _, err := tx.append(quota.Entry{Kind: quota.KindHold, Run: spec.ID, Units: spec.Max}); err != nil {
			return quota.RunInfo{}, err
		}
	}
	return run, nil
}

// newlyAhead are the leases that are ahead and that no entry has noted as they
// are.
func (tx *tx) newlyAhead(active []quota.RunInfo) (map[string]time.Time, error) {
	ahead := quota.LeasesAhead(active, tx.now, tx.store.config.lease())
	for _, r := range active {
		if _, ok := ahead[r.ID]; !ok {
			continue
		}
		blocks, err := tx.blocks(r, tx.now)
		if err != nil {
			return nil, err
		}
		if _, noted := quota.Noted(blocks, r); noted {
			delete(ahead, r.ID)
		}
	}
	return ahead, nil
}

// begunSince selects the runs that began at ?1 or later, as [quota.Usage] has it,
// when it is ?2.
const begunSince = `begun >= ?1 AND (begun <= ?2 OR ?1 <= coalesce((SELECT at FROM entry AS later WHERE at <= ?2
	AND seq > (SELECT seq FROM entry WHERE (kind = 'begin' OR kind = 'hold' OR kind = 'end' OR kind = 'expire') AND run = run.id AND kind = 'begin')
	ORDER BY seq LIMIT 1), ?2))`

// usage implements [quota.Usage].
func (tx *tx) usage(m quota.Match, since time.Time) (used int64, err error) {
	err = tx.query(`SELECT suite, branch, actor, event, sum(CASE state WHEN 'active' THEN max ELSE spent END)
		FROM run WHERE `+begunSince+` GROUP BY suite, branch, actor, event`, func(s *sqlite3.Stmt) error {
		a := quota.Attribution{Suite: s.ColumnText(0), Branch: s.ColumnText(1), Actor: s.ColumnText(2), Event: s.ColumnText(3)}
		if m.Matches(a) {
			used += s.ColumnInt64(4)
		}
		return nil
	}, micros(since), micros(tx.now))
	return used, err
}

// sweep expires the runs whose lease has passed or whose process is gone, and
// returns the figures after that. It reads the runs of a process only where one
// of them may be dead.
func (tx *tx) sweep() (quota.Balances, error) {
	b, crowds, err := tx.balances()
	if err != nil {
		return b, err
	}
	alive := tx.store.alive(tx.now)
	expired := false
	for _, p := range crowds {
		all := alive(quota.RunInfo{RunSpec: quota.RunSpec{Process: p.process}, LeaseUntil: p.lease})
		if all && !quota.LeaseAhead(p.latest, tx.now, tx.store.config.lease()) {
			continue
		}
		suspects, err := tx.runs("state = 'active' AND host = ? AND pid = ? AND process_start = ? ORDER BY begun, id",
			p.process.Host, int64(p.process.PID), p.process.Start)
		if err != nil {
			return b, err
		}
		for _, r := range suspects {
			unrenewed, err := tx.store.unrenewed(tx.conn, r, tx.now)
			if err != nil {
				return b, err
			}
			if alive(r) && !unrenewed {
				continue
			}
			if err := tx.expire(r); err != nil {
				return b, err
			}
			expired = true
		}
	}
	if expired {
		b, _, err = tx.balances()
	}
	return b, err
}

// Renew implements [quota.Store].
func (s *store) Renew(ctx context.Context, id string) (time.Time, error) {
	return write(ctx, s, func(tx *tx) (time.Time, error) {
		r, err := tx.run(id)
		if err == nil {
			err = tx.living(r)
		}
		if err != nil {
			return time.Time{}, err
		}
		until := tx.now.Add(s.config.lease())
		return until, tx.exec("UPDATE run SET lease_until = ? WHERE id = ?", micros(until), id)
	})
}
