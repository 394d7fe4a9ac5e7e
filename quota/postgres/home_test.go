package postgres_test

import (
	"context"
	"crypto/rand"
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

// do runs statements on the server, each by itself.
func do(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	conn := session(t, dsn)
	for _, sql := range statements {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	require.NoError(t, conn.Close(t.Context()))
}

// used is a ledger of 100 units, of which 7 were spent after it was dumped. The
// run "a" is active in both.
func used(t *testing.T, dsn string, options ...string) (dump []byte) {
	t.Helper()
	s, err := postgres.Init(t.Context(), postgres.Config{DSN: dsn}, quota.InitSpec{Granted: 100, Account: "account"})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 50, Process: quota.Process{Host: "elsewhere", PID: 1}}, nil)
	require.NoError(t, err)
	dump = pgtest.Dump(t, dsn, options...)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "after the dump", Run: "a", Units: 7})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return dump
}

// astray makes sure that nothing can be spent from a ledger that is a copy, that
// it can be read, and that a reconciliation makes it one to spend from. Spent is
// how much it knows of.
func astray(t *testing.T, config postgres.Config, spent int64, why string) {
	t.Helper()
	ctx := t.Context()
	s, err := postgres.Open(ctx, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	refused := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, quota.ErrWentBack)
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, "went back in time")
	}
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "first", Run: "a", Units: 1})
	refused(err)
	_, err = s.Begin(ctx, quota.RunSpec{ID: "b", Max: 1}, nil)
	refused(err)
	_, err = s.Renew(ctx, "a")
	refused(err)
	_, err = s.Grant(ctx, quota.GrantSpec{ID: "g", Units: 1})
	refused(err)
	client := quota.Client{Store: s, Account: "account", StateHome: t.TempDir()} // a new machine has no high-water mark
	refused(client.Ready(ctx))

	info, err := s.Info(ctx)
	require.NoError(t, err)
	assert.Contains(t, info.Astray, why)
	status, err := s.Status(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, status.Warnings)
	assert.Contains(t, status.Warnings[0], why)
	assert.Equal(t, spent, status.Spent)
	_, err = s.End(ctx, "a", quota.Counters{})
	require.NoError(t, err)

	_, err = client.Reconcile(ctx, quota.ReconcileSpec{ID: "r", Observed: 7, Note: "the service's own figure"})
	require.NoError(t, err)
	require.NoError(t, client.Ready(ctx))
	wholeRun(t, s, "after the reconciliation")
	other, err := postgres.Open(ctx, config)
	require.NoError(t, err)
	wholeRun(t, other, "of another process")
	require.NoError(t, other.Close())
}

