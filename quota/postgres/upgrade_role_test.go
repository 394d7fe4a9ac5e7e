package postgres_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// An administrator brings a ledger up to date that belongs to another role: the new
// tables belong to that one, who could write entries can use them, and who could
// read them can read these.
func TestUpgradeByAnother(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	owner, spender, reader, nobody := loginRole(t, dsn), loginRole(t, dsn), loginRole(t, dsn), loginRole(t, dsn)
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	do(t, dsn, "GRANT CREATE ON DATABASE "+pgx.Identifier{config.Database}.Sanitize()+" TO "+owner)
	postgres.Earlier(t, with(dsn, "user", owner), "hsharness", 2)
	do(t, with(dsn, "user", owner), "GRANT USAGE ON SCHEMA hsharness TO "+spender+", "+reader,
		"GRANT SELECT ON ALL TABLES IN SCHEMA hsharness TO "+spender+", "+reader,
		"GRANT INSERT ON hsharness.run, hsharness.entry TO "+spender)
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	require.NoError(t, err)
	require.NoError(t, s.Close())

	conn := session(t, dsn)
	rows, err := conn.Query(t.Context(), `SELECT relname FROM pg_class WHERE relnamespace = 'hsharness'::regnamespace AND relkind = 'r'
		AND relname NOT IN ('ledger', 'run', 'entry', 'schema_version')`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	for _, table := range tables {
		for role, want := range map[string]string{owner: "SELECT INSERT UPDATE DELETE", spender: "SELECT INSERT UPDATE DELETE", reader: "SELECT", nobody: ""} {
			for _, right := range strings.Fields("SELECT INSERT UPDATE DELETE TRUNCATE") {
				var may, owns bool
				require.NoError(t, conn.QueryRow(t.Context(), "SELECT has_table_privilege($1, $2::regclass, $3), pg_get_userbyid(relowner) = $1 FROM pg_class WHERE oid = $2::regclass",
					role, "hsharness."+table, right).Scan(&may, &owns))
				assert.Equal(t, role == owner, owns, "%s of %s", table, role)
				assert.Equal(t, role == owner || strings.Contains(want, right), may, "%s %s", right, table)
			}
		}
	}
}

// Who may not bring a ledger up to date, and waits while another does, is not
// refused when that is done.
func TestUpgradeIsWaitedFor(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	postgres.Earlier(t, dsn, "hsharness", 2)
	role := loginRole(t, dsn)
	do(t, dsn, "GRANT USAGE ON SCHEMA hsharness TO "+role, "GRANT SELECT ON ALL TABLES IN SCHEMA hsharness TO "+role)
	conn := session(t, dsn)
	step, err := os.ReadFile("migrations/3.sql")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `BEGIN; SELECT pg_advisory_xact_lock(hashtext('hsharness ledger'), hashtext('hsharness'));
		UPDATE hsharness.schema_version SET version = `+strconv.Itoa(postgres.SchemaVersion)+";"+string(step))
	require.NoError(t, err)
	opened := make(chan error, 1)
	go func() {
		s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "user", role)})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	require.Eventually(t, func() (waits bool) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waits))
		return waits
	}, time.Minute, time.Millisecond)
	_, err = conn.Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	require.NoError(t, <-opened)
}

// The server's disk is full at each table and index of an upgrade: nothing of it is
// left, and it is done when there is room.
func TestUpgradeWithoutRoom(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	postgres.Earlier(t, dsn, "hsharness", 2)
	_, before, entries := postgres.SchemaOf(t, dsn, "hsharness", 1000)
	do(t, dsn, "CREATE SEQUENCE public.command", `CREATE FUNCTION public.full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('public.command') = current_setting('test.full_at')::int THEN
				RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
			END IF;
		END $$`, "CREATE EVENT TRIGGER full_disk ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE INDEX', 'GRANT') EXECUTE FUNCTION public.full_disk()")
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	for n := 1; ; n++ {
		do(t, dsn, "ALTER SEQUENCE public.command RESTART", "ALTER DATABASE "+pgx.Identifier{config.Database}.Sanitize()+" SET test.full_at = "+strconv.Itoa(n))
		s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
		if err == nil {
			report, err := s.Verify(t.Context())
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			require.NoError(t, s.Close())
			assert.Greater(t, n, 1)
			break
		}
		require.ErrorContains(t, err, "No space left on device")
		version, objects, _ := postgres.SchemaOf(t, dsn, "hsharness", 0)
		require.Equal(t, 2, version)
		require.Equal(t, before, objects)
	}
	version, _, after := postgres.SchemaOf(t, dsn, "hsharness", 1000)
	assert.Equal(t, postgres.SchemaVersion, version)
	assert.Equal(t, entries, after)
	_, err = postgres.Init(t.Context(), postgres.Config{DSN: dsn}, quota.InitSpec{})
	require.ErrorIs(t, err, quota.ErrLedgerExists)
}
