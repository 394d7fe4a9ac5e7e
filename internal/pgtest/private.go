package pgtest

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// Server is a PostgreSQL of one test, which may kill it and start it again. Its
// methods fail the test when they can't do what they say. They must not be
// called at the same time.
type Server struct {
	tb     testing.TB
	server *server
	alive  bool
}

// Installed tells whether a test that starts a [Private] server can run on this
// machine. Where it can't, that is said, and fails the test where CI is set.
func Installed(tb testing.TB) bool {
	tb.Helper()
	if installed(os.Getenv("PATH"), places) != "" {
		return true
	}
	why := tb.Name() + " did not run: there is no PostgreSQL: apt-get install postgresql"
	if os.Getenv("CI") != "" {
		tb.Fatal(why)
	}
	fmt.Fprintln(os.Stderr, why)
	return false
}

// Private starts a server for one test, from the installed programs even where
// HSHARNESS_TEST_POSTGRES names another server: nobody kills that one. It ends
// with the test.
func Private(tb testing.TB) *Server {
	tb.Helper()
	bin := installed(os.Getenv("PATH"), places)
	if bin == "" {
		tb.Fatal("this test kills its server, and no PostgreSQL is installed: apt-get install postgresql")
	}
	s, err := start(bin)
	if err != nil {
		tb.Fatal(err)
	}
	return ofTest(tb, s)
}

// Standby starts another server, which follows this one, and may be promoted
// while this one goes on. It ends with the test.
func (p *Server) Standby() *Server {
	p.tb.Helper()
	s, err := startWith(p.server.bin, copyOf(p.server))
	if err != nil {
		p.tb.Fatal(err)
	}
	return ofTest(p.tb, s)
}

// Promote makes a standby a server of its own, and returns when it writes.
func (p *Server) Promote() {
	p.tb.Helper()
	promote := p.server.command("pg_ctl", "promote", "--wait", "--pgdata="+p.server.data())
	if out, err := promote.CombinedOutput(); err != nil {
		p.tb.Fatalf("promote: %v\n%s", err, out)
	}
}

func ofTest(tb testing.TB, s *server) *Server {
	p := &Server{tb: tb, server: s, alive: true}
	tb.Cleanup(func() {
		if !p.alive {
			p.Restart()
		}
		if err := s.stop(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// DSN is the connection string of the database "postgres" on the server. It
// stays the same when the server is started again.
func (p *Server) DSN() string { return p.server.dsn() }

// Database makes an empty database on the server and returns its connection
// string. It is dropped at the end of tb, which ends before the server does.
func (p *Server) Database(tb testing.TB) string {
	tb.Helper()
	return database(tb, p.DSN())
}

// Kill ends the server's first process by SIGKILL, and returns when all of its
// processes are gone: the others notice.
func (p *Server) Kill() {
	p.tb.Helper()
	if err := p.server.process.Kill(); err != nil {
		p.tb.Fatalf("kill PostgreSQL: %v", err)
	}
	<-p.server.gone //nolint:errcheck // how it ended is known
	p.alive = false
}

// Shutdown is how a server ends, as pg_ctl has it.
type Shutdown syscall.Signal

const (
	// Fast ends all sessions, and writes everything down.
	Fast = Shutdown(syscall.SIGINT)
	// Immediate ends all processes as they are: the next start recovers.
	Immediate = Shutdown(syscall.SIGQUIT)
)

// Stop ends the server, and returns when all of its processes are gone.
func (p *Server) Stop(how Shutdown) {
	p.tb.Helper()
	if err := p.server.process.Signal(syscall.Signal(how)); err != nil {
		p.tb.Fatalf("stop PostgreSQL: %v", err)
	}
	<-p.server.gone //nolint:errcheck // how it ended is known
	p.alive = false
}

// Restart starts the server again that was killed or stopped, on the same data, and returns when it
// has recovered and accepts connections.
func (p *Server) Restart() {
	p.tb.Helper()
	nothing := func(*server) error { return nil }
	if err := p.server.launch(nothing); err != nil {
		p.tb.Fatalf("start PostgreSQL again: %v", err)
	}
	p.alive = true
}