// TestRestoredDump restores a dump in each place that there is.
func TestRestoredDump(t *testing.T) {
	t.Parallel()
	t.Run("into another database", func(t *testing.T) {
		t.Parallel()
		dump, there := used(t, pgtest.Database(t)), pgtest.Database(t)
		pgtest.Restore(t, there, dump)
		astray(t, postgres.Config{DSN: there}, 0, "it is of the database with the oid")
	})
	t.Run("into its own place", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Database(t)
		dump := used(t, dsn)
		do(t, dsn, "DROP SCHEMA hsharness CASCADE")
		pgtest.Restore(t, dsn, dump)
		astray(t, postgres.Config{DSN: dsn}, 0, "its tables are not the ones that were made for it")
	})
	t.Run("into another schema", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Database(t)
		dump := string(used(t, dsn, "--no-owner"))
		pgtest.Restore(t, dsn, []byte(strings.ReplaceAll(dump, "hsharness", "restored")))
		astray(t, postgres.Config{DSN: with(dsn, "search_path", "restored")}, 0, "its tables are not the ones that were made for it")
	})
	t.Run("into its own tables", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Database(t)
		dump := used(t, dsn, "--data-only", "--disable-triggers")
		do(t, dsn, "SET session_replication_role = replica", "TRUNCATE hsharness.entry", "TRUNCATE hsharness.run",
			"TRUNCATE hsharness.ledger", "TRUNCATE hsharness.schema_version", "TRUNCATE hsharness.pace")
		pgtest.Restore(t, dsn, dump)
		astray(t, postgres.Config{DSN: dsn}, 0, "its entries were written into the journal again")
	})
	t.Run("by a template", func(t *testing.T) {
		t.Parallel()
		dsn, other := pgtest.Database(t), pgtest.Database(t)
		used(t, dsn)
		name := func(dsn string) string { return dsn[strings.Index(dsn, "/hsharness_")+1 : strings.Index(dsn, "?")] }
		do(t, with(dsn, "database", "postgres"), "DROP DATABASE "+name(other), "CREATE DATABASE "+name(other)+" TEMPLATE "+name(dsn))
		s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
		require.NoError(t, err)
		_, err = s.Renew(t.Context(), "a")
		require.NoError(t, err, "the one that it was made from goes on")
		require.NoError(t, s.Close())
		astray(t, postgres.Config{DSN: other}, 7, "it is of the database with the oid")
	})
	t.Run("on another server", func(t *testing.T) {
		t.Parallel()
		one, two := pgtest.Private(t), pgtest.Private(t)
		pgtest.Restore(t, two.DSN(), used(t, one.DSN()))
		astray(t, postgres.Config{DSN: two.DSN()}, 0, "it is of the server with the system identifier")
	})
}

// TestRestoredUnderARun puts an older state into the place of the tables while a
// process goes on with its connections.
func TestRestoredUnderARun(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	dump := used(t, dsn)
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	do(t, dsn, "DROP SCHEMA hsharness CASCADE")
	pgtest.Restore(t, dsn, dump)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "2", Run: "a", Units: 1})
	require.ErrorIs(t, err, quota.ErrWentBack)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorIs(t, err, quota.ErrWentBack)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Spent)
}

// TestPromotedStandby promotes a standby while its primary goes on. Of 18 units
// that are left no more than 18 are spent.
func TestPromotedStandby(t *testing.T) {
	t.Parallel()
	primary := pgtest.Private(t)
	used(t, primary.DSN())
	standby := primary.Standby()
	_, err := postgres.Open(t.Context(), postgres.Config{DSN: standby.DSN()})
	require.ErrorIs(t, err, quota.ErrUnsafePlace, "a standby can't be spent from")
	standby.Promote()
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: primary.DSN()})
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "goes on", Run: "a", Units: 1})
	require.NoError(t, err)
	wholeRun(t, s, "of the primary")
	require.NoError(t, s.Close())
	astray(t, postgres.Config{DSN: standby.DSN()}, 7, "it is of timeline 1 of this server, which is on 2")
}

// TestPrimaryThatIsCutOff lets a primary wait for its standby, as a fence, and takes
// that away: a spend is not confirmed any more, whatever statement_timeout says, and
// all that was confirmed is on the standby.
func TestPrimaryThatIsCutOff(t *testing.T) {
	t.Parallel()
	primary := pgtest.Private(t)
	used(t, primary.DSN())
	standby := primary.Standby()
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(primary.DSN(), "statement_timeout", "100ms")})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	do(t, primary.DSN(), "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	waits := func() bool {
		var state string
		err := session(t, primary.DSN()).QueryRow(t.Context(), "SELECT sync_state FROM pg_stat_replication").Scan(&state)
		return err == nil && state == "sync"
	}
	require.Eventually(t, waits, 20*time.Second, 10*time.Millisecond)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "confirmed", Run: "a", Units: 2})
	require.NoError(t, err)
	standby.Kill()
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = s.Spend(short, quota.SpendSpec{ID: "not confirmed", Run: "a", Units: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	standby.Restart()
	standby.Promote()
	other, err := postgres.Open(t.Context(), postgres.Config{DSN: standby.DSN()})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	status, err := other.Status(t.Context())
	require.NoError(t, err)
	// What was not confirmed may have arrived while the standby died: that counts too much.
	assert.Contains(t, []int64{9, 10}, status.Spent)
}

// TestPromotedUnderARun lets a process find the promoted standby where its primary
// was, as behind an address that moves.
func TestPromotedUnderARun(t *testing.T) {
	t.Parallel()
	primary := pgtest.Private(t)
	used(t, primary.DSN())
	standby := primary.Standby()
	cutter, dsn := newCutter(t, primary.DSN())
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	standby.Promote()
	cutter.lead(t, standby.DSN())
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "on the standby", Run: "a", Units: 1})
	require.ErrorIs(t, err, quota.ErrWentBack)
	_, err = s.Renew(t.Context(), "a")
	require.ErrorIs(t, err, quota.ErrWentBack)
}

