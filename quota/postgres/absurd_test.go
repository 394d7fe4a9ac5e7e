package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// absurd are the values that nobody but a tamperer writes into a column of a type.
var absurd = map[string][]string{
	"bigint":                   {"9223372036854775807", "-9223372036854775808"},
	"timestamp with time zone": {"'infinity'", "'-infinity'", "'294270-01-01'"},
}

// In every column of numbers and times, one row has the most that it can, or the least, as
// nobody but a tamperer writes. No command hangs, prints what is no JSON, or fails, unless
// what is counted is damaged: then it says so.
func TestAbsurdNumbers(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "waits", Max: 3}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{Run: "waits", ID: "spent", Units: 1})
	require.NoError(t, err)
	for range 2 {
		_, err = s.(pace.Keeper).Turn(t.Context(), pace.Ask{Run: "waits", Rates: []pace.Rate{{Turns: 1, Per: 10 * time.Second}}})
		require.NoError(t, err)
	}
	db := session(t, dsn)
	rows, err := db.Query(t.Context(), "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'hsharness' AND data_type IN ('bigint', 'timestamp with time zone')")
	require.NoError(t, err)
	type column struct{ Table, Name, Type string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	require.Greater(t, len(columns), 40)
	for _, c := range columns {
		for _, value := range absurd[c.Type] {
			name := fmt.Sprintf("%s.%s %s", c.Table, c.Name, value)
			t.Run(name, func(t *testing.T) {
				tampered(t, db, fmt.Sprintf("UPDATE hsharness.%s SET %s = %s WHERE ctid = (SELECT max(ctid) FROM hsharness.%[1]s)", c.Table, c.Name, value), func() {
					s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
					require.NoError(t, err)
					quotatest.Absurd(t, s, name, c.Table, c.Name)
					require.NoError(t, s.Close())
				})
			})
		}
	}
}

// tables are all of a ledger's that have rows.
var tables = []string{"ledger", "run", "entry", "pace", "pace_turn", "pace_run"}

// tampered changes a ledger, for as long as a function takes, unless its tables refuse that.
func tampered(t *testing.T, db *pgx.Conn, sql string, during func()) {
	t.Helper()
	run := func(sql string) error { _, err := db.Exec(t.Context(), sql); return err }
	keep, back := "", ""
	for _, table := range tables {
		keep += fmt.Sprintf("CREATE TEMP TABLE keep_%s AS SELECT * FROM hsharness.%[1]s;", table)
		back += fmt.Sprintf("DELETE FROM hsharness.%s; INSERT INTO hsharness.%[1]s SELECT * FROM keep_%[1]s; DROP TABLE keep_%[1]s;", table)
	}
	const unguarded = "SET session_replication_role = replica;"
	const home = "UPDATE hsharness.ledger SET home = home || jsonb_build_object('first', (SELECT xmin::text::bigint FROM hsharness.entry ORDER BY seq LIMIT 1));"
	require.NoError(t, run(keep))
	var refused *pgconn.PgError
	if err := run(unguarded + sql + ";" + home); err == nil {
		during()
	} else {
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "23514", refused.Code, "the table itself refuses it")
	}
	require.NoError(t, run(unguarded+back+home))
}

// A turn whose number is nobody's is not told as how many there were.
func TestATurnThatIsNobodysIsNotTold(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	do(t, dsn, "INSERT INTO hsharness.pace_turn (seq, at, run) VALUES (9223372036854775807, now(), 'x')")
	state, err := s.(pace.Keeper).Pace(t.Context())
	require.NoError(t, err)
	require.Zero(t, state.Turns)
}
