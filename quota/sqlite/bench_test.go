package sqlite_test

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// BenchmarkSpend is a durable spend with a lazy settlement, which is what one
// metered request costs.
func BenchmarkSpend(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(strconv.Itoa(goroutines), func(b *testing.B) {
			s, err := sqlite.Init(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "ledger.db")}, quota.InitSpec{Granted: quota.MaxUnits})
			require.NoError(b, err)
			client := &quota.Client{Store: s, Loopback: true}
			run, err := client.Begin(b.Context(), quota.RunSpec{ID: "run", Max: quota.MaxUnits}, nil)
			require.NoError(b, err)
			spread(b, goroutines, func(i int64) error {
				id := "01J8ZQ4D7N3K5V9W2X6Y" + strconv.FormatInt(i, 10)
				_, err := run.Spend(b.Context(), quota.SpendSpec{ID: id, Units: 1, Operation: "POST /hscode/classify",
					RequestKey: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Test: "TestClassify/shirt"})
				if err != nil {
					return err
				}
				return run.Settle(quota.Settlement{Spend: id, Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 180})
			})
			_, err = run.End(b.Context(), quota.Counters{})
			require.NoError(b, err)
			require.NoError(b, s.Close())
		})
	}
}

// BenchmarkRaw is the least that any ledger in SQLite could do for a spend: one
// conditional update and one insert of some 190 bytes, flushed, with prepared
// statements. By 64 goroutines it goes through one that commits what has queued
// up, as the reserve and the commit of a pair.
func BenchmarkRaw(b *testing.B) {
	b.Run("1", func(b *testing.B) {
		raw := newRaw(b)
		spread(b, 1, func(i int64) error { return raw.commit([]int64{i}) })
	})
	b.Run("64", func(b *testing.B) {
		raw := newRaw(b)
		type request struct {
			i    int64
			done chan error
		}
		requests := make(chan request, 256)
		var writer sync.WaitGroup
		writer.Go(func() {
			for r := range requests {
				batch, waiting := []int64{r.i}, []chan error{r.done}
			more:
				for len(batch) < 256 {
					select {
					case r, ok := <-requests:
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
		spread(b, 64, func(i int64) error {
			for _, i := range []int64{i, -i} {
				r := request{i, make(chan error, 1)}
				requests <- r
				if err := <-r.done; err != nil {
					return err
				}
			}
			return nil
		})
		close(requests)
		writer.Wait()
	})
}

// spread does b.N times f, by so many goroutines.
func spread(b *testing.B, goroutines int, f func(i int64) error) {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := f(i); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
}

type raw struct{ begin, hold, insert, settle, use, end *sqlite3.Stmt }

func newRaw(b *testing.B) *raw {
	db, err := sqlite3.Open(filepath.Join(b.TempDir(), "raw.db"))
	require.NoError(b, err)
	require.NoError(b, db.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
		CREATE TABLE account(id INTEGER PRIMARY KEY, held INTEGER NOT NULL, used INTEGER NOT NULL, lim INTEGER NOT NULL) STRICT;
		CREATE TABLE entry(id TEXT PRIMARY KEY, state TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
		INSERT INTO account VALUES (1, 0, 0, 1000000000)`))
	prepare := func(sql string) *sqlite3.Stmt {
		s, _, err := db.Prepare(sql)
		require.NoError(b, err)
		return s
	}
	r := &raw{prepare("BEGIN IMMEDIATE"), prepare("UPDATE account SET held = held + 1 WHERE id = 1 AND held + used + 1 <= lim"),
		prepare("INSERT INTO entry VALUES (?, 'DISPATCHED', ?)"),
		prepare("UPDATE entry SET state = 'SETTLED' WHERE id = ? AND state = 'DISPATCHED'"),
		prepare("UPDATE account SET held = held - 1, used = used + 1 WHERE id = 1"), prepare("COMMIT")}
	b.Cleanup(func() {
		for _, s := range []*sqlite3.Stmt{r.begin, r.hold, r.insert, r.settle, r.use, r.end} {
			require.NoError(b, s.Close())
		}
		require.NoError(b, db.Close())
	})
	return r
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
		if err := entry.BindText(1, "01J8ZQ4D7N3K5V9W2X6Y"+strconv.FormatInt(i, 10)); err != nil {
			return err
		}
		if err := errors.Join(account.Exec(), entry.Exec()); err != nil {
			return err
		}
	}
	return r.end.Exec()
}
