// Package sqlite keeps a quota ledger in one file, shared by any number of
// processes of one machine.
//
// It may touch the file of the ledger and those beside it, package quota and
// internal/holder.
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
	"sync"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Config says where a ledger is. Only Path must be given.
type Config struct {
	// Path is the file. Its folder must exist, except for [Init] and [Import],
	// which make it.
	Path string
	// Allowance is the name the ledger must have. Empty takes any.
	Allowance string
	// ReadOnly opens it for who only reads, perhaps because more is not allowed. It
	// waits for nobody who writes, and every change is [quota.ErrReadOnly].
	ReadOnly bool
	// Wait is how long to wait for a process that is writing, before that is
	// [quota.ErrBusy]. Zero means 10 seconds.
	Wait time.Duration
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

// patience is how long others are waited for.
const patience = 10 * time.Second

func (c Config) wait() time.Duration {
	if c.Wait == 0 {
		return patience
	}
	return c.Wait
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

// store is a [quota.Store] in a file. Make one with [Open], [Init] or [Import].
type store struct {
	config Config
	name   string     // as it was given, absolute
	path   string     // where the file itself is
	info   quota.Info // without Head

	// These are nil, or empty, in a store that only reads.
	gate   *gate
	bond   *bond
	seen   map[string]sight // the ledger's file and those beside it, by what follows its name
	writer *conn            // used by work alone

	reading sync.Mutex
	reader  *conn

	mu       sync.Mutex
	queue    []request
	woken    chan struct{} // wakes work, and is closed with the store; nil before the first write
	drained  chan struct{} // closed when the queue is empty; nil while nothing drains it
	poisoned error
	limit    *workLimit // of the transactions of the writer; nil where there is none
	closed   bool
}

var _ quota.Store = (*store)(nil)

// Open opens a ledger: [quota.ErrNoLedger], [quota.ErrNotLedger],
// [quota.ErrNewerSchema], [quota.ErrUnsafePlace] or [quota.ErrBusy] where it can't.
func Open(ctx context.Context, config Config) (quota.Store, error) {
	s, err := open(ctx, config, false)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", s.path, s.explain(err)), s.Close())
	}
	return s, nil
}

// Init makes a ledger and opens it, or returns [quota.ErrLedgerExists].
func Init(ctx context.Context, config Config, spec quota.InitSpec) (quota.Store, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.Allowance == "" {
		spec.Allowance = quota.DefaultAllowance
	}
	return opened(create(ctx, config, func(c *conn, now time.Time) error {
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
	}))
}

// opened keeps a nil pointer from becoming a store that is not nil.
func opened(s *store, err error) (quota.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// create makes the file and lets fill write the first content, all in one
// transaction.
func create(ctx context.Context, config Config, fill func(*conn, time.Time) error) (*store, error) {
	s, err := open(ctx, config, true)
	if err != nil {
		return nil, err
	}
	err = s.gated(ctx, func() error {
		err := s.writer.transact(func() error {
			if err := s.writer.create(); err != nil {
				return err
			}
			return fill(s.writer, config.now())
		})
		if err != nil { // pages of it may still wait, see gathering: behind the gate others may have written there
			err = errors.Join(err, s.writer.close())
			s.writer = nil
		}
		return err
	})
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("init ledger %s: %w", s.path, s.explain(err)), s.Close())
	}
	return s, nil
}

// start reads which ledger this is, and makes it ready for writes.
func (s *store) start() error {
	if s.writer != nil { // which may have made the ledger, in one transaction of any size
		if err := s.writer.exec("PRAGMA cache_spill=OFF"); err != nil {
			return err
		}
		s.limit = &workLimit{Context: context.Background(), most: min(mostWork, s.config.wait())}
		s.writer.within(s.limit)
	}
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
func (s *store) Close() error {
	s.mu.Lock()
	closed, drained := s.closed, s.drained
	s.closed = true
	if !closed && s.woken != nil {
		close(s.woken)
	}
	s.mu.Unlock()
	if closed {
		return nil
	}
	if drained != nil {
		select {
		case <-drained:
		case <-time.After(closeWait):
			return fmt.Errorf("close ledger %s: a write is still waiting after %s, for %s", s.path, closeWait, s.gate.holder())
		}
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	return errors.Join(s.reader.close(), s.writer.close(), s.bond.close(), s.gate.close())
}
