package pgtest_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func TestServerKeepsWhatItSaidItWrote(t *testing.T) {
	conn := connect(t, pgtest.Database(t))
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value))
		assert.Equal(t, "on", value, setting)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	one, two := connect(t, pgtest.Database(t)), connect(t, pgtest.Database(t))
	for _, conn := range []*pgx.Conn{one, two} {
		_, err := conn.Exec(t.Context(), "CREATE TABLE mine()")
		require.NoError(t, err)
	}
}

func TestDatabaseIsDroppedAfterTheTest(t *testing.T) {
	var dsn string
	t.Run("inner", func(t *testing.T) {
		dsn = pgtest.Database(t)
		connect(t, dsn)
	})
	_, err := pgx.Connect(t.Context(), dsn)
	assert.ErrorContains(t, err, "does not exist")
}

// TestDatabaseOfAGivenServer runs a test of this package against the server of
// this process, named in both ways that there are.
func TestDatabaseOfAGivenServer(t *testing.T) {
	u := pgtest.Database(t)
	config, err := pgx.ParseConfig(u)
	require.NoError(t, err)
	pairs := "host=" + config.Host + " user=" + config.User + " dbname=" + config.Database
	for _, dsn := range []string{u, pairs} {
		out, code := again(t, "TestDatabasesAreApart", "HSHARNESS_TEST_POSTGRES="+dsn)
		assert.Zero(t, code, out)
		assert.Contains(t, out, "PASS")
	}
}

func TestWithoutPostgreSQL(t *testing.T) {
	const said = "the tests of github.com/hsharness/hsharness/internal/pgtest did not run: there is no PostgreSQL: " +
		"install it (apt-get install postgresql) or set HSHARNESS_TEST_POSTGRES, " +
		"then: go test -count=1 github.com/hsharness/hsharness/internal/pgtest\n"

	out, code := again(t, "", "HSHARNESS_TEST_POSTGRES=none", "CI=")
	assert.Zero(t, code)
	assert.Equal(t, said+"testing: warning: no tests to run\n", out)

	out, code = again(t, "", "HSHARNESS_TEST_POSTGRES=none", "CI=1")
	assert.Equal(t, 1, code)
	assert.Equal(t, said, out)
}

func TestWithABrokenPostgreSQL(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		require.NoError(t, os.WriteFile(bin+"/"+name, []byte("#!/bin/sh\necho no space left\nexit 3\n"), 0o755))
	}
	require.NoError(t, os.Chmod(bin, 0o755))
	out, code := again(t, "", "HSHARNESS_TEST_POSTGRES=", "PATH="+bin, "CI=")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "did not run: start PostgreSQL of "+bin)
}

// again runs tests of this package in another process.
func again(t *testing.T, tests string, env ...string) (output string, code int) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+tests+"$")
	c.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), c.ProcessState.ExitCode()
}
