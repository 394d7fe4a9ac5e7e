package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestSpendTouchesItsRunAlone spends while another session holds the row of the
// allowance and that of another run.
func TestSpendTouchesItsRunAlone(t *testing.T) {
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: with(dsn, "statement_timeout", "300")})
	ctx := t.Context()
	for _, id := range []string{"a", "b"} {
		_, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 10}, nil)
		require.NoError(t, err)
	}
	other := session(t, dsn)
	_, err := other.Exec(ctx, "BEGIN; SELECT FROM ledger FOR UPDATE; SELECT FROM run WHERE id = 'b' FOR UPDATE")
	require.NoError(t, err)

	_, err = s.Spend(ctx, quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1}, quota.Settlement{Spend: "1", Outcome: quota.Answered, Status: 200})
	require.NoError(t, err)
	_, err = s.Renew(ctx, "a")
	require.NoError(t, err)

	// What needs those rows gives up in time, and has changed nothing.
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "3", Run: "b", Units: 1})
	assert.ErrorContains(t, err, "did not answer in time")
	_, err = s.Begin(ctx, quota.RunSpec{ID: "c", Max: 1}, nil)
	assert.ErrorContains(t, err, "did not answer in time")
	_, err = s.End(ctx, "a", quota.Counters{})
	assert.ErrorContains(t, err, "did not answer in time")
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = s.Spend(short, quota.SpendSpec{ID: "4", Run: "b", Units: 1})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = other.Exec(ctx, "ROLLBACK")
	require.NoError(t, err)

	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Contains(t, []int64{2, 3}, status.Spent, "the last one may count, since the server may not have noticed")
	assert.Equal(t, 20-status.Spent, status.Held)
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// TestStoppedAdmission stops a process inside an admission. The server takes
// the allowance's row from it, and it tries again when it wakes up.
func TestStoppedAdmission(t *testing.T) {
	dsn := pgtest.Database(t)
	var stop atomic.Bool
	stopped, wake := make(chan struct{}), make(chan struct{})
	s := newStore(t, postgres.Config{DSN: with(dsn, "idle_in_transaction_session_timeout", "100"), Gone: func(quota.Process) bool {
		if stop.CompareAndSwap(true, false) {
			close(stopped)
			<-wake
		}
		return false
	}})
	ctx := t.Context()
	_, err := s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	stop.Store(true)
	late := make(chan error)
	go func() {
		_, err := s.Begin(ctx, quota.RunSpec{ID: "b", Max: 90}, nil)
		late <- err
	}()
	<-stopped
	other, err := postgres.Open(ctx, postgres.Config{DSN: dsn})
	require.NoError(t, err)
	_, err = other.Begin(ctx, quota.RunSpec{ID: "c", Max: 90}, nil)
	require.NoError(t, err)
	require.NoError(t, other.Close())
	close(wake)
	require.ErrorIs(t, <-late, quota.ErrBlocked)
}

