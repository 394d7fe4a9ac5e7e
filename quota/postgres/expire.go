package postgres

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// sweep expires the runs whose lease has passed, or is ahead and not renewed, or
// whose process is gone. It asks for each process once, and reads the runs of one
// only where one of them may be dead. Of processes on other machines only the lease tells, so they are
// not asked for while it lasts, unless the config has other means.
func (tx *tx) sweep(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // no run can be said to be of this machine
	}
	lease := tx.store.config.lease()
	rows, err := tx.Query(ctx, `SELECT host, pid, process_start, min(lease_until), max(lease_until), array_agg(id) FROM hsharness.run
		WHERE over IS NULL AND (lease_until <= $1 OR lease_until > $2 OR host = $3 OR $4) GROUP BY host, pid, process_start`,
		tx.now, tx.now.Add(lease), host, tx.store.config.Gone != nil)
	if err != nil {
		return err
	}
	alive := tx.store.alive(tx.now)
	var suspects []string
	var ids []string
	var one quota.RunInfo // of the process, with the first lease to pass
	p := &one.Process
	var latest time.Time
	_, err = pgx.ForEachRow(rows, []any{&p.Host, &p.PID, &p.Start, moment{&one.LeaseUntil}, moment{&latest}, &ids}, func() error {
		if !alive(one) || quota.LeaseAhead(latest, tx.now, lease) {
			suspects = append(suspects, ids...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(suspects) // rows of runs are locked in this order
	for _, id := range suspects {
		// It may have spent and renewed its lease since it was read.
		r, err := tx.lockRun(ctx, id)
		if err != nil {
			return err
		}
		unrenewed, err := tx.unrenewed(ctx, r)
		if err != nil {
			return err
		}
		if alive(r) && !unrenewed {
			continue
		}
		if err := tx.expire(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// lockRun makes a run's spends wait, and reads it as it is then.
func (tx *tx) lockRun(ctx context.Context, id string) (quota.RunInfo, error) {
	rows, err := tx.Query(ctx, "SELECT "+runColumns+" FROM hsharness.run WHERE id = $1 FOR NO KEY UPDATE", id)
	if err != nil {
		return quota.RunInfo{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanRun)
}

// expire ends a run that can't end itself. What it had not drawn returns; what
// it spent stays spent.
func (tx *tx) expire(ctx context.Context, r quota.RunInfo) error {
	unknown, err := tx.settleOpen(ctx, r.ID)
	if err != nil {
		return err
	}
	if _, err := tx.append(ctx, quota.Entry{Kind: quota.KindExpire, Run: r.ID, Units: r.Held()}); err != nil {
		return err
	}
	return tx.retire(ctx, r, quota.Expired, r.Unknown+unknown, quota.Counters{})
}

// settleOpen settles the open spends of a run as unknown and sums them up.
func (tx *tx) settleOpen(ctx context.Context, id string) (units int64, err error) {
	err = tx.QueryRow(ctx, `WITH settled AS (
			INSERT INTO hsharness.entry (at, run, kind, units, id, outcome, note)
			SELECT $1, run, 'settle', units, id, 'unknown', 'the run was over before it was settled'
			FROM hsharness.entry AS spend WHERE kind = 'spend' AND run = $2 AND NOT EXISTS
				(SELECT FROM hsharness.entry AS later WHERE later.kind IN ('settle', 'refund') AND later.id = spend.id)
			ORDER BY seq RETURNING units)
		SELECT coalesce(sum(units), 0)::bigint FROM settled`, tx.now, id).Scan(&units)
	return units, err
}

// retire moves what an active run has spent to the allowance's own row.
func (tx *tx) retire(ctx context.Context, r quota.RunInfo, state quota.RunState, unknown int64, n quota.Counters) error {
	_, err := tx.Exec(ctx, `UPDATE hsharness.run SET state = $1, unknown = $2, over = $3, requests = $4, replayed = $5, mocked = $6, missed = $7, would_spend = $8
		WHERE id = $9`, string(state), unknown, tx.now, n.Requests, n.Replayed, n.Mocked, n.Missed, n.WouldSpend, r.ID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE hsharness.ledger SET base = base + $1, unknown = unknown + $2", r.Spent, unknown)
	return err
}
