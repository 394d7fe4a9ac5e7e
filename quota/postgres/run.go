package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hsharness/hsharness/quota"
)

const runColumns = `id, mode, max, suite, branch, commit_id, actor, event, job_url, host, pid, process_start,
	state, spent, unknown, begun, lease_until, over, requests, replayed, mocked, missed, would_spend`

// scanRun reads a row of runColumns.
func scanRun(row pgx.CollectableRow) (quota.RunInfo, error) {
	var r quota.RunInfo
	a, p, n := &r.Attribution, &r.Process, &r.Counters
	err := row.Scan(&r.ID, &r.Mode, &r.Max, &a.Suite, &a.Branch, &a.Commit, &a.Actor, &a.Event, &a.JobURL, &p.Host, &p.PID, &p.Start,
		&r.State, &r.Spent, &r.Unknown, moment{&r.Begun}, moment{&r.LeaseUntil}, moment{&r.Over}, &n.Requests, &n.Replayed, &n.Mocked, &n.Missed, &n.WouldSpend)
	if err == nil {
		err = fits("run", r.ID, len(r.Mode), len(a.Suite), len(a.Branch), len(a.Commit), len(a.Actor), len(a.Event), len(a.JobURL), len(p.Host), len(p.Start))
	}
	return r, err
}

// insertRun writes a row of runColumns.
func (tx *tx) insertRun(ctx context.Context, r quota.RunInfo) error {
	var over *time.Time
	if !r.Over.IsZero() {
		over = &r.Over
	}
	a, p, n := r.Attribution, r.Process, r.Counters
	_, err := tx.Exec(ctx, "INSERT INTO hsharness.run ("+runColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		r.ID, r.Mode, r.Max, a.Suite, a.Branch, a.Commit, a.Actor, a.Event, a.JobURL, p.Host, p.PID, p.Start,
		string(r.State), r.Spent, r.Unknown, r.Begun, r.LeaseUntil, over, n.Requests, n.Replayed, n.Mocked, n.Missed, n.WouldSpend)
	return err
}