// TestHousekeeping lets the server rewrite the tables: the ledger is at home after
// it as before.
func TestHousekeeping(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	used(t, dsn)
	do(t, dsn, "VACUUM FREEZE hsharness.entry", "VACUUM FULL hsharness.entry", "VACUUM FULL hsharness.run", "VACUUM FULL hsharness.ledger",
		"CLUSTER hsharness.entry USING entry_run", "REINDEX SCHEMA hsharness", "ALTER SCHEMA hsharness RENAME TO moved")
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "search_path", "moved")})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	wholeRun(t, s, "after it")
}

// TestServerThatTellsLittle makes a ledger where the server does not tell its
// system identifier or its timeline, as managed ones may not.
func TestServerThatTellsLittle(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	role := loginRole(t, dsn)
	do(t, dsn, "REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn() FROM PUBLIC",
		"CREATE SCHEMA little", "GRANT ALL ON SCHEMA little TO "+role)
	little := postgres.Config{DSN: with(with(dsn, "user", role), "search_path", "little")}
	s := newStore(t, little)
	wholeRun(t, s, "a")
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	require.Len(t, status.Warnings, 1)
	assert.Contains(t, status.Warnings[0], "the server does not tell its system (permission denied for function pg_control_system) and its timeline (permission denied for function pg_current_wal_lsn)")

	// Who makes it may be told more than who spends. That is no reason to spend
	// unchecked.
	full := newStore(t, postgres.Config{DSN: dsn})
	status, err = full.Status(t.Context())
	require.NoError(t, err)
	assert.Empty(t, status.Warnings)
	do(t, dsn, "GRANT ALL ON SCHEMA hsharness TO "+role, "GRANT ALL ON ALL TABLES IN SCHEMA hsharness TO "+role)
	other, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "user", role)})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	_, err = other.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorContains(t, err, "GRANT EXECUTE ON FUNCTION pg_control_system()")
	do(t, dsn, "GRANT EXECUTE ON FUNCTION pg_control_system() TO "+role)
	again, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "user", role)})
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	_, err = again.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorContains(t, err, "GRANT EXECUTE ON FUNCTION pg_current_wal_lsn()")
	do(t, dsn, "GRANT EXECUTE ON FUNCTION pg_current_wal_lsn() TO "+role)
	last, err := postgres.Open(t.Context(), postgres.Config{DSN: with(dsn, "user", role)})
	require.NoError(t, err)
	defer func() { require.NoError(t, last.Close()) }()
	wholeRun(t, last, "b")
}

// loginRole is a role of the test.
func loginRole(t *testing.T, dsn string) string {
	t.Helper()
	role := "role_" + strings.ToLower(rand.Text()) // roles are the whole server's
	conn := session(t, dsn)
	_, err := conn.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN")
	require.NoError(t, err)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), dsn)
		require.NoError(t, err)
		defer func() { _ = conn.Close(context.Background()) }()
		_, err = conn.Exec(context.Background(), "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role)
		assert.NoError(t, err)
	})
	return role
}
