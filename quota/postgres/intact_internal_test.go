package postgres

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

var writeObjects = flag.Bool("objects", false, "write objects.txt anew")

// What the tables of a ledger are made of is what objects.txt says, and the server's sum of it
// is ours: else each opening would look twice.
func TestObjects(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := &store{config: Config{DSN: dsn}}
	if *writeObjects {
		require.NoError(t, s.connect(t.Context()))
		require.NoError(t, pgx.BeginFunc(t.Context(), s.pool, func(pt pgx.Tx) error { return (&tx{Tx: pt, store: s}).create(t.Context()) }))
	} else {
		s = newStore(t, Config{DSN: dsn})
	}
	tables, sum, lines := wanted()
	rows, err := s.pool.Query(t.Context(), objectsSQL, "hsharness", tables)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	slices.Sort(found)
	var is string
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT "+sumSQL, "hsharness", tables).Scan(&is))
	if *writeObjects {
		require.NoError(t, os.WriteFile("objects.txt", []byte(tables+"\n"+is+"\n"+strings.Join(found, "\n")+"\n"), 0o600))
		return
	}
	assert.Equal(t, found, lines)
	assert.Equal(t, sum, is)
	var all []string
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'hsharness'::regnamespace AND relkind = 'r'").Scan(&all))
	assert.ElementsMatch(t, all, strings.Fields(tables))
	var level string
	require.NoError(t, s.pool.QueryRow(t.Context(), "SHOW client_min_messages").Scan(&level))
	assert.Equal(t, "error", level)
}
