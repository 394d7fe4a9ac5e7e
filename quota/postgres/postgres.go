// Package postgres keeps a quota ledger in PostgreSQL 13 or later, shared by
// any number of machines.
//
// It may touch one PostgreSQL server, and package quota.
//
// # Who waits for whom
//
// A row that every request changes is what makes a shared counter slow: its
// lock is held while the commit is flushed. Here a spend changes the row of its
// own run alone, in one round trip, so runs never wait for each other; the
// benchmark puts it beside one shared row. What the runs of one process spend while
// others of it are at the server is written together, in one transaction that leaves
// out a run whose row somebody holds. Only admission, expiry, the end of a run
// and what changes the allowance take its row, first and in one short transaction,
// and rows of runs after it, in the order of their ids. A process that is stopped inside such a
// transaction loses it after some seconds.
//
// Isolation is READ COMMITTED with explicit row locks, so nothing is ever
// refused for a conflict of serialization. Times are by the clock of the
// process that writes. They matter for leases and reports only: machines whose
// clocks differ expire each other's runs too early or too late, and never
// overspend.
//
// # A connection that breaks
//
// Whether the last statement was committed is then unknown. Every change bears
// an id made by its caller, and a spend also the mark of the one call that
// wrote it, so it is safe to repeat: the repetition finds what was written, or
// writes it now, and can't write it twice. If it can't find out either, the
// answer is an error and nothing may be sent.
//
// A new connection is used only if the server keeps what it says it wrote, is
// no standby, and still has the last entry that this process wrote: after a
// failover to a server that lags behind it hasn't, and everything is refused
// ([quota.ErrWentBack]).
//
// # What is looked at again
//
// Every spend, admission and renewal looks at the session that it runs in: it must
// be the one that was set up, with the settings that keep a commit. Where it isn't
// any more the store changes nothing from then on, [quota.ErrPoisoned] where the
// server stopped to flush, else [quota.ErrUnsafePlace]. PostgreSQL stops itself when
// a flush fails.
//
// The ledger also knows where it was made, and a copy of its rows is told from it:
// [quota.Info] then has Astray, and whatever spends or grants is [quota.ErrWentBack]
// until a reconciliation. Session and home cost an admission no further round trip,
// and a spend one on each new connection.
//
// # Connection string and roles
//
// The tables are in the schema "hsharness", or in the one that search_path in
// the connection string names; every statement names it, and none rests on
// search_path. Nothing but application_name is set at the start of a connection,
// which poolers refuse or drop: the rest is set and read back once it is there.
// Poolers that hand out a session for one transaction only are refused. A statement may take 10 seconds unless
// statement_timeout says something else, and pool_max_conns is how many
// connections one process uses.
//
// The role that makes a ledger owns it; it alone can bring the schema up to
// date, and it should grant units and reconcile. Runs need much less: docs/ledger.md
// has a role that can neither grant itself units nor touch the journal.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// Config says where a ledger is. Only DSN must be given.
type Config struct {
	// DSN is the connection string, as a postgres:// URL or as key=value pairs.
	// What it doesn't say is taken from the PG environment variables.
	DSN string
	// Allowance is the name the ledger must have. Empty takes any.
	Allowance string
	// Lease is how long a run lives without renewal. Zero means [quota.Lease].
	Lease time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Gone tells that a process has certainly ended. Nil means
	// [quota.Process.Gone].
	Gone func(quota.Process) bool
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

// store is a [quota.Store] in PostgreSQL. Make one with [Open], [Init] or
// [Import].
type store struct {
	config Config
	place  string // for messages, without any secret
	names  names
	// set is what each connection is set to, and session the name that each gives
	// to its session on the server, which nobody else knows.
	set     map[string]string
	session string
	pool    *pool
	info    quota.Info // without Head
	closed  atomic.Bool
	// homeSQL reads where this is, and untold is what the server does not tell of
	// it. runTable is the oid of the table of runs there. The generation grows with
	// each look that finds the ledger away from home.
	homeSQL    string
	patience   time.Duration // how long a quick call may take
	untold     []string
	runTable   atomic.Int64
	generation atomic.Int64
	batches    batches

	mu sync.Mutex
	// known is the ledger that every connection must lead to, and last the
	// latest entry that this store wrote and that must be there.
	known string
	last  quota.Entry
	// mark is what markSQL says in each session, and stopped why nothing may be
	// changed any more.
	mark    string
	stopped error
}

var _ quota.Store = (*store)(nil)

// Open opens a ledger: [quota.ErrNoLedger], [quota.ErrNewerSchema] or
// [quota.ErrUnsafePlace] where it can't. An older schema is brought up to date,
// which only its owner can do.
func Open(ctx context.Context, config Config) (quota.Store, error) {
	return opened(open(ctx, config, (*store).migrate))
}

// Init makes a ledger and opens it, or returns [quota.ErrLedgerExists].
func Init(ctx context.Context, config Config, spec quota.InitSpec) (quota.Store, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.Allowance == "" {
		spec.Allowance = quota.DefaultAllowance
	}
	return opened(create(ctx, config, func(ctx context.Context, tx *tx) error {
		info := quota.Info{LedgerID: rand.Text(), Account: spec.Account, Allowance: spec.Allowance, Created: tx.now}
		if err := tx.insertLedger(ctx, info, quota.Balances{Granted: spec.Granted, Spent: spec.SpentBefore, Floor: spec.Floor}); err != nil {
			return err
		}
		for _, e := range spec.Entries() {
			if _, err := tx.append(ctx, e); err != nil {
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

// create makes schema and tables and lets fill write the first content, all in
// one transaction.
func create(ctx context.Context, config Config, fill func(context.Context, *tx) error) (*store, error) {
	return open(ctx, config, func(s *store, ctx context.Context) error {
		return pgx.BeginFunc(ctx, s.pool, func(t pgx.Tx) error {
			tx := &tx{Tx: t, store: s, now: config.now()}
			if err := tx.create(ctx); err != nil {
				return err
			}
			if err := fill(ctx, tx); err != nil {
				return err
			}
			return tx.bind(ctx)
		})
	})
}

// open connects, lets prepare see to the tables, and reads which ledger it is.
func open(ctx context.Context, config Config, prepare func(*store, context.Context) error) (*store, error) {
	s := &store{config: config, batches: newBatches(mostAlone)}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	c := s.slow(ctx, "opening it") // an import has a long journal to write
	defer c.end()
	err := prepare(s, ctx)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(s.translate(c, err), s.Close())
	}
	return s, nil
}

// start reads which ledger this is.
func (s *store) start(ctx context.Context) error {
	info := quota.Info{Store: "postgres"}
	var sum *string
	tables, _, _ := wanted()
	err := s.pool.QueryRow(ctx, "SELECT id, account, allowance, created, "+sumSQL+" FROM hsharness.ledger", s.names.schema, tables).
		Scan(&info.LedgerID, &info.Account, &info.Allowance, moment{&info.Created}, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		return s.missing()
	}
	if state := code(err); state == undefinedTable || state == undefinedColumn {
		return errors.Join(s.intact(ctx, ""), err) // it says which
	}
	if err == nil {
		err = fits("the ledger", "", len(info.LedgerID), len(info.Account), len(info.Allowance))
	}
	if err == nil {
		err = s.intact(ctx, *sum)
	}
	if err != nil {
		return err
	}
	if want := s.config.Allowance; want != "" && want != info.Allowance {
		return own(fmt.Errorf("%w of allowance %q at %s: this one is of %q", quota.ErrNoLedger, want, s.place, info.Allowance))
	}
	s.info = info
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = info.LedgerID
	return nil
}

// missing is the error where there is no ledger.
func (s *store) missing() error {
	return own(fmt.Errorf("%w at %s", quota.ErrNoLedger, s.place))
}

// wrote remembers the latest entry that this store wrote.
func (s *store) wrote(e quota.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Seq > s.last.Seq {
		s.last = e
	}
}

// closeWait is how long Close waits for statements under way.
const closeWait = 5 * time.Second

// Close waits for the statements under way, at most 5 seconds, and closes the
// connections.
func (s *store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	done := make(chan struct{})
	go func() {
		s.pool.Close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(closeWait):
		return fmt.Errorf("close ledger %s: a statement is still running after %s", s.place, closeWait)
	}
}
