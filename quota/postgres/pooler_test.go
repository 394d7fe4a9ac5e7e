package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// schemas lists where there are tables of a ledger.
func schemas(t *testing.T, dsn string) (all []string) {
	t.Helper()
	rows, err := session(t, dsn).Query(t.Context(), "SELECT schemaname FROM pg_tables WHERE tablename = 'ledger' ORDER BY 1")
	require.NoError(t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// TestPoolerThatDropsSettings makes a ledger through a pooler that is told to
// ignore what a connection is started with, and another with the server's own
// address: it is the same one.
func TestPoolerThatDropsSettings(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	pooled, ok := pgtest.Pooler(t, dsn, "ignore_startup_parameters = search_path, synchronous_commit, default_transaction_isolation, "+
		"statement_timeout, idle_in_transaction_session_timeout, plan_cache_mode, enable_seqscan, jit, options")
	if !ok {
		return
	}
	for _, schema := range []string{"hsharness", "team", "user"} {
		here, there := with(dsn, "search_path", schema), with(pooled, "search_path", schema)
		s := newStore(t, postgres.Config{DSN: there})
		_, err := postgres.Init(t.Context(), postgres.Config{DSN: here}, quota.InitSpec{Granted: 100})
		require.ErrorIs(t, err, quota.ErrLedgerExists, "there is one already")
		other, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "options", "-csearch_path="+schema)})
		require.NoError(t, err)
		_, err = s.Begin(t.Context(), quota.RunSpec{ID: "pooled", Max: 60}, nil)
		require.NoError(t, err)
		_, err = other.Begin(t.Context(), quota.RunSpec{ID: "direct", Max: 60}, nil)
		require.ErrorIs(t, err, quota.ErrBlocked, "both draw on the same units")
		require.NoError(t, other.Close())
	}
	assert.Equal(t, []string{"hsharness", "team", "user"}, schemas(t, dsn))
}

// TestSessionPooling lets a pooler with its defaults hand out sessions.
func TestSessionPooling(t *testing.T) {
	t.Parallel()
	pooled, ok := pgtest.Pooler(t, pgtest.Database(t))
	if !ok {
		return
	}
	s := newStore(t, postgres.Config{DSN: pooled})
	wholeRun(t, s, "a")
	for _, weak := range []string{"synchronous_commit=off", "session_replication_role=replica", "zero_damaged_pages=on", "client_encoding=LATIN1"} {
		_, err := postgres.Open(t.Context(), postgres.Config{DSN: with(pooled, "options", "-c"+weak)})
		assert.ErrorIs(t, err, quota.ErrUnsafePlace, weak)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(pooled, "pool_max_conns", "1")})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	wholeRun(t, s, "b")
}

// wholeRun does what a run does.
func wholeRun(t *testing.T, s quota.Store, run string) {
	t.Helper()
	ctx := t.Context()
	_, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: 3}, nil)
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: run + "1", Run: run, Units: 1})
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: run + "2", Run: run, Units: 1}, quota.Settlement{Spend: run + "1", Outcome: quota.Answered, Status: 200})
	require.NoError(t, err)
	_, err = s.Renew(ctx, run)
	require.NoError(t, err)
	require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: run + "2", Outcome: quota.Unknown}))
	_, err = s.End(ctx, run, quota.Counters{Requests: 2})
	require.NoError(t, err)
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// TestTransactionPooling opens a ledger through poolers that hand out sessions by
// the transaction or the statement, with a pool that has nothing else to do and
// gives the same session each time, and with others.
func TestTransactionPooling(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"transaction":     {"pool_mode = transaction"},
		"statement":       {"pool_mode = statement"},
		"one session":     {"pool_mode = transaction", "default_pool_size = 1"},
		"always reset":    {"pool_mode = transaction", "server_reset_query_always = 1"},
		"in turn":         {"pool_mode = transaction", "server_round_robin = 1", "min_pool_size = 2"},
		"in turn, larger": {"pool_mode = transaction", "server_round_robin = 1", "min_pool_size = 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			pooled, ok := pgtest.Pooler(t, dsn, settings...)
			if !ok {
				return
			}
			_, err := postgres.Init(t.Context(), postgres.Config{DSN: pooled}, quota.InitSpec{Granted: 100})
			require.ErrorIs(t, err, quota.ErrUnsafePlace)
			assert.ErrorContains(t, err, "hands out a session for one transaction only")
			assert.ErrorContains(t, err, "pool_mode = session")
			t.Log(err)
			assert.Empty(t, schemas(t, dsn))
		})
	}
}
