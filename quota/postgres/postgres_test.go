package postgres_test

import (
	"context"
	"flag"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// crashSeeds is how many trials of the crash harness to run: -crash.seeds=200 is
// what a night has time for. The same trials are run on SQLite, where they cost a
// third.
var crashSeeds = flag.Int("crash.seeds", 2, "trials of the crash harness")

// modelChecks is how many walks the model takes here unless -rapid.checks says more;
// make crashes does. Each asks the server some two thousand times.
const modelChecks = "6"

func TestMain(m *testing.M) {
	processes.Main()
	if err := flag.Set("rapid.checks", modelChecks); err != nil {
		panic(err)
	}
	pgtest.Main(m, removeProgram)
}

// TestSuite puts each ledger into a schema of its own, which is faster than a
// database.
func TestSuite(t *testing.T) {
	t.Parallel()
	suite(t, func(s quota.Store) quota.Store { return s })
}

// TestSuiteTogether has each spend written as many are at once.
func TestSuiteTogether(t *testing.T) {
	t.Parallel()
	suite(t, postgres.Together)
}

func suite(t *testing.T, as func(quota.Store) quota.Store) {
	t.Helper()
	dsn := pgtest.Database(t)
	quotatest.Run(t, quotatest.Suite{
		Open: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := postgres.Init(t.Context(), suiteConfig(dsn, config), config.Init)
			require.NoError(t, err)
			return as(s)
		},
		Reopen: func(t testing.TB, config quotatest.Config) quota.Store {
			s, err := postgres.Open(t.Context(), suiteConfig(dsn, config))
			require.NoError(t, err)
			return as(s)
		},
	})
}

func suiteConfig(dsn string, c quotatest.Config) postgres.Config {
	return postgres.Config{DSN: with(dsn, "search_path", schemaName(c.Dir)), Now: c.Now, Gone: c.Gone}
}

// schemaName makes a folder's name one of a schema: its end, which is unique.
func schemaName(dir string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(dir))
	return "s" + name[max(0, len(name)-60):]
}

// with is a connection string with one more setting.
func with(dsn, name, value string) string {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	return dsn + " " + name + "=" + value
}

// newStore is a ledger of 100 units in a database of its own.
func newStore(t testing.TB, config postgres.Config) quota.Store {
	t.Helper()
	if config.DSN == "" {
		config.DSN = pgtest.Database(t)
	}
	s, err := postgres.Init(t.Context(), config, quota.InitSpec{Granted: 100, Account: "account"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// session is a connection that sees the tables of the ledger.
func session(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), with(dsn, "search_path", "hsharness"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
