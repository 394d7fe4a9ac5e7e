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

// TestSumOfAnEntryThatComesLate sums up while a refusal is under way, in a transaction,
// with a number below those of entries that are there. No run's units tell of it; what
// goes on from that sum has it all the same.
func TestSumOfAnEntryThatComesLate(t *testing.T) {
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
	_, err = other.Exec(ctx, `INSERT INTO hsharness.entry (at, run, kind, units, id, detail)
		VALUES ($1, '', 'block', 0, '', '{"refusals": [{"rule": "usable"}]}')`, s.config.now())
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: "1", Outcome: quota.Answered, Status: 200}))
	before, known, err := s.Sum(ctx, time.Time{}, nil)
	require.NoError(t, err)
	assert.Empty(t, before.Blocked)

	require.NoError(t, other.Commit(ctx))
	after, _, err := s.Sum(ctx, time.Time{}, known)
	require.NoError(t, err)
	assert.Len(t, after.Blocked, 1)
	assert.EqualValues(t, 1, after.Total.Spent)
}
