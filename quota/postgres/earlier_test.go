package postgres

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// BeEarlier makes this process a program of an earlier version: the one of that
// schema. It is for a child of a test, before anything else.
func BeEarlier(version int) { newest = version }

// SchemaVersion is the newest.
const SchemaVersion = schemaVersion

// Earlier puts a ledger into a schema that a program of an earlier version wrote:
// with all kinds of entries, three runs that are active, spends that are open, and a
// bar.
func Earlier(t testing.TB, dsn, schema string, version int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("testdata/version%d.sql", version))
	require.NoError(t, err)
	sql := strings.NewReplacer("hsharness.", schema+".", "SCHEMA hsharness;", "SCHEMA "+schema+";").Replace(string(text))
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

// AtHome makes a ledger that was restored be at home where it is now, as if it had
// been made there.
func AtHome(t testing.TB, dsn string) {
	t.Helper()
	s := &store{config: Config{DSN: dsn}}
	require.NoError(t, s.connect(t.Context()))
	require.NoError(t, pgx.BeginFunc(t.Context(), s.pool, func(t pgx.Tx) error {
		return (&tx{Tx: t, store: s}).bind(context.Background())
	}))
	require.NoError(t, s.Close())
}

// SchemaOf is the number of a ledger's schema, all that is in it, and the entries.
func SchemaOf(t testing.TB, dsn, schema string, upTo int64) (version int, objects, entries []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	// Brackets may stand where they change nothing, once a dump was restored.
	rows := func(sql string, args ...any) []string {
		rows, err := conn.Query(t.Context(), sql, args...)
		require.NoError(t, err)
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		for i := range texts {
			texts[i] = strings.NewReplacer(schema+".", "", "(", "", ")", "").Replace(texts[i])
		}
		slices.Sort(texts)
		return texts
	}
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT version FROM "+schema+".schema_version").Scan(&version))
	objects = rows(`SELECT what FROM (
		SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attidentity::text || ' ' ||
			coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS what
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'
		UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = $1::regnamespace
		UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = $1::regnamespace
		UNION ALL SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid WHERE c.relnamespace = $1::regnamespace
		) all_of_it`, schema)
	return version, objects, rows("SELECT e::text FROM "+schema+".entry e WHERE seq <= $1", upTo)
}
