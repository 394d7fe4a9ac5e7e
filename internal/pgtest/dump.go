package pgtest

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Dump is what pg_dump writes of the database that dsn names, with these options.
func Dump(tb testing.TB, dsn string, options ...string) []byte {
	tb.Helper()
	return client(tb, nil, "pg_dump", append(options, "--dbname="+dsn)...)
}

// Restore lets psql carry out a dump, or any other text of SQL, in the database
// that dsn names.
func Restore(tb testing.TB, dsn string, dump []byte) {
	tb.Helper()
	client(tb, dump, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname="+dsn)
}

// client runs a program of PostgreSQL, without the PG variables.
func client(tb testing.TB, input []byte, name string, args ...string) []byte {
	tb.Helper()
	dir := installed(os.Getenv("PATH"), places)
	if dir == "" {
		tb.Fatalf("this test needs %s, and no PostgreSQL is installed: apt-get install postgresql", name)
	}
	c := exec.Command(program(dir, name), args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	var output, said bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &output, &said
	if err := c.Run(); err != nil {
		tb.Fatalf("%s: %v\n%s", name, err, said.String())
	}
	return output.Bytes()
}
