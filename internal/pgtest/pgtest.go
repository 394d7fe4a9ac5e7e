// Package pgtest gives our own tests a PostgreSQL.
//
// It may touch the programs of PostgreSQL, processes that it started and temporary
// folders, and no other package of this module.
//
// A package whose tests need one calls [Main] from its TestMain, which starts a
// private server from the installed programs, once for the test process, and
// stops it at the end. Each test then takes a [Database] of its own. The server
// listens on a Unix socket in a temporary folder and on no port, and writes
// with fsync on, as in production. The folder is in memory where there is room,
// but for benchmarks.
//
// [Private] is a server of one test, which may be killed and may have standbys;
// [Pooler] puts a pgbouncer in front of a server; [Dump] and [Restore] copy a
// database.
//
// A machine without PostgreSQL can't run such tests. They must not fail there,
// and must not seem to have run either: Main says so in one line, and go test
// writes "[no tests to run]" behind the package's name. Where the variable CI
// is set the package fails instead. Because a whole package is given up, tests
// that need no PostgreSQL belong into another one.
//
// # Settings
//
// HSHARNESS_TEST_POSTGRES holds a connection string, as a URL or as key=value
// pairs, of a server to use instead, on which databases may be made and
// dropped; or "none", which is a machine without PostgreSQL.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// setting names the server to use.
const setting = "HSHARNESS_TEST_POSTGRES"

// patience is how long the server may take to make, drop or reach a database.
const patience = time.Minute

// dsn is the server that Main found or started. It is set before any test runs.
var dsn string

// Main runs the tests of a package that needs PostgreSQL and ends the process:
// with the code of m, with 0 where there is no PostgreSQL, and with 1 where
// there is none and CI is set or where it doesn't start. When the tests are over it
// calls after.
func Main(m *testing.M, after ...func()) {
	code := run(m, caller())
	for _, f := range after {
		f()
	}
	os.Exit(code)
}

func run(m *testing.M, pkg string) int {
	flag.Parse() // whether there are benchmarks says where the server's folder is
	given := os.Getenv(setting)
	if given != "" && given != "none" {
		dsn = given
		return m.Run()
	}
	var bin string
	if given == "" {
		bin = installed(os.Getenv("PATH"), places)
	}
	if bin == "" {
		fmt.Fprintf(os.Stderr, "the tests of %s did not run: there is no PostgreSQL: install it (apt-get install postgresql) or set %s, then: go test -count=1 %s\n",
			pkg, setting, pkg)
		if os.Getenv("CI") != "" {
			return 1
		}
		fmt.Println(noTests)
		return 0
	}
	s, err := start(bin)
	if err != nil {
		fmt.Fprintf(os.Stderr, "the tests of %s did not run: %v\n", pkg, err)
		return 1
	}
	dsn = s.dsn()
	code := m.Run()
	if err := s.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// noTests is the line from which go test knows that no test ran. It is the only
// one that it tells in a list of packages that passed.
const noTests = "testing: warning: no tests to run"

// caller is the package whose TestMain called Main.
func caller() string {
	pc, _, _, _ := runtime.Caller(2)
	name := strings.TrimSuffix(runtime.FuncForPC(pc).Name(), ".TestMain")
	return strings.TrimSuffix(name, "_test")
}

// Database makes an empty database and returns its connection string. It is
// dropped at the end of the test, whoever is still connected.
func Database(tb testing.TB) string {
	tb.Helper()
	if dsn == "" {
		tb.Fatal("no PostgreSQL: TestMain must call pgtest.Main")
	}
	return database(tb, dsn)
}

// database makes an empty database on a server.
func database(tb testing.TB, server string) string {
	tb.Helper()
	name := "hsharness_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("create a database for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := execute(server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(server, name)
}

// execute runs one statement on a server's own database.
func execute(server, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// withDatabase is dsn with another database.
func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return dsn + " dbname=" + name // the last one counts
	}
	u.Path = "/" + name
	q := u.Query()
	q.Del("dbname")
	q.Del("database")
	u.RawQuery = q.Encode()
	return u.String()
}
