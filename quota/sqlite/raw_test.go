package sqlite_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// raw is the least that any ledger in SQLite could do: a reserve is one
// conditional update and one insert of some 190 bytes, a commit the change of
// its state and of the counter; both flushed, with prepared statements.
type raw struct {
	db                                    *sqlite3.Conn
	begin, hold, insert, settle, use, end *sqlite3.Stmt
}

// rawSchema makes its tables.
const rawSchema = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
	CREATE TABLE account(id INTEGER PRIMARY KEY, held INTEGER NOT NULL, used INTEGER NOT NULL, lim INTEGER NOT NULL) STRICT;
	CREATE TABLE entry(id TEXT PRIMARY KEY, state TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
	INSERT INTO account VALUES (1, 0, 0, 1000000000)`

func newRaw(b *testing.B) *raw {
	db, err := sqlite3.Open(filepath.Join(b.TempDir(), "raw.db"))
	require.NoError(b, err)
	require.NoError(b, db.Exec(rawSchema))
	r, err := prepareRaw(db)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, r.close()) })
	return r
}

func prepareRaw(db *sqlite3.Conn) (*raw, error) {
	r := &raw{db: db}
	for sql, stmt := range map[string]**sqlite3.Stmt{
		"BEGIN IMMEDIATE": &r.begin, "COMMIT": &r.end,
		"UPDATE account SET held = held + 1 WHERE id = 1 AND held + used + 1 <= lim": &r.hold,
		"INSERT INTO entry VALUES (?, 'DISPATCHED', ?)":                              &r.insert,
		"UPDATE entry SET state = 'SETTLED' WHERE id = ? AND state = 'DISPATCHED'":   &r.settle,
		"UPDATE account SET held = held - 1, used = used + 1 WHERE id = 1":           &r.use,
	} {
		var err error
		if *stmt, _, err = db.Prepare(sql); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *raw) close() error {
	return errors.Join(r.begin.Close(), r.hold.Close(), r.insert.Close(), r.settle.Close(), r.use.Close(), r.end.Close(), r.db.Close())
}

var payload = strings.Repeat("x", 170)

// commit reserves for each number, and settles for each negative one.
func (r *raw) commit(batch []int64) error {
	if err := r.begin.Exec(); err != nil {
		return err
	}
	for _, i := range batch {
		account, entry := r.hold, r.insert
		if i < 0 {
			account, entry, i = r.use, r.settle, -i
		} else if err := entry.BindText(2, payload); err != nil {
			return err
		}
		if err := entry.BindText(1, spendID(i)); err != nil {
			return err
		}
		if err := errors.Join(account.Exec(), entry.Exec()); err != nil {
			return err
		}
	}
	return r.end.Exec()
}

// group lets many goroutines share the transactions of one writer.
type group struct{ requests chan request }

type request struct {
	i    int64
	done chan error
}

func newGroup(b *testing.B) *group {
	raw := newRaw(b)
	g := &group{make(chan request, 256)}
	var writer sync.WaitGroup
	writer.Go(func() {
		for r := range g.requests {
			batch, waiting := []int64{r.i}, []chan error{r.done}
		more:
			for len(batch) < cap(g.requests) {
				select {
				case r, ok := <-g.requests:
					if !ok {
						break more
					}
					batch, waiting = append(batch, r.i), append(waiting, r.done)
				default:
					break more
				}
			}
			err := raw.commit(batch)
			for _, done := range waiting {
				done <- err
			}
		}
	})
	b.Cleanup(func() {
		close(g.requests)
		writer.Wait()
	})
	return g
}

// pair reserves and commits.
func (g *group) pair(i int64) error {
	for _, i := range []int64{i, -i} {
		r := request{i, make(chan error, 1)}
		g.requests <- r
		if err := <-r.done; err != nil {
			return err
		}
	}
	return nil
}
