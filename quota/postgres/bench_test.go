package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

const operation = "POST /hscode/classify"

var requestKey, testName = strings.Repeat("9f86d081", 8), "TestClassify/shirt"

// BenchmarkSpend is a durable spend with the settlement of the one before, which
// is what one metered request costs, by so many runs on one allowance. In turn
// with it, as many clients do the same on one shared row, a reserve and a commit,
// each one statement, one round trip and one flush; and the disk of this machine
// flushes 8 kB, which is the server's when it runs here. It reports the rates of
// all three, and ours as a share of the shared row's.
func BenchmarkSpend(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			ours, theirs, flush := newRuns(b, clients, clients, true), newHotRow(b, clients), newFlusher(b)
			for _, do := range []work{ours, theirs} {
				spread(b, clients, 5, do) // connected, prepared, and in memory
			}
			var us, them, disk times
			for b.Loop() {
				us.add(spread(b, clients, 20, ours))
				them.add(spread(b, clients, 20, theirs))
				disk.add(spread(b, 1, 100, flush))
			}
			b.ReportMetric(0, "ns/op") // of all together, which means nothing
			b.ReportMetric(us.rate(), "ours/s")
			b.ReportMetric(them.rate(), "hot-cte/s")
			b.ReportMetric(disk.rate(), "flushes/s")
			b.ReportMetric(us.rate()/them.rate(), "ours/hot-cte")
			b.ReportMetric(us.p99()/them.p99(), "p99/hot-cte")
		})
	}
}

// work is what one of several workers does again and again.
type work func(ctx context.Context, w, i int) error

// newRuns are so many runs on one allowance, by so many connections. Each spend
// carries the settlement of the one before, or each settlement goes by itself.
func newRuns(b *testing.B, runs, conns int, carried bool) work {
	dsn := with(pgtest.Database(b), "pool_max_conns", strconv.Itoa(conns))
	s, err := postgres.Init(b.Context(), postgres.Config{DSN: dsn, Lease: time.Hour}, quota.InitSpec{Granted: quota.MaxUnits})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	settled := make([][]quota.Settlement, runs)
	for w := range runs {
		_, err := s.Begin(b.Context(), quota.RunSpec{ID: strconv.Itoa(w), Max: 1_000_000}, nil)
		require.NoError(b, err)
	}
	return func(ctx context.Context, w, i int) error {
		id := spendID(w, i)
		_, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: strconv.Itoa(w), Units: 1, Operation: operation, RequestKey: requestKey, Test: testName}, settled[w]...)
		answered := []quota.Settlement{{Spend: id, Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 180}}
		if carried {
			settled[w] = answered
			return err
		}
		return errors.Join(err, s.Settle(ctx, answered...))
	}
}

func spendID(w, i int) string {
	return "01J8ZQ4D7N3K5V9W2X6Y" + strconv.Itoa(w) + "/" + strconv.Itoa(i)
}

// newHotRow is a ledger whose every request changes one row.
func newHotRow(b *testing.B, clients int) work {
	pool, err := pgxpool.New(b.Context(), with(pgtest.Database(b), "pool_max_conns", strconv.Itoa(clients)))
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	_, err = pool.Exec(b.Context(), `CREATE TABLE account (id int PRIMARY KEY, held bigint NOT NULL, used bigint NOT NULL, lim bigint NOT NULL);
		CREATE TABLE entry (id text PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL, state text NOT NULL, payload text NOT NULL);
		INSERT INTO account VALUES (1, 0, 0, 1000000000000)`)
	require.NoError(b, err)
	conns := make([]*pgxpool.Conn, clients)
	for i := range conns {
		conns[i], err = pool.Acquire(b.Context())
		require.NoError(b, err)
		b.Cleanup(conns[i].Release)
	}
	payload := operation + requestKey + testName
	return func(ctx context.Context, w, i int) error {
		id, conn := spendID(w, i), conns[w]
		return errors.Join(
			one(conn.Exec(ctx, `WITH a AS (UPDATE account SET held = held + $1 WHERE id = 1 AND held + used + $1 <= lim RETURNING id)
				INSERT INTO entry SELECT $2, id, $1, 'DISPATCHED', $3 FROM a`, 1, id, payload)),
			one(conn.Exec(ctx, `WITH e AS (UPDATE entry SET state = 'SETTLED' WHERE id = $1 AND state = 'DISPATCHED' RETURNING account, amount)
				UPDATE account SET held = held - e.amount, used = used + e.amount FROM e WHERE account.id = e.account`, id)))
	}
}

// one wants one row changed.
func one(tag interface{ RowsAffected() int64 }, err error) error {
	if err == nil && tag.RowsAffected() != 1 {
		err = pgx.ErrNoRows
	}
	return err
}

// newFlusher writes 8 kB, a page of the server's log, into a file that does not
// grow, and flushes them.
func newFlusher(b *testing.B) work {
	page := make([]byte, 8192)
	f, err := os.Create(filepath.Join(b.TempDir(), "flushed"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, f.Close()) })
	_, err = f.Write(page)
	require.NoError(b, err)
	require.NoError(b, f.Sync())
	return func(context.Context, int, int) error {
		_, err := f.WriteAt(page, 0)
		return errors.Join(err, f.Sync())
	}
}

// times is how long rounds took, and how long each operation of them.
type times struct {
	rounds, each []time.Duration
	done         int // operations of a round
}

func (t *times) add(took time.Duration, each []time.Duration) {
	t.rounds, t.each, t.done = append(t.rounds, took), append(t.each, each...), len(each)
}

// rate is the operations of a second in the middle one of the rounds.
func (t *times) rate() float64 {
	slices.Sort(t.rounds)
	return float64(t.done) / t.rounds[len(t.rounds)/2].Seconds()
}

// p99 is what the slowest hundredth of the operations took at least, in seconds.
func (t *times) p99() float64 {
	slices.Sort(t.each)
	return t.each[len(t.each)*99/100].Seconds()
}

// spread lets each of so many workers do so many operations, and returns how long
// all took and each.
func spread(b *testing.B, workers, each int, do work) (time.Duration, []time.Duration) {
	took := make([][]time.Duration, workers)
	var wg sync.WaitGroup
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			for range each {
				start := time.Now()
				if err := do(b.Context(), w, int(number.Add(1))); err != nil {
					b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(start))
			}
		})
	}
	wg.Wait()
	return time.Since(start), slices.Concat(took...)
}

// number makes the ids of all operations different.
var number atomic.Int64
