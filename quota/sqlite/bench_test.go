package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// BenchmarkSpend is a durable spend with a lazy settlement, which is what one
// metered request costs, in turn with two limits of this disk: the raw
// transaction of [raw], and flushes of 4 kB into a file of fixed size. It
// reports the rates of all three, and ours as a share of the raw one. By 64
// goroutines the raw one goes through a single writer that commits what has
// queued up, a reserve and a commit for each operation.
func BenchmarkSpend(b *testing.B) {
	b.Run("1", func(b *testing.B) {
		raw := newRaw(b)
		beside(b, 1, 200, func(i int64) error { return raw.commit([]int64{i}) })
	})
	b.Run("64", func(b *testing.B) { beside(b, 64, 10_000, newGroup(b).pair) })
}

// beside measures rounds of so many operations by so many goroutines: ours,
// theirs, and as many flushes as goroutines would wait for.
func beside(b *testing.B, goroutines int, operations int64, theirs func(i int64) error) {
	ours := newSpender(b)
	flush := newFlusher(b)
	var us, them, disk []time.Duration
	round := int64(0)
	for b.Loop() {
		from := round * operations
		us = append(us, spread(b, goroutines, from, operations, ours))
		them = append(them, spread(b, goroutines, from, operations, theirs))
		disk = append(disk, spread(b, 1, from, 200, flush))
		round++
	}
	rate := func(took []time.Duration, n int64) float64 {
		slices.Sort(took)
		return float64(n) / took[len(took)/2].Seconds()
	}
	our, raw, flushes := rate(us, operations), rate(them, operations), rate(disk, 200)
	b.ReportMetric(0, "ns/op") // of all together, which means nothing
	b.ReportMetric(our, "ours/s")
	b.ReportMetric(raw, "raw/s")
	b.ReportMetric(flushes, "flushes/s")
	b.ReportMetric(our/raw, "ours/raw")
	if raw < flushes/2 {
		b.Errorf("void: the raw transaction made %.0f/s, below half of the disk's %.0f flushes/s: something else was at work, run it again", raw, flushes)
	}
}

// newSpender spends and settles on a run of its own ledger.
func newSpender(b *testing.B) func(i int64) error {
	s, err := sqlite.Init(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "ledger.db")}, quota.InitSpec{Granted: quota.MaxUnits})
	require.NoError(b, err)
	client := &quota.Client{Store: s, Loopback: true}
	run, err := client.Begin(b.Context(), quota.RunSpec{ID: "run", Max: quota.MaxUnits}, nil)
	require.NoError(b, err)
	b.Cleanup(func() {
		_, err := run.End(context.Background(), quota.Counters{}) // that of b is over
		require.NoError(b, err)
		require.NoError(b, s.Close())
	})
	return func(i int64) error {
		id := spendID(i)
		if _, err := run.Spend(b.Context(), spendSpec(id)); err != nil {
			return err
		}
		return run.Settle(settlement(id))
	}
}

func spendSpec(id string) quota.SpendSpec {
	return quota.SpendSpec{ID: id, Units: 1, Operation: "POST /hscode/classify",
		RequestKey: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Test: "TestClassify/shirt"}
}

func settlement(id string) quota.Settlement {
	return quota.Settlement{Spend: id, Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 180}
}

func spendID(i int64) string { return "01J8ZQ4D7N3K5V9W2X6Y" + strconv.FormatInt(i, 10) }

// newFlusher writes 4 kB into a file that does not grow, and flushes them.
func newFlusher(b *testing.B) func(i int64) error {
	const blocks = 256
	block := make([]byte, 4096)
	f, err := os.Create(filepath.Join(b.TempDir(), "flushed"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, f.Close()) })
	for i := range blocks {
		_, err := f.WriteAt(block, int64(i*len(block)))
		require.NoError(b, err)
	}
	require.NoError(b, f.Sync())
	return func(i int64) error {
		if _, err := f.WriteAt(block, i%blocks*int64(len(block))); err != nil {
			return err
		}
		return datasync(f)
	}
}

// spread does operations by so many goroutines, numbered from a number on, and
// returns how long they took.
func spread(b *testing.B, goroutines int, from, operations int64, f func(i int64) error) time.Duration {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	start := time.Now()
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1); i <= operations; i = next.Add(1) {
				if err := f(from + i); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return took
}
