//go:build linux

package postgres_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// BenchmarkScale is what docs/scale.md shows of PostgreSQL: up to 1,000 active
// runs on one allowance that all spend and settle as fast as they can, by so many
// connections. Of all the processors of this machine it reports how much was
// busy, and how much of that was the callers', who run here too.
func BenchmarkScale(b *testing.B) {
	for _, c := range []struct {
		runs, conns int
		carried     bool
	}{
		{1, 1, true}, {10, 10, true}, {100, 100, true}, {1000, 100, true},
		{1000, 2, true}, {1000, 8, true}, {1000, 32, true}, {1000, 150, true},
		{1000, 32, false},
	} {
		name := fmt.Sprintf("runs=%d/conns=%d", c.runs, c.conns)
		if !c.carried {
			name += "/settled-apart"
		}
		b.Run(name, func(b *testing.B) {
			measure(b, c.runs, max(4000/c.runs, 1), newRuns(b, c.runs, c.conns, c.carried))
		})
	}
}

// BenchmarkScaleAdmission lets callers begin a run and end it, at once, while so
// many other runs are active. All of them need the row of the allowance.
func BenchmarkScaleAdmission(b *testing.B) {
	perDay := []quota.Rule{{MaxPerDay: quota.MaxUnits}}
	for _, c := range []struct {
		active, callers int
		budgets         []quota.Rule
	}{{0, 1, perDay}, {100, 1, perDay}, {1000, 1, perDay}, {1000, 10, perDay}, {1000, 100, perDay}, {1000, 10, nil}} {
		b.Run(fmt.Sprintf("active=%d/callers=%d/budgets=%d", c.active, c.callers, len(c.budgets)), func(b *testing.B) {
			dsn := with(pgtest.Database(b), "pool_max_conns", "32")
			s, err := postgres.Init(b.Context(), postgres.Config{DSN: dsn, Lease: time.Hour}, quota.InitSpec{Granted: quota.MaxUnits})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			begin := func(ctx context.Context, id string, p quota.Process) error {
				_, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 10, Process: p}, c.budgets)
				return err
			}
			for i := range c.active { // each on a machine of its own
				require.NoError(b, begin(b.Context(), fmt.Sprintf("active %d", i), quota.Process{Host: fmt.Sprintf("machine %d", i), PID: 17}))
			}
			this := quota.ThisProcess()
			measure(b, c.callers, max(400/c.callers, 1), func(ctx context.Context, w, i int) error {
				id := fmt.Sprintf("%d %d", w, i)
				if err := begin(ctx, id, this); err != nil {
					return err
				}
				_, err := s.End(ctx, id, quota.Counters{})
				return err
			})
		})
	}
}

// measure lets workers do so many operations each, again and again.
func measure(b *testing.B, workers, each int, do work) {
	spread(b, workers, 2, do) // connected, prepared, and in memory
	var all times
	busy, own, start := machine(b), process(b), time.Now()
	for b.Loop() {
		all.add(spread(b, workers, each, do))
	}
	available := float64(time.Since(start)) * float64(runtime.NumCPU())
	b.ReportMetric(0, "ns/op") // of a round, which means nothing
	b.ReportMetric(all.rate(), "ops/s")
	slices.Sort(all.each)
	b.ReportMetric(all.each[len(all.each)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(all.p99()*1000, "p99-ms")
	b.ReportMetric(float64(machine(b)-busy)/available*100, "busy-%")
	b.ReportMetric(float64(process(b)-own)/available*100, "callers-%")
}

// machine is how long all processors together were not idle since the start.
func machine(b *testing.B) time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	require.NoError(b, err)
	line, _, _ := strings.Cut(string(stat), "\n")
	var ticks int64 // of 10 ms
	for i, field := range strings.Fields(line)[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		require.NoError(b, err)
		if i != 3 && i != 4 { // idle, and waiting for a disk
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// process is how long this process was running on a processor.
func process(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