// TestServerKillsConnections ends all connections again and again while runs
// begin, spend, settle late and end, and counts what they were told.
func TestServerKillsConnections(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: with(dsn, "pool_max_conns", "8")})
	ctx := t.Context()
	_, err := s.Grant(ctx, quota.GrantSpec{ID: "more", Units: 1_000_000})
	require.NoError(t, err)

	killer := session(t, dsn)
	done := make(chan struct{})
	var killing sync.WaitGroup
	killing.Go(func() {
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
				_, err := killer.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2")
				assert.NoError(t, err)
			}
		}
	})
	var told, failed atomic.Int64
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for round := range 1 + *crashSeeds/20 {
				run := fmt.Sprintf("run %d %d", w, round)
				if _, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: 20}, nil); err != nil {
					failed.Add(1)
					continue
				}
				var late []quota.Settlement
				for i := range 20 {
					id := run + " " + strconv.Itoa(i)
					if _, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: run, Units: 1}, late...); err != nil {
						failed.Add(1)
						continue
					}
					told.Add(1)
					late = []quota.Settlement{{Spend: id, Outcome: quota.Unknown}}
				}
				_, _ = s.End(ctx, run, quota.Counters{})
				for i := range late {
					late[i].Outcome = quota.Answered
				}
				_ = s.Settle(ctx, late...)
			}
		})
	}
	wg.Wait()
	close(done)
	killing.Wait()
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, status.Spent, told.Load(), "what was sent is counted")
	assert.LessOrEqual(t, status.Spent, told.Load()+failed.Load(), "and nothing twice")
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// TestLateAnswersMeetAdmissions settles spends of runs that are over, which
// changes the allowance, together with spends of active runs, which admissions
// of the same moment lock after the allowance.
func TestLateAnswersMeetAdmissions(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixNano())
	s := newStore(t, postgres.Config{
		DSN: with(with(pgtest.Database(t), "pool_max_conns", "8"), "deadlock_timeout", "20ms"),
		Now: func() time.Time { return time.Unix(0, now.Load()) },
	})
	ctx := t.Context()
	for round := range 10 {
		var wg sync.WaitGroup
		for i := range 4 {
			over, active := fmt.Sprintf("over %d %d", round, i), fmt.Sprintf("active %d %d", round, i)
			for _, run := range []string{over, active} {
				_, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: 1}, nil)
				require.NoError(t, err)
				_, err = s.Spend(ctx, quota.SpendSpec{ID: run, Run: run, Units: 1})
				require.NoError(t, err)
			}
			_, err := s.End(ctx, over, quota.Counters{})
			require.NoError(t, err)
		}
		now.Add(int64(quota.Lease)) // the active ones are to be swept
		for i := range 4 {
			wg.Go(func() {
				assert.NoError(t, s.Settle(ctx,
					quota.Settlement{Spend: fmt.Sprintf("active %d %d", round, i), Outcome: quota.Answered},
					quota.Settlement{Spend: fmt.Sprintf("over %d %d", round, i), Outcome: quota.Answered}))
			})
			wg.Go(func() {
				_, err := s.Begin(ctx, quota.RunSpec{ID: fmt.Sprintf("replay %d %d", round, i)}, nil)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, [2]int64{80, 0}, [2]int64{status.Spent, status.Unknown}, "spent, unknown")
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// TestStandbyThatLagsBehind takes away the last entry, as a failover to a
// server does that never got it.
func TestStandbyThatLagsBehind(t *testing.T) {
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	ctx := t.Context()
	_, err := s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	conn := session(t, dsn)
	_, err = conn.Exec(ctx, `SET session_replication_role = replica; DELETE FROM entry WHERE kind = 'spend'; UPDATE run SET spent = 0;
		INSERT INTO entry (at, run, kind, units, id) VALUES (now(), 'a', 'spend', 1, 'of another process');
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1})
	require.ErrorIs(t, err, quota.ErrWentBack)
	_, err = s.Begin(ctx, quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorIs(t, err, quota.ErrWentBack)
}

func TestServerIsGone(t *testing.T) {
	cutter, dsn := newCutter(t, pgtest.Database(t))
	s := newStore(t, postgres.Config{DSN: dsn})
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	require.NoError(t, cutter.listener.Close())
	cutter.left.Store(0)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.ErrorContains(t, err, "ledger 127.0.0.1")
}

func TestTextThatTheServerRefuses(t *testing.T) {
	s := newStore(t, postgres.Config{})
	for _, text := range []string{"a\x00b", "a\xffb"} {
		_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 1, Attribution: quota.Attribution{Branch: text}}, nil)
		assert.ErrorContains(t, err, "a text is not UTF-8 or has a zero byte")
	}
}

// TestSpendMeetsSweep spends on a run after a sweep has read it and before the
// sweep has its row: what was spent must not return with the rest of the hold.
func TestSpendMeetsSweep(t *testing.T) {
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	ctx := t.Context()
	_, err := s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	var once sync.Once
	sweeper, err := postgres.Open(ctx, postgres.Config{DSN: dsn, Gone: func(quota.Process) bool {
		once.Do(func() {
			_, err := s.Spend(ctx, quota.SpendSpec{ID: "1", Run: "a", Units: 4})
			assert.NoError(t, err)
		})
		return true
	}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, sweeper.Close()) }()
	_, err = sweeper.Begin(ctx, quota.RunSpec{ID: "b"}, nil)
	require.NoError(t, err)

	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, [3]int64{4, 0, 4}, [3]int64{status.Spent, status.Held, status.Unknown}, "spent, held, unknown")
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}
