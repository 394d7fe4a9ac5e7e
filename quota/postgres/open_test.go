package postgres_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

func TestOpenRefuses(t *testing.T) {
	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	newer := with(dsn, "search_path", "newer")
	newStore(t, postgres.Config{DSN: newer})
	_, err := session(t, dsn).Exec(t.Context(), "UPDATE newer.schema_version SET version = 99")
	require.NoError(t, err)

	for name, row := range map[string]struct {
		config postgres.Config
		want   error
	}{
		"no ledger":              {postgres.Config{DSN: pgtest.Database(t)}, quota.ErrNoLedger},
		"another schema":         {postgres.Config{DSN: with(dsn, "search_path", "elsewhere")}, quota.ErrNoLedger},
		"newer":                  {postgres.Config{DSN: newer}, quota.ErrNewerSchema},
		"other allowance":        {postgres.Config{DSN: dsn, Allowance: "team"}, quota.ErrNoLedger},
		"commits not flushed":    {postgres.Config{DSN: with(dsn, "synchronous_commit", "off")}, quota.ErrUnsafePlace},
		"flushed elsewhere only": {postgres.Config{DSN: with(dsn, "synchronous_commit", "remote_write")}, quota.ErrUnsafePlace},
		"read-only":              {postgres.Config{DSN: with(dsn, "default_transaction_read_only", "on")}, quota.ErrUnsafePlace},
		"other isolation":        {postgres.Config{DSN: with(dsn, "default_transaction_isolation", "serializable")}, quota.ErrUnsafePlace},
		"several schemas":        {postgres.Config{DSN: with(dsn, "search_path", "hsharness,public")}, nil},
		"no connection string":   {postgres.Config{DSN: "postgres://%"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), row.config)
			require.Error(t, err)
			if row.want != nil {
				assert.ErrorIs(t, err, row.want)
			}
		})
	}
}

func TestPasswordStaysOutOfErrors(t *testing.T) {
	for _, dsn := range []string{
		"postgres://user:geheim@127.0.0.1:1/db?sslmode=disable",
		"postgres://user:geheim@127.0.0.1:99999999/db",
		"host=127.0.0.1 port=1 user=u password=geheim dbname=db sslmode=nonsense",
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "geheim")
		assert.NotContains(t, err.Error(), "`user=")
	}
}

// A server repeats the names that it does not know.
func TestPasswordInsteadOfAName(t *testing.T) {
	for _, dsn := range []string{
		"postgres:///user:geheim@127.0.0.1:1/db",
		"postgres://user%3Ageheim%40127.0.0.1:1/db",
		"postgres://127.0.0.1:1/db?user=user:geheim@h",
		"postgres://user:12/geheim@127.0.0.1:1/db",
		"postgres://user:/geheim@127.0.0.1:1/db",
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
		require.ErrorContains(t, err, "a password seems to stand in the name", dsn)
		assert.NotContains(t, err.Error(), "geheim")
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := postgres.Open(ctx, postgres.Config{DSN: pgtest.Database(t)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOneInitWins(t *testing.T) {
	dsn := pgtest.Database(t)
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := postgres.Init(t.Context(), postgres.Config{DSN: dsn}, quota.InitSpec{Granted: 5})
			if err != nil {
				assert.ErrorIs(t, err, quota.ErrLedgerExists)
				return
			}
			made.Add(1)
			assert.NoError(t, s.Close())
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), made.Load())
	_, err := postgres.Init(t.Context(), postgres.Config{DSN: dsn}, quota.InitSpec{Granted: -5})
	require.Error(t, err)
}

func TestEntriesAreAppendOnly(t *testing.T) {
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	conn := session(t, dsn)
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.NoError(t, err)
	_, err = s.End(t.Context(), "a", quota.Counters{})
	require.NoError(t, err)
	for _, sql := range []string{
		"UPDATE entry SET units = 0 WHERE kind = 'spend'",
		"UPDATE entry SET note = 'x'",
		"DELETE FROM entry WHERE seq = 4",
		"DELETE FROM entry",
		"TRUNCATE entry",
		"INSERT INTO entry SELECT * FROM entry WHERE seq = 4",
		"INSERT INTO entry (seq, at, run, kind, units, id) VALUES (-1, now(), '', 'block', 0, '')",
		"DELETE FROM run",
		"TRUNCATE run",
		"UPDATE run SET spent = 0",
		"UPDATE run SET state = 'active', over = NULL",
	} {
		_, err := conn.Exec(t.Context(), sql)
		assert.Error(t, err, sql)
	}
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	assert.Equal(t, int64(7), report.Entries)

	_, err = conn.Exec(t.Context(), "SET session_replication_role = replica; DELETE FROM entry WHERE kind = 'spend'")
	require.NoError(t, err)
	report, err = s.Verify(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, report.Problems, "without the triggers Verify finds out")
}

// TestLeastPrivilege gives a role what the package comment says, and no more.
func TestLeastPrivilege(t *testing.T) {
	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	conn := session(t, dsn)
	role := "spender_" + strings.ToLower(rand.Text())
	_, err := conn.Exec(t.Context(), strings.ReplaceAll(`CREATE ROLE spender LOGIN;
		GRANT USAGE ON SCHEMA hsharness TO spender;
		GRANT SELECT ON ALL TABLES IN SCHEMA hsharness TO spender;
		GRANT INSERT ON hsharness.run, hsharness.entry TO spender;
		GRANT UPDATE (base, unknown, exhausted) ON hsharness.ledger TO spender;
		GRANT UPDATE (state, spent, unknown, lease_until, over, requests, replayed, mocked, missed, would_spend)
			ON hsharness.run TO spender;`, "spender", role))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		assert.NoError(t, err)
	})

	ctx := t.Context()
	s, err := postgres.Open(ctx, postgres.Config{DSN: with(dsn, "user", role)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for _, id := range []string{"a", "b"} {
		_, err = s.Begin(ctx, quota.RunSpec{ID: id, Max: 10}, nil)
		require.NoError(t, err)
	}
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.NoError(t, err)
	_, err = s.Renew(ctx, "a")
	require.NoError(t, err)
	_, err = s.End(ctx, "a", quota.Counters{Requests: 1})
	require.NoError(t, err)
	require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: "s", Outcome: quota.Answered}), "a late answer")
	_, err = s.Exhaust(ctx, quota.ExhaustSpec{Run: "b", Status: 402})
	require.NoError(t, err)
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)

	_, err = s.Grant(ctx, quota.GrantSpec{ID: "g", Units: 1000})
	assert.ErrorContains(t, err, "the role may not do this")
	spender := session(t, with(dsn, "user", role))
	for _, sql := range []string{
		"UPDATE ledger SET granted = 1000", "UPDATE run SET max = 1000", "DELETE FROM entry", "TRUNCATE entry",
		"ALTER TABLE entry DISABLE TRIGGER ALL", "DROP TABLE entry", "SET session_replication_role = replica",
	} {
		_, err := spender.Exec(ctx, sql)
		assert.Error(t, err, sql)
	}
}
