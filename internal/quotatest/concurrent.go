package quotatest

import (
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// many runs f(i) for n goroutines and waits for them.
func many(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

var concurrentTests = map[string]func(*fixture){
	"as many runs are admitted as fit": func(f *fixture) {
		var admitted atomic.Int64
		many(64, func(i int) {
			err := f.begin(fmt.Sprintf("run %d", i), 7)
			if err == nil {
				admitted.Add(1)
			} else {
				assert.ErrorIs(f, err, quota.ErrBlocked)
			}
		})
		assert.Equal(f, int64(14), admitted.Load())
		f.figures(0, 98, 2)
	},
	"as many spends are allowed as are held": func(f *fixture) {
		f.mustBegin("a", 50)
		var allowed atomic.Int64
		many(64, func(i int) {
			err := f.spend("a", i, 1)
			if err == nil {
				allowed.Add(1)
			} else {
				assert.ErrorIs(f, err, quota.ErrHoldUsed)
			}
		})
		assert.Equal(f, int64(50), allowed.Load())
		f.figures(50, 0, 50)
	},
	"a snapshot beside spends adds up, and lacks none that was acknowledged": func(f *fixture) {
		const runs, each = 4, 20
		var acknowledged atomic.Int64
		var spending sync.WaitGroup
		defer spending.Wait() // also where a snapshot is wrong: no spend outlives its test
		for i := range runs {
			run := fmt.Sprint("run ", i)
			f.mustBegin(run, each)
			spending.Go(func() {
				for n := range each {
					if assert.NoError(f, f.spend(run, n, 1)) {
						acknowledged.Add(1)
					}
				}
				assert.NoError(f, f.end(run))
			})
		}
		over := make(chan struct{})
		go func() { spending.Wait(); close(over) }()
		var last int64
		for ended := false; !ended; { // the last one sees all
			select {
			case <-over:
				ended = true
			default:
			}
			before := acknowledged.Load()
			err := f.store.Snapshot(f.ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
				report, err := quota.Audit(entries, nil)
				require.NoError(f, err)
				require.Empty(f, report.Problems)
				require.Equal(f, info.Head.Seq, report.Head)
				require.GreaterOrEqual(f, report.Balances.Spent, before)
				last = report.Balances.Spent
				return nil
			})
			require.NoError(f, err)
		}
		assert.Equal(f, int64(runs*each), last)
	},
	"one id is spent once": func(f *fixture) {
		f.mustBegin("a", 50)
		var allowed atomic.Int64
		many(32, func(int) {
			if err := f.spend("a", 1, 1); err == nil {
				allowed.Add(1)
			} else {
				assert.ErrorIs(f, err, quota.ErrSpent)
			}
		})
		assert.Equal(f, int64(1), allowed.Load())
		f.figures(1, 49, 50)
	},
	"one spend is refunded once": func(f *fixture) {
		f.mustBegin("a", 50)
		f.mustSpend("a", 1, 10)
		many(32, func(int) { assert.NoError(f, f.settle("a/1", quota.Refunded)) })
		f.figures(0, 50, 50)
	},
	"runs that begin, spend and end at once": func(f *fixture) {
		var spent atomic.Int64
		many(16, func(i int) {
			run := fmt.Sprintf("run %d", i)
			if f.begin(run, 10) != nil {
				return
			}
			for n := range 12 {
				switch err := f.spend(run, n, 1); {
				case err == nil:
					spent.Add(1)
					assert.NoError(f, f.settle(fmt.Sprintf("%s/%d", run, n), quota.Answered))
				case !errors.Is(err, quota.ErrHoldUsed):
					assert.NoError(f, err)
				}
			}
			assert.NoError(f, f.end(run))
		})
		require.LessOrEqual(f, spent.Load(), int64(100))
		f.figures(spent.Load(), 0, 100-spent.Load())
	},
}
