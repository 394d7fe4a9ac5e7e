package postgres_test

import (
	"context"
	"fmt"
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

// What somebody put on the tables of a ledger, took away from them or changed is named, and
// the statement that drops it, before anything is written.
func TestChangedTables(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	do(t, dsn, `CREATE FUNCTION public.loud() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN LOOP RAISE NOTICE '%', repeat('x', 100000); END LOOP; END $$`)
	n := 0
	for sql, want := range map[string]string{
		"CREATE TRIGGER Loud BEFORE INSERT ON hsharness.run FOR EACH ROW EXECUTE FUNCTION public.loud()":             `hsharness did not make the trigger "loud" of its table run: DROP TRIGGER "loud" ON "hsharness".run`,
		"CREATE TRIGGER \"a\"\"b\" AFTER UPDATE ON hsharness.pace FOR EACH STATEMENT EXECUTE FUNCTION public.loud()": `: DROP TRIGGER "a""b" ON "hsharness".pace`,
		"DROP TRIGGER run_stays ON hsharness.run":                                                                    `the trigger "run_stays" of its table run is gone`,
		"ALTER TABLE hsharness.entry DISABLE TRIGGER entry_stays":                                                    `the trigger "entry_stays" of its table entry is not as hsharness made it`,
		"CREATE OR REPLACE FUNCTION hsharness.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'":  `its function "refuse" is not as hsharness made it`,
		"CREATE RULE quiet AS ON UPDATE TO hsharness.run DO INSTEAD NOTHING":                                         `hsharness did not make the rule "quiet" of its table run: DROP RULE "quiet" ON "hsharness".run`,
		"CREATE POLICY few ON hsharness.run USING (spent < 5); ALTER TABLE hsharness.run ENABLE ROW LEVEL SECURITY":  `its table "run" is not as hsharness made it`,
		"ALTER TABLE hsharness.pace_turn SET UNLOGGED":                                                               `its table "pace_turn" is not as hsharness made it`,
		"ALTER TABLE hsharness.notice RENAME TO mine; CREATE VIEW hsharness.notice AS SELECT * FROM hsharness.mine":  `its table "notice" is not as hsharness made it`,
		"ALTER TABLE hsharness.run ADD COLUMN twice bigint GENERATED ALWAYS AS (spent * 2) STORED":                   `hsharness did not make the column "twice" of its table run: ALTER TABLE "hsharness".run DROP COLUMN "twice"`,
		"ALTER TABLE hsharness.run ALTER COLUMN requests TYPE numeric":                                               `the column "requests" of its table run is not as hsharness made it`,
		"ALTER TABLE hsharness.run DROP CONSTRAINT run_check":                                                        `the constraint "run_check" of its table run is gone`,
		"ALTER TABLE hsharness.run ADD CONSTRAINT few CHECK (spent < 5)":                                             `: ALTER TABLE "hsharness".run DROP CONSTRAINT "few"`,
		"CREATE INDEX slow ON hsharness.entry (length(note))":                                                        `hsharness did not make the index "slow" of its table entry: DROP INDEX "hsharness"."slow"`,
		"CREATE UNIQUE INDEX one ON hsharness.entry (run)":                                                           `hsharness did not make the index "one"`,
		"DROP INDEX hsharness.entry_once":                                                                            `the index "entry_once" of its table entry is gone`,
		"CREATE TABLE hsharness.more () INHERITS (hsharness.entry)":                                                  `: ALTER TABLE "hsharness".more NO INHERIT "hsharness".entry`,
		"DROP TABLE hsharness.entry":                                                                                 `its table "entry" is gone`,
		"DROP TABLE hsharness.ledger":                                                                                `its table "ledger" is gone`,
		"ALTER TABLE hsharness.ledger DROP COLUMN account":                                                           `the column "account" of its table ledger is gone`,
		"DROP TABLE hsharness.purchase":                                                                              `its table "purchase" is gone`,
		"DROP TABLE hsharness.schema_version":                                                                        `its table schema_version is gone`,
		"DELETE FROM hsharness.schema_version":                                                                       `its table schema_version has no version`,
	} {
		n++
		schema := fmt.Sprintf("changed%d", n)
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			config := postgres.Config{DSN: with(dsn, "search_path", schema)}
			newStore(t, config)
			do(t, dsn, strings.ReplaceAll(sql, "hsharness.", schema+"."))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := postgres.Open(ctx, config)
			require.ErrorIs(t, err, quota.ErrDamaged)
			assert.ErrorContains(t, err, "schema "+schema+" is damaged: ")
			assert.Contains(t, strings.ReplaceAll(strings.ReplaceAll(err.Error(), `"`+schema+`"`, `"hsharness"`), schema+".", `"hsharness".`), want)
			_, err = postgres.Init(ctx, config, quota.InitSpec{Granted: 1})
			require.Error(t, err, "no other one is made in its place")
		})
	}
}

