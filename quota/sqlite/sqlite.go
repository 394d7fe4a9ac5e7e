// Package sqlite keeps a quota ledger in one file, shared by any number of
// processes of one machine.
//
// # Why this driver
//
// ncruces/go-sqlite3 is SQLite without cgo, like its peers as fast as C where a
// flush decides, and the only pure Go driver that locks both the database and
// its -shm file with locks that belong to the open file. The others' POSIX
// locks in WAL mode are lost when anything in the process, a backup or an
// upload, opens and closes the -shm file, and then two processes write at once:
// tried, and it happened. It is used below database/sql, because statements
// are prepared once and one writer needs no pool.
//
// # How a write reaches the disk
//
// Writes of one process queue up and share transactions, so that many
// goroutines share one flush. Each transaction first takes a lock on a side
// file, the gate. SQLite's own busy handler lets a process starve for seconds
// under load; the kernel's lock queue doesn't, and it keeps writers apart even
// where SQLite's locks fail. The database is in WAL mode with synchronous=FULL,
// so a commit that returned is on disk. When a flush fails, what is on disk is
// unknown, and a second flush may succeed without having written anything: the
// store then refuses every further write, for good.
//
// A file on a network filesystem is refused: WAL needs memory shared by all
// users of the file. Use the PostgreSQL store for several machines.
package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// Config says where a ledger is. Only Path must be given.
type Config struct {
	// Path is the file. Its folder must exist, except for [Init] and [Import],
	// which make it.
	Path string
	// Allowance is the name the ledger must have. Empty takes any.
	Allowance string
	// Lease is how long a run lives without renewal. Zero means [quota.Lease].
	Lease time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Gone tells that a process has certainly ended. Nil means
	// [quota.Process.Gone].
	Gone func(quota.Process) bool
	// VFS names the SQLite file layer. Empty means the operating system's; tests
	// put one that fails in between.
	VFS string
}

func (c Config) lease() time.Duration {
	if c.Lease == 0 {
		return quota.Lease
	}
	return c.Lease
}

// now is in UTC and whole microseconds, as the ledger keeps time.
func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return c.Now().UTC().Truncate(time.Microsecond)
}

func (c Config) gone(p quota.Process) bool {
	if c.Gone == nil {
		return p.Gone()
	}
	return c.Gone(p)
}

// Store is a [quota.Store] in a file. Make one with [Open], [Init] or [Import].
type Store struct {
	config Config
	path   string // absolute
	gate   *gate
	file   os.FileInfo // what path was when it was opened
	info   quota.Info  // without Head

	writer *conn // used by drain alone

	reading sync.Mutex
	reader  *conn

	mu       sync.Mutex
	queue    []request
	drained  chan struct{} // closed when the queue is empty; nil while nothing drains it
	poisoned error
	closed   bool
}

var _ quota.Store = (*Store)(nil)

// Open opens a ledger: [quota.ErrNoLedger], [quota.ErrNewerSchema] or
// [quota.ErrUnsafePlace] where it can't.
func Open(ctx context.Context, config Config) (*Store, error) {
	s, err := open(ctx, config, false)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", s.path, err), s.Close())
	}
	return s, nil
}

