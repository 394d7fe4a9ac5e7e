package postgres_test

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestSchemaOne opens a ledger that was made before a ledger knew where it is at
// home: by many processes at once, and by a role that may only spend.
func TestSchemaOne(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	wholeRun(t, s, "before")
	before := journal(t, s)
	role := loginRole(t, dsn)
	page, err := os.ReadFile("../../docs/ledger.md")
	require.NoError(t, err)
	grants := regexp.MustCompile("(?s)```sql\n.*?NOLOGIN;\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, grants)
	do(t, dsn, strings.ReplaceAll(string(grants[1]), "hsharness_spender", role),
		"DROP TABLE IF EXISTS hsharness.pace, hsharness.pace_turn, hsharness.pace_run, hsharness.notice, hsharness.notice_hook, hsharness.answer, hsharness.purchase",
		"ALTER TABLE hsharness.ledger DROP COLUMN home", "UPDATE hsharness.schema_version SET version = 1")
	spender := postgres.Config{DSN: with(dsn, "user", role)}
	_, err = postgres.Open(t.Context(), spender)
	require.ErrorContains(t, err, "its schema is 1, this program needs 3, and this role may not bring it up to date")

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	s, err = postgres.Open(t.Context(), spender)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	assert.Equal(t, before, journal(t, s))
	wholeRun(t, s, "after")
	_, err = s.Reconcile(t.Context(), quota.ReconcileSpec{ID: "r", Observed: 1, Note: "by one who only spends"})
	require.ErrorContains(t, err, "the role may not do this")

	copied := pgtest.Database(t)
	pgtest.Restore(t, copied, pgtest.Dump(t, dsn, "--no-owner", "--no-privileges"))
	other, err := postgres.Open(t.Context(), postgres.Config{DSN: copied})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	_, err = other.Begin(t.Context(), quota.RunSpec{ID: "in the copy", Max: 1}, nil)
	require.ErrorIs(t, err, quota.ErrWentBack)
}

// A server that crashed just after the creation of an unlogged table was rolled back may not
// start again, with all of its databases: an upgrade makes none.
func TestEveryTableIsLogged(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	var tables, others int
	require.NoError(t, session(t, dsn).QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE relpersistence <> 'p') FROM pg_class
		WHERE relnamespace = 'hsharness'::regnamespace AND relkind = 'r'`).Scan(&tables, &others))
	assert.GreaterOrEqual(t, tables, 10)
	assert.Zero(t, others)
}
