package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// superuser is the role that initdb makes.
const superuser = "hsharness"

// stopWait is how long the server may take to end.
const stopWait = 10 * time.Second

// server is a PostgreSQL in a folder of its own.
type server struct {
	dir, bin string
	lock     *os.File // says that dir is in use; nil where nobody asks
	owner    *account
	// process is set before ready is closed. This and what follows are of the
	// latest launch.
	process *os.Process
	ready   chan struct{}
	// gone receives, once, why the server ended, after the last of its processes
	// has.
	gone chan error
}

// start makes a new cluster with the programs in bin and starts it.
func start(bin string) (*server, error) { return startWith(bin, (*server).initialize) }

// startWith starts a server on the cluster that prepare makes.
func startWith(bin string, prepare func(*server) error) (*server, error) {
	dir, lock, err := newFolder()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.uid), int(owner.gid))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(dir))
	}
	s := &server{dir: dir, lock: lock, bin: bin, owner: owner}
	if err := s.launch(prepare); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// launch starts the server after a preparation, and waits until it accepts
// connections or is gone.
func (s *server) launch(prepare func(*server) error) error {
	s.ready, s.gone = make(chan struct{}), make(chan error, 1)
	go s.run(prepare)
	select {
	case <-s.ready:
		return nil
	case err := <-s.gone:
		return fmt.Errorf("start PostgreSQL of %s: %w", s.bin, err)
	}
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// initialize makes the cluster.
func (s *server) initialize() error {
	initdb := s.command("initdb", "--pgdata="+s.data(), "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// copyOf makes the cluster a copy of another that runs, to be its standby.
func copyOf(primary *server) func(*server) error {
	return func(s *server) error {
		backup := s.command("pg_basebackup", "--pgdata="+s.data(), "--host="+primary.dir, "--username="+superuser,
			"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
		if out, err := backup.CombinedOutput(); err != nil {
			return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
		}
		return nil
	}
}

// run prepares the server, starts it and waits for its end. It stays on one
// thread for that: the kernel counts the death of the thread that started a
// process as the death of its parent.
func (s *server) run(prepare func(*server) error) {
	runtime.LockOSThread()
	if err := prepare(s); err != nil {
		s.gone <- err
		return
	}
	postgres := s.command("postgres", "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", // fsync and its kin are on by default, and a test may switch them off
		"-c", "shared_buffers=32MB", "-c", "max_wal_size=128MB", "-c", "max_connections=200", "-c", "logging_collector=off", "-c", "log_destination=stderr")
	log, err := postgres.StderrPipe()
	if err != nil {
		s.gone <- err
		return
	}
	if err := postgres.Start(); err != nil {
		s.gone <- err
		return
	}
	s.process = postgres.Process
	// Whatever else it logs is of interest only while it starts. The log ends with
	// the last process of the server, which may outlive the first.
	var said strings.Builder
	starting := true
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if starting {
			fmt.Fprintln(&said, lines.Text())
		}
		// A standby accepts read-only connections, or read only ones before version 14.
		if starting && strings.Contains(lines.Text(), "ready to accept ") {
			starting = false
			close(s.ready)
		}
	}
	err = postgres.Wait()
	if starting {
		err = fmt.Errorf("postgres: %w\n%s", err, said.String())
	}
	s.gone <- err
}

// command is one of the server's programs. It runs as the owner, in the server's
// folder and in an environment without the PG variables, and ends with this
// process.
func (s *server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(program(s.bin, name), args...)
	c.Dir = s.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	c.SysProcAttr = attributes(s.owner)
	return c
}

// dsn is a URL, which is what the --ledger flag takes as well.
func (s *server) dsn() string {
	query := url.Values{"host": {s.dir}, "user": {superuser}}
	return "postgres:///postgres?" + query.Encode()
}

// stop ends the server at once, since nobody needs its data any more.
func (s *server) stop() error {
	err := s.process.Signal(syscall.SIGQUIT)
	if err == nil {
		select {
		case <-s.gone: //nolint:errcheck // how it ended does not matter
		case <-time.After(stopWait):
			err = errors.Join(fmt.Errorf("PostgreSQL did not stop within %s", stopWait), s.process.Kill())
		}
	}
	err = errors.Join(err, os.RemoveAll(s.dir))
	_ = s.lock.Close() // it was only read, or is nil
	return err
}

// account is a user of this machine.
type account struct{ uid, gid uint32 }

// unprivileged is whom to run the server as, because PostgreSQL refuses root;
// nil is ourselves.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var errs []error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &account{uint32(uid), uint32(gid)}, err
	}
	return nil, fmt.Errorf("we are root, and PostgreSQL refuses that: %w", errors.Join(errs...))
}