// What others keep beside the tables, or of them, and what does nothing to what is counted,
// stays as it is.
func TestTablesOfOthers(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	do(t, dsn, "CREATE FUNCTION public.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TABLE hsharness.mine (run text REFERENCES hsharness.run (id)); CREATE VIEW hsharness.spends AS SELECT * FROM hsharness.entry",
		"CREATE TRIGGER mine BEFORE INSERT ON hsharness.mine FOR EACH ROW EXECUTE FUNCTION public.other()",
		"CREATE INDEX for_reports ON hsharness.entry (at)", "CREATE STATISTICS hsharness.more ON run, kind FROM hsharness.entry",
		"CREATE TRIGGER replicated BEFORE INSERT ON hsharness.entry FOR EACH ROW EXECUTE FUNCTION public.other()", "ALTER TABLE hsharness.entry ENABLE REPLICA TRIGGER replicated",
		"CREATE TRIGGER off BEFORE INSERT ON hsharness.entry FOR EACH ROW EXECUTE FUNCTION public.other()", "ALTER TABLE hsharness.entry DISABLE TRIGGER off",
		"CREATE PUBLICATION all_of_it FOR TABLE hsharness.run, hsharness.entry", "ALTER TABLE hsharness.entry REPLICA IDENTITY FULL, SET (autovacuum_vacuum_cost_delay = 5)",
		"CREATE POLICY few ON hsharness.entry USING (units < 5)", "ALTER TABLE hsharness.entry ENABLE ALWAYS TRIGGER entry_stays",
		"COMMENT ON TABLE hsharness.run IS 'a ledger'", "GRANT SELECT ON ALL TABLES IN SCHEMA hsharness TO PUBLIC", "CLUSTER hsharness.run USING run_begun", "VACUUM FULL ANALYZE hsharness.run")
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	require.NoError(t, err)
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
	require.NoError(t, s.Close())
}

// A ledger whose indexes are made anew beside those that work, or were until that was cut off, is
// opened, and so is one whose server quotes every name.
func TestReindexConcurrently(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	newStore(t, postgres.Config{DSN: dsn})
	do(t, dsn, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET quote_all_identifiers = on', current_database()); END $$`)
	opens := func() {
		s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	opens()
	reader, err := session(t, dsn).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead}) // whom it waits for
	require.NoError(t, err)
	_, err = reader.Exec(t.Context(), "SELECT count(*) FROM hsharness.entry")
	require.NoError(t, err)
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	admin, done := session(t, dsn), make(chan error, 1)
	go func() {
		_, err := admin.Exec(ctx, "REINDEX TABLE CONCURRENTLY hsharness.entry")
		done <- err
	}()
	watcher := session(t, dsn)
	require.Eventually(t, func() bool {
		n := 0
		require.NoError(t, watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_indexes WHERE schemaname = 'hsharness' AND indexname LIKE '%_ccnew'").Scan(&n))
		return n == 5
	}, 20*time.Second, time.Millisecond)
	opens()
	cut()
	require.Error(t, <-done)
	require.NoError(t, reader.Rollback(t.Context()))
	opens()
	do(t, dsn, "CREATE UNIQUE INDEX one_ccnew ON hsharness.entry (units)")
	_, err = postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	require.ErrorIs(t, err, quota.ErrDamaged)
	assert.ErrorContains(t, err, `the index "one_ccnew"`)
}
