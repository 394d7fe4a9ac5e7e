package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// busyTimeout is for programs that don't know the gate, such as a backup.
const busyTimeout = 5 * time.Second

// minVersion is the SQLite that fixed the WAL-reset race, which could corrupt a
// database: https://www.sqlite.org/wal.html#walresetbug
const minVersion = 3_051_003

// synchronousFull is PRAGMA synchronous=FULL as a number.
const synchronousFull = 2

func connect(ctx context.Context, config Config, path string, creating bool) (*conn, error) {
	query := url.Values{"mode": {"rw"}}
	if creating {
		query.Set("mode", "rwc")
	}
	if config.VFS != "" {
		query.Set("vfs", config.VFS)
	}
	c, err := dial(ctx, uri(path, query))
	if errors.Is(err, sqlite3.CANTOPEN) {
		err = fmt.Errorf("%w: %w", quota.ErrUnsafePlace, err)
	}
	if err != nil {
		return nil, err
	}
	readOnly, err := c.readOnly()
	if err == nil && readOnly {
		err = fmt.Errorf("%w: it is read-only", quota.ErrUnsafePlace)
	}
	if err == nil {
		err = c.busy(min(busyTimeout, config.wait()))
	}
	if err == nil {
		// With the stability guarantee a statement is planned once; without it one
		// whose index depends on a bound value is planned again at every use.
		err = c.option(sqlite3.DBCONFIG_ENABLE_QPSG, true)
	}
	if err == nil {
		err = c.persistWAL()
	}
	if err == nil {
		err = c.exec(fmt.Sprintf("PRAGMA journal_size_limit=%d", walSize))
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// setUp makes the connection one for durable writes, and reads back that it is.
func (c *conn) setUp() error {
	// fullfsync matters on macOS only, where a plain fsync stops at the drive.
	for _, pragma := range []string{"synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "foreign_keys=ON", "trusted_schema=OFF"} {
		if err := c.exec("PRAGMA " + pragma); err != nil {
			return err
		}
	}
	mode, err := c.text("PRAGMA journal_mode=WAL")
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: journal_mode is %s, want wal", quota.ErrUnsafePlace, mode)
	}
	return c.checkSettings()
}

// checkSettings refuses settings under which a commit may be lost.
func (c *conn) checkSettings() error {
	synchronous, err := c.number("PRAGMA synchronous")
	if err != nil {
		return err
	}
	if synchronous < synchronousFull {
		return fmt.Errorf("%w: synchronous is %d, want %d", quota.ErrUnsafePlace, synchronous, synchronousFull)
	}
	version, err := c.number(`WITH v(t) AS (SELECT sqlite_version() || '.0')
		SELECT CAST(t AS INTEGER) * 1000000
			+ CAST(substr(t, instr(t, '.') + 1) AS INTEGER) * 1000
			+ CAST(substr(substr(t, instr(t, '.') + 1), instr(substr(t, instr(t, '.') + 1), '.') + 1) AS INTEGER) FROM v`)
	if err != nil {
		return err
	}
	if version < minVersion {
		return fmt.Errorf("%w: SQLite %d is older than %d", quota.ErrUnsafePlace, version, minVersion)
	}
	return nil
}

func (c *conn) exec(sql string, args ...any) error { return c.query(sql, nil, args...) }

// number is the first column of the last row, 0 without rows.
func (c *conn) number(sql string, args ...any) (n int64, err error) {
	err = c.query(sql, func(s *sqlite3.Stmt) error { n = s.ColumnInt64(0); return nil }, args...)
	return n, err
}

// text is like number.
func (c *conn) text(sql string, args ...any) (t string, err error) {
	err = c.query(sql, func(s *sqlite3.Stmt) error { t = s.ColumnText(0); return nil }, args...)
	return t, err
}

// transact runs f in a transaction that takes the write lock at once.
func (c *conn) transact(f func() error) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if c.limit != nil {
		c.limit.end() // a COMMIT that is ended once it is written would be told as undone, and a ROLLBACK refused
	}
	if err == nil {
		err = c.exec("COMMIT")
	}
	if err != nil {
		c.rollback()
	}
	return err
}

// rollback ends a transaction, if there still is one, after an error that the
// caller reports; its own adds nothing to that.
func (c *conn) rollback() {
	if c.transacting() {
		_ = c.exec("ROLLBACK")
	}
}

// walSize is to how many bytes the -wal is cut when it begins anew, which is after
// about 1,000 pages, 4 MB: what is left is written over, and a flush of what does not
// grow costs less. Only a reader that stays for long makes it longer. When the last
// connection closes it is cut to nothing, and left where it is.
const walSize = 6 << 20

// checkpoint copies what the -wal has into the ledger's file.
func (c *conn) checkpoint() error {
	return c.exec("PRAGMA wal_checkpoint(PASSIVE)")
}

// abandon makes close leave the -wal file alone: closing the last connection
// would flush it once more.
func (c *conn) abandon() error {
	if c.broken != nil {
		return nil // it is never closed
	}
	return c.option(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
}

// micros is how times are stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the reverse of micros. Of a number that somebody else wrote, and that is no
// time in four digits of a year, which JSON has, it is the nearest.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(min(max(us, firstMicros), lastMicros)).UTC()
}

// The first and the last moment of the years 1 to 9999.
const firstMicros, lastMicros = -62_135_596_800_000_000, 253_402_300_799_999_999
