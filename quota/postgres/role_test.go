package postgres_test

import (
	"crypto/rand"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestRoleOfTheManual makes the role that docs/ledger.md describes, and does all
// that a run and its reports do as that role, and what it must not do.
func TestRoleOfTheManual(t *testing.T) {
	page, err := os.ReadFile("../../docs/ledger.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, block)
	const named = "hsharness_spender"
	role := named + "_" + strings.ToLower(rand.Text()) // roles are the whole server's
	require.Contains(t, string(block[1]), named)

	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	owner := session(t, dsn)
	_, err = owner.Exec(t.Context(), strings.ReplaceAll(string(block[1]), named, role))
	require.NoError(t, err)
	defer func() {
		_, err := owner.Exec(t.Context(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		require.NoError(t, err)
	}()

	s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "role", role)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ctx := t.Context()
	_, err = s.Begin(ctx, quota.RunSpec{ID: "r", Max: 3}, []quota.Rule{{MaxPerDay: 50}})
	require.NoError(t, err)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "r", Units: 1, Operation: "POST /hscode/classify"})
	require.NoError(t, err)
	require.NoError(t, s.Settle(ctx, quota.Settlement{Spend: "s", Outcome: quota.Answered, Status: 200}))
	_, err = s.Renew(ctx, "r")
	require.NoError(t, err)
	keeper := s.(pace.Keeper)
	turn, err := keeper.Turn(ctx, pace.Ask{Run: "r", Rates: []pace.Rate{{Turns: 1, Per: time.Hour}}})
	require.NoError(t, err)
	assert.True(t, turn.Given)
	require.NoError(t, keeper.Pause(ctx, time.Second, "429"))
	require.NoError(t, keeper.Leave(ctx, "r"))
	_, err = s.Exhaust(ctx, quota.ExhaustSpec{Run: "r", Status: 429})
	require.NoError(t, err)
	_, err = s.End(ctx, "r", quota.Counters{})
	require.NoError(t, err)
	_, err = s.Grant(ctx, quota.GrantSpec{ID: "g", Units: 5})
	require.ErrorContains(t, err, "the role may not do this")
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 1, status.Spent)

	conn := session(t, with(dsn, "role", role))
	var shut []string // of the tables beside the journal
	require.NoError(t, conn.QueryRow(ctx, `SELECT coalesce(array_agg(relname::text), '{}') FROM pg_class
		WHERE relnamespace = 'hsharness'::regnamespace AND relkind = 'r' AND relname NOT IN ('ledger', 'run', 'entry', 'schema_version')
		AND NOT (has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))`).Scan(&shut))
	assert.Empty(t, shut, "whoever runs writes there")
	for _, forbidden := range []string{
		"UPDATE entry SET units = 0", "UPDATE ledger SET granted = granted + 1", "UPDATE run SET max = max + 1", "DELETE FROM entry", "TRUNCATE entry", "DROP TABLE entry",
		"ALTER TABLE entry DISABLE TRIGGER ALL", "DELETE FROM run", "DELETE FROM ledger", "UPDATE schema_version SET version = 9",
		"CREATE TABLE hsharness.mine ()",
	} {
		_, err := conn.Exec(ctx, forbidden)
		assert.ErrorContains(t, err, "42501", forbidden) // insufficient privilege
	}
}