// runs reads the runs that a condition selects.
func runs(ctx context.Context, q querier, where string, args ...any) ([]quota.RunInfo, error) {
	rows, err := q.Query(ctx, "SELECT "+runColumns+" FROM hsharness.run WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRun)
}

// run finds a run by id, or refuses.
func run(ctx context.Context, q querier, id string) (r quota.RunInfo, refusal, err error) {
	found, err := runs(ctx, q, "id = $1", id)
	if err != nil {
		return r, nil, err
	}
	if len(found) == 0 {
		return r, fmt.Errorf("%w: %s", quota.ErrNoRun, id), nil
	}
	return found[0], nil, nil
}

// living is nil for a run that may act, and says since when it may not. A lease
// that passed counts whether or not the run was swept.
func living(r quota.RunInfo, now time.Time) error {
	switch {
	case r.State != quota.Active:
		return &quota.RunOverError{Run: r.ID, State: r.State, Since: r.Over}
	case !r.LeaseUntil.After(now):
		return &quota.RunOverError{Run: r.ID, State: quota.Expired, Since: r.LeaseUntil}
	}
	return nil
}

// Begin implements [quota.Store].
func (s *store) Begin(ctx context.Context, spec quota.RunSpec, rules []quota.Rule) (quota.RunInfo, error) {
	if err := quota.ValidateBegin(spec, rules); err != nil {
		return quota.RunInfo{}, err
	}
	return locked(s.quick(ctx, "the admission of run "+spec.ID), s, func(ctx context.Context, tx *tx) (answer[quota.RunInfo], error) {
		if err := s.atHome(&tx.look); err != nil {
			return answer[quota.RunInfo]{}, err
		}
		return tx.begin(ctx, spec, rules)
	})
}

func (tx *tx) begin(ctx context.Context, spec quota.RunSpec, rules []quota.Rule) (a answer[quota.RunInfo], err error) {
	asked := spec
	spec.Trusted = "" // it is not kept
	known, err := runs(ctx, tx, "id = $1", spec.ID)
	if err != nil {
		return a, err
	}
	if len(known) > 0 {
		if known[0].RunSpec != spec {
			return no[quota.RunInfo](fmt.Errorf("run %s: %w", spec.ID, quota.ErrConflict)), nil
		}
		return answer[quota.RunInfo]{known[0], living(known[0], tx.now)}, nil
	}
	if err := tx.sweep(ctx); err != nil {
		return a, err
	}
	balances, err := tx.balances(ctx)
	if err != nil {
		return a, err
	}
	blocked, err := quota.Admit(asked, rules, tx.now, balances, func(m quota.Match, since time.Time) (int64, error) {
		return tx.usage(ctx, m, since)
	})
	if errors.Is(err, quota.ErrDamaged) {
		return no[quota.RunInfo](fmt.Errorf("ledger %s: %w", tx.store.place, err)), nil
	}
	if err != nil {
		return a, err
	}
	if blocked != nil {
		active, err := tx.active(ctx)
		if err != nil {
			return a, err
		}
		if blocked.Holders, err = tx.holders(ctx, active); err != nil {
			return a, err
		}
		leases, err := tx.newlyAhead(ctx, active)
		if err != nil {
			return a, err
		}
		_, err = tx.append(ctx, quota.Entry{Kind: quota.KindBlock, Run: spec.ID, Spec: &spec, Refusals: blocked.Refusals, Leases: leases})
		return no[quota.RunInfo](blocked), err
	}
	r := quota.RunInfo{RunSpec: spec, State: quota.Active, Begun: tx.now, LeaseUntil: tx.now.Add(tx.store.config.lease())}
	if err := tx.insertRun(ctx, r); err != nil {
		return a, err
	}
	if _, err := tx.append(ctx, quota.Entry{Kind: quota.KindBegin, Run: spec.ID, Spec: &spec}); err != nil {
		return a, err
	}
	if spec.Max > 0 {
		if _, err := tx.append(ctx, quota.Entry{Kind: quota.KindHold, Run: spec.ID, Units: spec.Max}); err != nil {
			return a, err
		}
	}
	return yes(r), nil
}

// begunSince selects the runs that began at $1 or later, as [quota.Usage] has it,
// when it is $2.
const begunSince = `begun >= $1 AND (begun <= $2 OR $1 <= coalesce((SELECT at FROM hsharness.entry AS later WHERE at <= $2
	AND seq > (SELECT seq FROM hsharness.entry WHERE entry.run = run.id AND kind = 'begin') ORDER BY seq LIMIT 1), $2))`

// usage implements [quota.Usage].
func (tx *tx) usage(ctx context.Context, m quota.Match, since time.Time) (used int64, err error) {
	rows, err := tx.Query(ctx, `SELECT suite, branch, actor, event, sum(CASE state WHEN 'active' THEN max ELSE spent END)::bigint
		FROM hsharness.run WHERE `+begunSince+` GROUP BY suite, branch, actor, event`, since, tx.now)
	if err != nil {
		return 0, err
	}
	var a quota.Attribution
	var units int64
	_, err = pgx.ForEachRow(rows, []any{&a.Suite, &a.Branch, &a.Actor, &a.Event, &units}, func() error {
		if m.Matches(a) {
			used += units
		}
		return nil
	})
	return used, err
}

// Renew implements [quota.Store].
func (s *store) Renew(ctx context.Context, id string) (time.Time, error) {
	return repeat(s.quick(ctx, "the renewal of run "+id), s, func(ctx context.Context) (answer[time.Time], error) {
		if err := s.going(); err != nil {
			return no[time.Time](err), nil
		}
		now := s.config.now()
		until := now.Add(s.config.lease())
		var l look
		var renewed int64
		var batch pgx.Batch
		batch.Queue("SELECT " + s.lookSQL() + " FROM " + s.names.in("hsharness.ledger")).QueryRow(l.scan)
		batch.Queue(s.names.in("UPDATE hsharness.run SET lease_until = $1 WHERE id = $2 AND state = 'active' AND lease_until > $3"), until, id, now).
			Exec(func(tag pgconn.CommandTag) error { renewed = tag.RowsAffected(); return nil })
		err := s.pool.SendBatch(ctx, &batch).Close()
		if err == nil {
			err = s.found(&l)
		}
		if err != nil || renewed == 1 {
			return yes(until), err
		}
		r, refusal, err := run(ctx, s.pool, id)
		if err == nil && refusal == nil {
			if refusal = living(r, now); refusal == nil {
				err = errMoved
			}
		}
		return no[time.Time](refusal), err
	})
}

// End implements [quota.Store].
func (s *store) End(ctx context.Context, id string, counters quota.Counters) (quota.Entry, error) {
	if err := counters.Validate(); err != nil {
		return quota.Entry{}, err
	}
	return locked(s.quick(ctx, "the end of run "+id), s, func(ctx context.Context, tx *tx) (answer[quota.Entry], error) {
		return tx.end(ctx, id, counters)
	})
}

func (tx *tx) end(ctx context.Context, id string, counters quota.Counters) (a answer[quota.Entry], err error) {
	r, refusal, err := run(ctx, tx, id)
	if err != nil || refusal != nil {
		return no[quota.Entry](refusal), err
	}
	if r.State != quota.Active {
		if r.State == quota.Ended && r.Counters == counters {
			ends, err := tx.store.entries(ctx, tx, "kind = 'end' AND run = $1", id)
			if err != nil {
				return a, err
			}
			if len(ends) > 0 {
				return yes(ends[0]), nil
			}
		}
		return no[quota.Entry](living(r, tx.now)), nil
	}
	// It stays active while the allowance's row is ours, but may spend until its
	// own row is ours too.
	if r, err = tx.lockRun(ctx, id); err != nil {
		return a, err
	}
	if over := living(r, tx.now); over != nil {
		return no[quota.Entry](over), tx.expire(ctx, r)
	}
	unknown, err := tx.settleOpen(ctx, id)
	if err != nil {
		return a, err
	}
	if rest := r.Held(); rest > 0 {
		if _, err := tx.append(ctx, quota.Entry{Kind: quota.KindRelease, Run: id, Units: rest}); err != nil {
			return a, err
		}
	}
	e, err := tx.append(ctx, quota.Entry{Kind: quota.KindEnd, Run: id, Counters: &counters})
	if err != nil {
		return a, err
	}
	return yes(e), tx.retire(ctx, r, quota.Ended, r.Unknown+unknown, counters)
}
