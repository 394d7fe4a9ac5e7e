package sqlite

import (
	"context"
	_ "embed" // for the steps
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// schemaVersion is kept in PRAGMA user_version. The schema of a version is
// never changed: a new version has a step that leads to it from the one before,
// and leaves what the statements of the one before name as it is: programs of that
// version may have the file open.
const schemaVersion = 2

// newest is schemaVersion. A test that is a program of an earlier version has that
// one here.
var newest int64 = schemaVersion

// applicationID marks the file as a ledger, in PRAGMA application_id: "hsql".
const applicationID = 0x6873716c

// Balances are kept so that no spend touches the allowance: base is what was
// spent outside of active runs, and what active runs spent and hold stands in
// their own rows. Times are in microseconds since 1970, 0 for none. Chains of OR
// stand where IN would make SQLite build a table of the list for every row.
const schema1 = `
CREATE TABLE ledger(
	one INTEGER PRIMARY KEY CHECK(one = 1),
	id TEXT NOT NULL CHECK(id <> ''),
	account TEXT NOT NULL,
	allowance TEXT NOT NULL CHECK(allowance <> ''),
	created INTEGER NOT NULL,
	granted INTEGER NOT NULL CHECK(granted >= 0),
	base INTEGER NOT NULL CHECK(base >= 0),
	unknown INTEGER NOT NULL CHECK(unknown >= 0),
	floor INTEGER NOT NULL CHECK(floor >= 0),
	exhausted INTEGER NOT NULL CHECK(exhausted IN (0, 1))
) STRICT;
CREATE TABLE run(
	id TEXT PRIMARY KEY CHECK(id <> ''),
	mode TEXT NOT NULL, max INTEGER NOT NULL CHECK(max >= 0),
	suite TEXT NOT NULL, branch TEXT NOT NULL, commit_id TEXT NOT NULL,
	actor TEXT NOT NULL, event TEXT NOT NULL, job_url TEXT NOT NULL,
	host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT NOT NULL,
	state TEXT NOT NULL CHECK(state IN ('active', 'ended', 'expired')),
	spent INTEGER NOT NULL CHECK(spent BETWEEN 0 AND max),
	unknown INTEGER NOT NULL CHECK(unknown BETWEEN 0 AND spent),
	begun INTEGER NOT NULL, lease_until INTEGER NOT NULL,
	over INTEGER NOT NULL CHECK((over = 0) = (state = 'active')),
	requests INTEGER NOT NULL, replayed INTEGER NOT NULL, mocked INTEGER NOT NULL,
	missed INTEGER NOT NULL, would_spend INTEGER NOT NULL
) STRICT;
CREATE INDEX run_active ON run(begun) WHERE state = 'active';
CREATE INDEX run_begun ON run(begun);
CREATE TRIGGER run_stays BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'runs are never deleted'); END;
CREATE TRIGGER run_over BEFORE UPDATE OF state, spent, max ON run WHEN OLD.state <> 'active'
	BEGIN SELECT RAISE(ABORT, 'a run that is over does not change'); END;
CREATE TABLE entry(
	seq INTEGER PRIMARY KEY CHECK(seq > 0),
	at INTEGER NOT NULL,
	run TEXT NOT NULL,
	kind TEXT NOT NULL CHECK(kind = 'spend' OR kind = 'settle' OR kind = 'refund' OR kind = 'begin' OR kind = 'hold'
		OR kind = 'release' OR kind = 'end' OR kind = 'expire' OR kind = 'block' OR kind = 'grant' OR kind = 'reconcile' OR kind = 'exhaust'),
	units INTEGER NOT NULL CHECK(units >= 0 OR kind = 'reconcile'),
	id TEXT NOT NULL CHECK(id <> '' OR kind NOT IN ('spend', 'settle', 'refund', 'grant', 'reconcile')),
	operation TEXT NOT NULL, request_key TEXT NOT NULL, test TEXT NOT NULL,
	outcome TEXT NOT NULL CHECK((outcome IN ('answered', 'unknown') AND kind = 'settle')
		OR (outcome = 'refunded' AND kind = 'refund') OR (outcome = '' AND kind NOT IN ('settle', 'refund'))),
	status INTEGER NOT NULL, duration_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,
	note TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_once ON entry(id, kind, outcome) WHERE id <> '';
CREATE UNIQUE INDEX entry_run_once ON entry(run, kind) WHERE kind = 'begin' OR kind = 'hold' OR kind = 'end' OR kind = 'expire';
CREATE INDEX entry_spend ON entry(run) WHERE kind = 'spend';
CREATE TRIGGER entry_append BEFORE INSERT ON entry WHEN NEW.seq <= (SELECT max(seq) FROM entry)
	BEGIN SELECT RAISE(ABORT, 'entries are only appended'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_same BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
`

//go:embed migrations/2.sql
var schema2 string

// schemas are the steps, each from the version before to the next.
var schemas = []string{schema1, schema2}

// version tells how far the file is: 0 for one that was never finished. Of what it
// refuses not even the journal is moved into the file.
func (c *conn) version() (int64, error) {
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	id, err := c.number("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	if id != applicationID && (id != 0 || version > 0 || tables > 0) {
		return 0, errors.Join(errOther, c.abandon())
	}
	if version > newest {
		return 0, errors.Join(fmt.Errorf("%w: its schema is %d, this program knows %d", quota.ErrNewerSchema, version, newest), c.abandon())
	}
	if version < 0 {
		return 0, errors.Join(fmt.Errorf("%w: its schema is %d, and the first was 1", quota.ErrDamaged, version), c.abandon())
	}
	return version, nil
}

// known refuses what is no ledger of ours, or not any more, before anything in it is
// changed.
func (c *conn) known(ctx context.Context) error {
	version, err := c.version()
	if err != nil {
		return err
	}
	if version == 0 {
		return fmt.Errorf("%w: the file is empty", quota.ErrNoLedger)
	}
	return c.intact(ctx, version)
}

// migrate brings an older schema up to date, in one transaction with the number of
// the version. It is for the gate, and looks again once nobody else can write.
func (c *conn) migrate() error {
	from, err := c.version()
	if err != nil || from == newest {
		return err
	}
	err = c.transact(func() error {
		if from, err = c.version(); err != nil {
			return err
		}
		return c.steps(from)
	})
	if err != nil {
		// Like after any write that failed: what is on disk is not known, and closing must not flush it again.
		return errors.Join(fmt.Errorf("bring its schema from %d to %d: %w", from, newest, err), c.abandon())
	}
	return nil
}

// steps brings the tables from a version to the newest.
func (c *conn) steps(from int64) error {
	for _, step := range schemas[from:newest] {
		if err := c.script(step); err != nil {
			return err
		}
	}
	return c.script(fmt.Sprintf("PRAGMA user_version=%d; PRAGMA application_id=%d", newest, applicationID))
}

// create writes the newest schema into an empty file.
func (c *conn) create() error {
	version, err := c.version()
	if err != nil {
		return err
	}
	if version > 0 {
		return quota.ErrLedgerExists
	}
	return c.steps(0)
}

func (c *conn) insertLedger(info quota.Info, b quota.Balances) error {
	return c.exec(`INSERT INTO ledger(one, id, account, allowance, created, granted, base, unknown, floor, exhausted)
		VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		info.LedgerID, info.Account, info.Allowance, micros(info.Created), b.Granted, b.Spent, b.Unknown, b.Floor, b.Exhausted)
}

// ledger reads everything of Info but Store, Path and Head.
func (c *conn) ledger() (info quota.Info, err error) {
	err = c.query("SELECT id, account, allowance, created FROM ledger", func(s *sqlite3.Stmt) error {
		info = quota.Info{LedgerID: s.ColumnText(0), Account: s.ColumnText(1), Allowance: s.ColumnText(2), Created: fromMicros(s.ColumnInt64(3))}
		return nil
	})
	if err == nil && info.LedgerID == "" {
		err = fmt.Errorf("%w: the file has no ledger in it", quota.ErrNoLedger)
	}
	return info, err
}

// tx is the transaction that an operation runs in.
type tx struct {
	*conn
	store     *store
	now       time.Time
	allowance string
	head      int64 // Seq of the last entry, 0 while it is not read
	drawing   drawing
}
