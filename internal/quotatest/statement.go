package quotatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// statementTests check what reports are made of. Beside them every test of the
// suite compares the statement at its end with a walk over the entries.
var statementTests = map[string]func(*fixture){
	"each unit is counted once": func(f *fixture) {
		f.mustBegin("first", 20)
		f.try("first", 1, "key a", 200)
		f.try("first", 2, "key b", 429) // refused, then tried again
		f.try("first", 3, "key b", 200)
		f.try("first", 4, "key c", 503)
		f.try("first", 5, "", 200)
		f.try("first", 6, "", 200) // nobody knows what it asked for
		f.mustSpend("first", 7, 2)
		require.NoError(f, f.settle("first/7", quota.Refunded))
		f.mustSpend("first", 8, 1) // open until the end
		assert.EqualValues(f, 1, f.statement().Total.Open)
		require.NoError(f, f.end("first"))
		f.clock.advance(24 * time.Hour)
		f.mustBegin("second", 10)
		f.try("second", 1, "key a", 200) // was there already
		f.try("second", 2, "key c", 200) // was not: a 503 is no answer
		f.try("second", 3, "key c", 200) // was
		assert.Equal(f, quota.Tally{
			Attempts: 11, Spent: 10, Refunded: 2, Unknown: 1, Refused: 1, Failed: 1, Repeated: 2, Retried: 2, Answers: 5,
		}, f.statement().Total)
		assert.EqualValues(f, 5, f.statement().Total.Wasted())
		days := f.statement().Days
		require.Len(f, days, 2)
		assert.Equal(f, []int64{7, 3, 93, 90}, []int64{days[0].Spent, days[1].Spent, days[0].Left, days[1].Left})
		s, err := f.store.Statement(f.ctx, start.Add(time.Hour))
		require.NoError(f, err)
		assert.Equal(f, quota.Tally{Attempts: 3, Spent: 3, Repeated: 2, Retried: 1, Answers: 1}, s.Total, "what was before is known, but not summed")
		assert.Len(f, s.Days, 2)
	},
	"what is bought again on purpose is no waste": func(f *fixture) {
		live := spec("live", 5)
		live.Mode = "live"
		f.mustBegin("first", 5)
		f.try("first", 1, "key", 200)
		_, err := f.store.Begin(f.ctx, live, nil)
		require.NoError(f, err)
		f.try("live", 1, "key", 200)
		f.try("live", 2, "key", 500)
		f.try("first", 2, "key", 200)
		total := f.statement().Total
		assert.Equal(f, quota.Tally{Attempts: 4, Spent: 4, Again: 1, Failed: 1, Repeated: 1, Retried: 2, Answers: 1}, total)
		assert.EqualValues(f, 2, total.Wasted())
	},
	"who spends lately, and before": func(f *fixture) {
		f.mustBegin("first", 20)
		f.mustSpend("first", 1, 3)
		require.NoError(f, f.end("first"))
		f.clock.advance(40 * 24 * time.Hour)
		gate := spec("second", 20)
		gate.Event, gate.Suite, gate.Actor = "gateway", "shop", "key of the shop"
		_, err := f.store.Begin(f.ctx, gate, nil)
		require.NoError(f, err)
		f.mustSpend("second", 1, 5)
		_, err = f.store.End(f.ctx, "second", quota.Counters{Replayed: 7, WouldSpend: 8})
		require.NoError(f, err)
		assert.ErrorIs(f, f.begin("much", 500), quota.ErrBlocked)
		s := f.statement()
		assert.Equal(f, [4]int64{5, 3, 1, 1}, [4]int64{s.Lately.Spent, s.Earlier.Spent, s.Lately.Runs, s.Earlier.Runs})
		assert.Equal(f, [3]int64{7, 8, 1}, [3]int64{s.Lately.Replayed, s.Lately.Saved, s.Lately.Blocked})
		require.Len(f, s.Suites, 2)
		assert.Equal(f, [5]int64{5, 0, 7, 8, 0}, [5]int64{s.Suites[0].Lately, s.Suites[0].Before, s.Suites[0].Replayed, s.Suites[0].Saved, s.Suites[0].Blocked})
		assert.Equal(f, [4]int64{0, 3, 0, 1}, [4]int64{s.Suites[1].Lately, s.Suites[1].Before, s.Suites[1].Replayed, s.Suites[1].Blocked})
		require.Len(f, s.Keys, 1)
		assert.Equal(f, "key of the shop", s.Keys[0].Name)
		require.Len(f, s.SuiteDays, 2)
		assert.Equal(f, [3]int64{5, 7, 8}, [3]int64{s.SuiteDays["shop"][0].Spent, s.SuiteDays["shop"][0].Replayed, s.SuiteDays["shop"][0].Saved})
		assert.EqualValues(f, 1, s.SuiteDays["unit"][1].Blocked)
		assert.Equal(f, start, s.Begun)
		week, err := f.store.Statement(f.ctx, f.clock.Now().AddDate(0, 0, -7))
		require.NoError(f, err)
		assert.Equal(f, [2]int64{5, 0}, [2]int64{week.Lately.Spent, week.Earlier.Spent})
	},
	"a late answer counts as the answer": func(f *fixture) {
		f.mustBegin("run", 10)
		for n, status := range []int{200, 404} {
			f.mustSpend("run", n, 1)
			id := fmt.Sprintf("run/%d", n)
			require.NoError(f, f.settle(id, quota.Unknown))
			require.NoError(f, f.store.Settle(f.ctx, quota.Settlement{Spend: id, Outcome: quota.Answered, Status: status}))
		}
		assert.Equal(f, quota.Tally{Attempts: 2, Spent: 2, Refused: 1, Answers: 1}, f.statement().Total)
	},
	"runs that interleave retry nothing of each other": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustBegin("b", 5)
		for n, run := range []string{"a", "b", "a", "b"} {
			f.try(run, n, "key", 500)
		}
		assert.Equal(f, quota.Tally{Attempts: 4, Spent: 4, Failed: 4, Retried: 2}, f.statement().Total)
	},
	"why runs were blocked": func(f *fixture) {
		assert.ErrorIs(f, f.begin("much", 200), quota.ErrBlocked)
		assert.ErrorIs(f, f.begin("more", 300, quota.Rule{}, quota.Rule{MaxPerRun: 1}), quota.ErrBlocked)
		assert.Equal(f, []quota.Blocked{{Rule: "usable", Times: 2, Units: 500, Last: start, Suite: "unit"}}, f.statement().Blocked)
	},
	"what runs saved, and what the latest spent": func(f *fixture) {
		for n := range quota.RecentRuns + 2 {
			run := fmt.Sprintf("run %d", n)
			f.mustBegin(run, 2)
			f.mustSpend(run, 1, 1+int64(n%2))
			_, err := f.store.End(f.ctx, run, quota.Counters{Requests: 9, Replayed: 3, Missed: 1, WouldSpend: 2})
			require.NoError(f, err)
			f.clock.advance(time.Minute)
		}
		f.mustBegin("replay", 0)
		f.mustBegin("active", 1)
		s := f.statement()
		runs := int64(quota.RecentRuns + 2)
		assert.Equal(f, [4]int64{runs + 2, 3 * runs, runs, 2 * runs}, [4]int64{s.Runs, s.Replayed, s.Missed, s.Saved})
		require.Len(f, s.Recent["unit"], quota.RecentRuns)
		assert.Equal(f, []int64{2, 1}, s.Recent["unit"][:2])
	},
	"changes of the allowance": func(f *fixture) {
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "more", Units: 50})
		require.NoError(f, err)
		f.clock.advance(24 * time.Hour)
		_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "page", Observed: 30, Note: "usage page"})
		require.NoError(f, err)
		s := f.statement()
		require.Len(f, s.Days, 2)
		assert.Equal(f, []int64{150, 150, 30, 120}, []int64{s.Days[0].Granted, s.Days[0].Left, s.Days[1].Corrected, s.Days[1].Left})
		assert.Len(f, s.Changes, 3)
	},

	"the last word of a floor holds, though the clock went back": func(f *fixture) {
		f.clock.advance(24 * time.Hour)
		two, seven := int64(2), int64(7)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "later", Floor: &two})
		require.NoError(f, err)
		f.clock.advance(-24 * time.Hour)
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "earlier", Floor: &seven})
		require.NoError(f, err)
		f.clock.advance(24 * time.Hour)
		f.walked()
		s := f.statement()
		assert.Equal(f, seven, s.Days[len(s.Days)-1].Floor)
	},
	"what is known goes on, whatever comes": func(f *fixture) {
		f.mustBegin("first", 20)
		f.mustBegin("second", 20)
		steps := map[string]func(){
			"1 a spend that is open": func() { f.mustSpend("first", 1, 1) },
			"2 others behind it":     func() { f.try("second", 1, "key", 200); f.try("first", 2, "key", 500) },
			"3 its outcome":          func() { require.NoError(f, f.settle("first/1", quota.Unknown)) },
			"4 it came after all": func() {
				require.NoError(f, f.store.Settle(f.ctx, quota.Settlement{Spend: "first/1", Outcome: quota.Answered, Status: 503}))
			},
			"5 a refund":  func() { f.mustSpend("first", 3, 2); require.NoError(f, f.settle("first/3", quota.Refunded)) },
			"6 the end":   func() { f.mustSpend("first", 4, 1); require.NoError(f, f.end("first")) },
			"7 a refusal": func() { assert.ErrorIs(f, f.begin("much", 500), quota.ErrBlocked) },
			"8 another day": func() {
				f.clock.advance(26 * time.Hour)
				f.mustBegin("third", 5)
				f.try("third", 1, "key", 200)
				f.try("third", 2, "key", 200)
			},
		}
		for _, name := range slices.Sorted(maps.Keys(steps)) {
			steps[name]()
			f.walked()
		}
	},
	"what is known goes on behind a spend that is open":      knownBehindAnOpenSpend,
	"what is known of another ledger is nothing of this one": knownOfAnother,
	"all figures are of one moment": func(f *fixture) {
		const runs, spends = 4, 40
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "more", Units: runs * spends})
		require.NoError(f, err)
		done := make(chan error, runs)
		for n := range runs {
			run := fmt.Sprintf("run %d", n)
			f.mustBegin(run, spends)
			go func() {
				var err error
				for i := range spends {
					_, spent := f.store.Spend(f.ctx, quota.SpendSpec{ID: fmt.Sprintf("%s/%d", run, i), Run: run, Units: 1, RequestKey: run})
					err = errors.Join(err, spent)
				}
				done <- err
			}()
		}
		for over := 0; over < runs; {
			s, known, err := f.store.(tally.Summer).Sum(f.ctx, time.Time{}, f.known)
			require.NoError(f, err)
			f.known = known
			assert.Equal(f, s.Status.Spent, s.Total.Spent)
			assert.Equal(f, s.Total.Spent, s.Suites[0].Spent)
			select {
			case err := <-done:
				require.NoError(f, err)
				over++
			default:
			}
		}
		s := f.statement()
		assert.EqualValues(f, runs*spends, s.Status.Spent)
		assert.EqualValues(f, runs*(spends-1), s.Total.Retried)
	},
}

// try spends a unit on a request and settles it as answered.
func (f *fixture) try(run string, n int, key string, status int) {
	f.Helper()
	id := fmt.Sprintf("%s/%d", run, n)
	_, err := f.store.Spend(f.ctx, quota.SpendSpec{ID: id, Run: run, Units: 1, RequestKey: key, Test: "Test " + key, Operation: "classify"})
	require.NoError(f, err)
	require.NoError(f, f.store.Settle(f.ctx, quota.Settlement{Spend: id, Outcome: quota.Answered, Status: status}))
}

func (f *fixture) statement() quota.Statement {
	f.Helper()
	s, err := f.store.Statement(context.Background(), time.Time{})
	require.NoError(f, err)
	return s
}