// Init makes a ledger and opens it, or returns [quota.ErrLedgerExists].
func Init(ctx context.Context, config Config, spec quota.InitSpec) (*Store, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.Allowance == "" {
		spec.Allowance = quota.DefaultAllowance
	}
	return create(ctx, config, func(c *conn, now time.Time) error {
		info := quota.Info{LedgerID: rand.Text(), Account: spec.Account, Allowance: spec.Allowance, Created: now}
		if err := c.insertLedger(info, quota.Balances{Granted: spec.Granted, Spent: spec.SpentBefore, Floor: spec.Floor}); err != nil {
			return err
		}
		tx := tx{conn: c, now: now, allowance: info.Allowance}
		for _, e := range spec.Entries() {
			if _, err := tx.append(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// create makes the file and lets fill write the first content, all in one
// transaction.
func create(ctx context.Context, config Config, fill func(*conn, time.Time) error) (*Store, error) {
	s, err := open(ctx, config, true)
	if err != nil {
		return nil, err
	}
	err = s.gated(ctx, func() error {
		return s.writer.transact(func() error {
			if err := s.writer.create(); err != nil {
				return err
			}
			return fill(s.writer, config.now())
		})
	})
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("init ledger %s: %w", s.path, err), s.Close())
	}
	return s, nil
}

// filesystem is networkFS. A test puts another in its place, since no machine has
// them all.
var filesystem = networkFS

// open checks the place and opens gate and connections, but reads nothing yet.
func open(ctx context.Context, config Config, creating bool) (*Store, error) {
	path, err := filepath.Abs(config.Path)
	if err != nil || config.Path == "" {
		return nil, fmt.Errorf("open ledger %q: a path is needed", config.Path)
	}
	if creating && len(path) <= maxPath {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
		}
	}
	path, info, err := find(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	if info == nil && !creating {
		return nil, fmt.Errorf("%w at %s: find it, or make one: hsharness quota init --granted N", quota.ErrNoLedger, path)
	}
	s := &Store{config: config, path: path}
	if name, err := filesystem(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", quota.ErrUnsafePlace, path, err)
	} else if name != "" {
		return nil, fmt.Errorf("%w: %s is on %s: use a local disk, or a postgres:// ledger for several machines", quota.ErrUnsafePlace, path, name)
	}
	if s.gate, err = openGate(path + ".lock"); err != nil {
		return nil, fmt.Errorf("%w: %s can't be written: %w", quota.ErrUnsafePlace, path, err)
	}
	err = s.gated(ctx, func() error {
		if s.writer, err = connect(ctx, config, path, creating); err != nil {
			return err
		}
		if !creating {
			if err := s.writer.known(); err != nil {
				return err
			}
		}
		return s.writer.setUp()
	})
	if err == nil {
		s.reader, err = connect(ctx, config, path, false)
	}
	if err == nil {
		err = s.reader.exec("PRAGMA query_only=ON")
	}
	if err == nil {
		s.file, err = os.Stat(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", path, explain(err)), s.Close())
	}
	return s, nil
}

// explain says what it means that the database can't be read.
func explain(err error) error {
	switch {
	case errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("%w: it is no SQLite file (%w): %s", quota.ErrNotLedger, err, otherFile)
	case errors.Is(err, sqlite3.CORRUPT):
		return fmt.Errorf("the file is damaged (%w): restore a backup, or make a ledger of an export: hsharness quota import FILE --ledger sqlite:PATH", err)
	case errors.Is(err, sqlite3.BUSY):
		return fmt.Errorf("another program has locked the file (%w): end it, and try again", err)
	}
	return err
}

// start reads which ledger this is.
func (s *Store) start() error {
	info, err := s.reader.ledger()
	if err != nil {
		return err
	}
	if want := s.config.Allowance; want != "" && want != info.Allowance {
		return fmt.Errorf("%w of allowance %q: this one is of %q", quota.ErrNoLedger, want, info.Allowance)
	}
	info.Store, info.Path = "sqlite", s.path
	s.info = info
	return nil
}

// closeWait is how long Close waits for a write under way. A process that was
// stopped inside the gate would otherwise make all others hang at their end.
const closeWait = 5 * time.Second

// Close waits for the writes under way, at most 5 seconds, and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	closed, drained := s.closed, s.drained
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	if drained != nil {
		select {
		case <-drained:
		case <-time.After(closeWait):
			return fmt.Errorf("close ledger %s: a write is still waiting after %s", s.path, closeWait)
		}
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	return errors.Join(s.reader.close(), s.writer.close(), s.gate.close())
}
