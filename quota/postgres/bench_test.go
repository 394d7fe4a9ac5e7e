package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// BenchmarkSpend is a durable spend with the settlement of the one before,
// which is what one metered request costs, by so many runs on one allowance.
func BenchmarkSpend(b *testing.B) {
	for _, runs := range []int{1, 64} {
		b.Run(strconv.Itoa(runs), func(b *testing.B) {
			dsn := with(pgtest.Database(b), "pool_max_conns", strconv.Itoa(runs))
			s, err := postgres.Init(b.Context(), postgres.Config{DSN: dsn, Lease: time.Hour}, quota.InitSpec{Granted: quota.MaxUnits})
			require.NoError(b, err)
			spread(b, runs, func(ctx context.Context, w int) func(i int) error {
				run := strconv.Itoa(w)
				_, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: 1_000_000}, nil)
				require.NoError(b, err)
				var settled []quota.Settlement
				return func(i int) error {
					id := "01J8ZQ4D7N3K5V9W2X6Y" + run + "/" + strconv.Itoa(i)
					_, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: run, Units: 1, Operation: operation, RequestKey: requestKey, Test: testName}, settled...)
					settled = []quota.Settlement{{Spend: id, Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 180}}
					return err
				}
			})
			require.NoError(b, s.Close())
		})
	}
}

// BenchmarkHotCTE is what a spend and its settlement cost on one shared row: a
// reserve and a commit, each one statement, one round trip and one flush.
func BenchmarkHotCTE(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			pool, err := pgxpool.New(b.Context(), with(pgtest.Database(b), "pool_max_conns", strconv.Itoa(clients)))
			require.NoError(b, err)
			b.Cleanup(pool.Close) // after the connections are released
			_, err = pool.Exec(b.Context(), `CREATE TABLE account (id int PRIMARY KEY, held bigint NOT NULL, used bigint NOT NULL, lim bigint NOT NULL);
				CREATE TABLE entry (id text PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL, state text NOT NULL, payload text NOT NULL);
				INSERT INTO account VALUES (1, 0, 0, 1000000000000)`)
			require.NoError(b, err)
			payload := operation + requestKey + testName
			spread(b, clients, func(ctx context.Context, w int) func(i int) error {
				conn, err := pool.Acquire(ctx)
				require.NoError(b, err)
				b.Cleanup(conn.Release)
				return func(i int) error {
					id := "01J8ZQ4D7N3K5V9W2X6Y" + strconv.Itoa(w) + "/" + strconv.Itoa(i)
					return errors.Join(
						one(conn.Exec(ctx, `WITH a AS (UPDATE account SET held = held + $1 WHERE id = 1 AND held + used + $1 <= lim RETURNING id)
							INSERT INTO entry SELECT $2, id, $1, 'DISPATCHED', $3 FROM a`, 1, id, payload)),
						one(conn.Exec(ctx, `WITH e AS (UPDATE entry SET state = 'SETTLED' WHERE id = $1 AND state = 'DISPATCHED' RETURNING account, amount)
							UPDATE account SET held = held - e.amount, used = used + e.amount FROM e WHERE account.id = e.account`, id)))
				}
			})
		})
	}
}

// one wants one row changed.
func one(tag interface{ RowsAffected() int64 }, err error) error {
	if err == nil && tag.RowsAffected() != 1 {
		err = pgx.ErrNoRows
	}
	return err
}

// spread does b.N operations by so many workers, and reports how long the
// slowest hundredth took.
func spread(b *testing.B, workers int, worker func(ctx context.Context, w int) func(i int) error) {
	took := make([][]time.Duration, workers)
	do := make([]func(int) error, workers)
	for w := range workers {
		do[w] = worker(b.Context(), w)
		require.NoError(b, do[w](-1)) // connected and prepared
	}
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range workers {
		wg.Go(func() {
			for i := w; i < b.N; i += workers {
				start := time.Now()
				if err := do[w](i); err != nil {
					b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(start))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
