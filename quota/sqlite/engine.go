package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// The engine panics where it runs out of memory, where it can't reserve address
// space, where a path is longer than it can hold, and where a file that it maps
// is cut short under it. All calls of it are in this file, behind safely, and
// what comes out is an error. After one nothing is known of the connection, so it
// is never used again, not even closed: closing writes.

// errEngine is what every panic of the engine becomes.
var errEngine = errors.New("the SQLite engine failed")

// conn is one connection and its prepared statements. It is not safe for
// concurrent use.
type conn struct {
	db     *sqlite3.Conn // nil once broken
	stmts  map[string]*sqlite3.Stmt
	broken error      // set once, after a panic
	limit  *workLimit // nil but for the connection that writes
	asleep string     // the path of a ledger that nobody had open; empty otherwise
}

// safely calls the engine.
func (c *conn) safely(call func() error) (err error) {
	if c.broken != nil {
		return c.broken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			// Left to the garbage collector, the files are closed, and their locks let go.
			c.broken, c.db, c.stmts = fmt.Errorf("%w: %v: is memory limited (ulimit -v), or was a file cut short?", errEngine, p), nil, nil
			err = c.broken
		}
	}()
	return call()
}

// memory is what one connection may use at most, in bytes. As much of the address
// space is reserved for each, which a limit of it (ulimit -v) may not allow.
const memory = 64 << 20

// mostValue is how many bytes a value may have: less than fits in that memory, and far more
// than any of a ledger.
const mostValue = 8 << 20

// dial opens the database of a URI.
func dial(ctx context.Context, uri string) (*conn, error) {
	c := &conn{stmts: map[string]*sqlite3.Stmt{}}
	err := c.safely(func() (err error) {
		c.db, err = sqlite3.OpenContext(sqlite3.WithMaxMemory(ctx, memory), uri)
		if err == nil {
			c.db.Limit(sqlite3.LIMIT_LENGTH, mostValue)
		}
		return err
	})
	return c, err
}

// query runs a statement and hands each row to row, which must not use the same
// statement. Arguments are int64, string or bool.
func (c *conn) query(sql string, row func(*sqlite3.Stmt) error, args ...any) error {
	return c.safely(func() error { return c.run(sql, row, args) })
}

func (c *conn) run(sql string, row func(*sqlite3.Stmt) error, args []any) error {
	s, err := c.stmt(sql)
	if err != nil {
		return err
	}
	err = c.step(s, row, args)
	if c.broken == nil { // a row may have asked something else, and broken it
		_ = s.Reset() // it repeats the error of the step
	}
	return err
}

func (c *conn) step(s *sqlite3.Stmt, row func(*sqlite3.Stmt) error, args []any) (err error) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case int64:
			err = s.BindInt64(i+1, arg)
		case string:
			err = s.BindText(i+1, arg)
		case bool:
			err = s.BindBool(i+1, arg)
		default:
			err = fmt.Errorf("argument %d is a %T", i+1, arg)
		}
		if err != nil {
			return err
		}
	}
	for s.Step() {
		if row != nil {
			if err := row(s); err != nil {
				return err
			}
		}
	}
	return s.Err()
}

// stmt prepares a statement once.
func (c *conn) stmt(sql string) (*sqlite3.Stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	s, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	c.stmts[sql] = s
	return s, nil
}

// script runs several statements.
func (c *conn) script(sql string) error {
	return c.safely(func() error { return c.db.Exec(sql) })
}

// changes is how many rows the last statement changed.
func (c *conn) changes() (n int64) {
	_ = c.safely(func() error { n = c.db.Changes(); return nil }) // 0 refuses
	return n
}

// transacting tells whether a transaction is open.
func (c *conn) transacting() (open bool) {
	_ = c.safely(func() error { open = !c.db.GetAutocommit(); return nil }) // one that broke is over
	return open
}

// option sets one of the connection.
func (c *conn) option(op sqlite3.DBConfig, value bool) error {
	return c.safely(func() error { _, err := c.db.Config(op, value); return err })
}

// persistWAL keeps the -wal and -shm files when the last connection closes: who
// only reads finds them, and all who write find the same ones. A file layer that
// knows no such thing is fine.
func (c *conn) persistWAL() error {
	err := c.safely(func() error { _, err := c.db.FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true); return err })
	if errors.Is(err, sqlite3.NOTFOUND) {
		return nil
	}
	return err
}

// busy is how long a lock of the database is waited for.
func (c *conn) busy(wait time.Duration) error {
	return c.safely(func() error { return c.db.BusyTimeout(wait) })
}

// readOnly tells whether the file can't be written.
func (c *conn) readOnly() (readOnly bool, err error) {
	err = c.safely(func() error { readOnly, _ = c.db.ReadOnly("main"); return nil })
	return readOnly, err
}

// within makes a limit end what works for too long.
func (c *conn) within(l *workLimit) {
	c.limit = l
	c.until(l)
}

// until makes ctx end a statement.
func (c *conn) until(ctx context.Context) {
	_ = c.safely(func() error { c.db.SetInterrupt(ctx); return nil }) // one that broke runs none
}

func (c *conn) close() error {
	if c == nil || c.db == nil {
		return nil
	}
	return c.safely(func() error {
		for _, s := range c.stmts {
			_ = s.Close() // repeats the last error of the statement
		}
		return c.db.Close()
	})
}

// databaseError tells errors of the database, after which a transaction is undone,
// from refusals. That it takes no further entry is one of them.
func databaseError(err error) bool {
	var full *sqlite3.Error
	var code sqlite3.ErrorCode
	var extended sqlite3.ExtendedErrorCode
	var last *lastEntryError
	return errors.As(err, &last) || errors.As(err, &full) || errors.As(err, &code) || errors.As(err, &extended) || errors.Is(err, errEngine)
}
