package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

func TestParameters(t *testing.T) {
	for name, row := range map[string]struct {
		given  map[string]string
		schema string
		want   map[string]string // of what is set
	}{
		"nothing":         {nil, "hsharness", map[string]string{"search_path": searchPath, "synchronous_commit": "on"}},
		"a schema":        {map[string]string{"search_path": "team"}, "team", map[string]string{"search_path": searchPath}},
		"in capitals":     {map[string]string{"Search_Path": "team"}, "team", nil},
		"as an option":    {map[string]string{"options": `-c search_path=team --statement-timeout=3s -cdatestyle=a\ b`}, "team", map[string]string{"statement_timeout": "3s", "datestyle": "a b"}},
		"the same twice":  {map[string]string{"options": "-c search_path=team", "search_path": "team"}, "team", nil},
		"a word of SQL":   {map[string]string{"search_path": "user"}, "user", nil},
		"without a value": {map[string]string{"search_path": ""}, "hsharness", nil},
	} {
		t.Run(name, func(t *testing.T) {
			schema, set, err := parameters(row.given)
			require.NoError(t, err)
			assert.Equal(t, row.schema, schema)
			for name, value := range row.want {
				assert.Equal(t, value, set[name], name)
			}
		})
	}
	for name, given := range map[string]map[string]string{
		"two schemas":        {"search_path": "a, b"},
		"the server's own":   {"search_path": "pg_temp"},
		"another of them":    {"search_path": "information_schema"},
		"to be quoted":       {"search_path": `"A"`},
		"two that differ":    {"search_path": "a", "options": "-c search_path=b"},
		"two in the options": {"options": "-c search_path=a -c search_path=b"},
		"another option":     {"options": "-d 5"},
		"half an option":     {"options": "-c"},
		"no value":           {"options": "-c search_path"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := parameters(given)
			require.Error(t, err)
		})
	}
}

func newStore(t *testing.T, config Config) *store {
	t.Helper()
	opened, err := Init(t.Context(), config, quota.InitSpec{Granted: 100, Account: "account"})
	require.NoError(t, err)
	s := opened.(*store)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	return s
}

// TestOtherSession changes what a session was set to, behind the back of its
// store, as a pooler that hands it to others does. Whatever looks first, nothing
// is changed any more.
func TestOtherSession(t *testing.T) {
	t.Parallel()
	spend := func(ctx context.Context, s *store) error {
		_, err := s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1})
		return err
	}
	begin := func(ctx context.Context, s *store) error {
		_, err := s.Begin(ctx, quota.RunSpec{ID: "b", Max: 10}, nil)
		return err
	}
	renew := func(ctx context.Context, s *store) error {
		_, err := s.Renew(ctx, "a")
		return err
	}
	for sql, want := range map[string]error{
		"SET hsharness_ledger.session = 'another'": quota.ErrUnsafePlace,
		"DISCARD ALL":                            quota.ErrUnsafePlace,
		"SET synchronous_commit = off":           quota.ErrPoisoned,
		"SET session_replication_role = replica": quota.ErrPoisoned,
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			for name, do := range map[string]func(context.Context, *store) error{"spend": spend, "begin": begin, "renew": renew} {
				s := newStore(t, Config{DSN: dsn + "&pool_max_conns=1&default_query_exec_mode=exec&search_path=" + name})
				// A connection that was found at home is not looked at again.
				_, err := s.Spend(t.Context(), quota.SpendSpec{ID: "before", Run: "a", Units: 1})
				require.NoError(t, err)
				_, err = s.pool.Pool.Exec(t.Context(), sql)
				require.NoError(t, err)
				require.ErrorIs(t, do(t.Context(), s), want, name)
				for _, other := range []func(context.Context, *store) error{spend, begin, renew} {
					require.ErrorIs(t, other(t.Context(), s), want, "after %s", name)
				}
				status, err := s.Status(t.Context())
				require.NoError(t, err, "it can still be read")
				assert.Equal(t, [2]int64{1, 9}, [2]int64{status.Spent, status.Held}, "spent, held")
			}
		})
	}
}

// TestPoolerOfOne has one connection to give. The other one of a pair is let go, so
// that others who wait as well get on.
func TestPoolerOfOne(t *testing.T) {
	t.Parallel()
	pooled, ok := pgtest.Pooler(t, pgtest.Database(t), "default_pool_size = 1")
	if !ok {
		return
	}
	config, err := pgx.ParseConfig(pooled)
	require.NoError(t, err)
	_, _, err = pair(t.Context(), config)
	require.ErrorIs(t, err, errNoPair)
	next, err := pgx.Connect(t.Context(), pooled)
	require.NoError(t, err)
	defer func() { _ = next.Close(context.Background()) }()
	require.NoError(t, next.Ping(t.Context()))
}

// TestHears tells a connection with a session of its own from one of which the
// server knows nothing while it is idle.
func TestHears(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	connect := func(dsn string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), dsn)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	second, s := connect(dsn), &store{}
	for mode, own := range map[string]bool{"session": true, "transaction": false} {
		pooled, ok := pgtest.Pooler(t, dsn, "pool_mode = "+mode)
		if !ok {
			return
		}
		wait := 200 * time.Millisecond // in which nothing comes
		if own {
			wait = time.Minute
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		err := s.hears(ctx, connect(pooled), second)
		if own {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, quota.ErrUnsafePlace)
	}
}
