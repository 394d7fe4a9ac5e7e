package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

// TestRepeatedSpendSettlesUnderALock repeats a spend whose commit was not heard of,
// while another process is settling, unseen yet, what the spend settles in
// passing. The repetition has no lock by its spend, so it must take one and wait.
func TestRepeatedSpendSettlesUnderALock(t *testing.T) {
	ctx := t.Context()
	opened, err := Init(ctx, Config{DSN: pgtest.Database(t)}, quota.InitSpec{Granted: 100, Account: "account"})
	require.NoError(t, err)
	s := opened.(*store)
	defer func() { assert.NoError(t, s.Close()) }()
	_, err = s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	_, err = s.spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1}, "owner", nil) // its answer is lost
	require.NoError(t, err)

	other, err := s.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = other.Rollback(context.Background()) }() // committed unless the test failed
	_, err = other.Exec(ctx, "SELECT FROM hsharness.run WHERE id = 'a' FOR NO KEY UPDATE")
	require.NoError(t, err)
	_, err = other.Exec(ctx, settleSQL, s.config.now(), "1", "settle", "unknown", int64(0), int64(0), int64(0), "")
	require.NoError(t, err)

	done := make(chan error, 1)
	go func() {
		a, err := s.spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1}, "owner", []quota.Settlement{{Spend: "1", Outcome: quota.Answered, Status: 200}})
		if err == nil {
			err = a.refusal
		}
		done <- err
	}()
	waitForLock(t, s, done)
	require.NoError(t, other.Commit(ctx))
	require.NoError(t, <-done, "the spend is found to be its own")

	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, [2]int64{2, 0}, [2]int64{status.Spent, status.Unknown}, "spent, unknown: the answer came late")
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// waitForLock waits until a statement waits for another's lock, or until done has
// something.
func waitForLock(t *testing.T, s *store, done <-chan error) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n)
		return err == nil && n > 0 || len(done) > 0
	}, 10*time.Second, 10*time.Millisecond)
}

// TestSpendBehindAnother spends on a run while another spend of it is not yet
// committed. The one that waited finds a row that has changed, and units that are
// still held: it is written at its first attempt.
func TestSpendBehindAnother(t *testing.T) {
	ctx := t.Context()
	opened, err := Init(ctx, Config{DSN: pgtest.Database(t)}, quota.InitSpec{Granted: 100, Account: "account"})
	require.NoError(t, err)
	s := opened.(*store)
	defer func() { assert.NoError(t, s.Close()) }()
	_, err = s.Begin(ctx, quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)

	other, err := s.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = other.Rollback(context.Background()) }() // committed unless the test failed
	_, err = other.Exec(ctx, spendSQL, s.config.now(), "a", int64(1), "1", "", "", "", "owner", s.wantMark(), s.runTable.Load())
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		a, err := s.spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1}, "another", nil)
		if err == nil {
			err = a.refusal
		}
		done <- err
	}()
	waitForLock(t, s, done)
	require.NoError(t, other.Commit(ctx))
	require.NoError(t, <-done)

	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, int64(2), status.Spent)
}
