package quotatest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

// told notes what there is to tell, and returns all that is not delivered.
func (f *fixture) told(marks ...notice.Mark) []string {
	f.Helper()
	s, err := notice.Of(f.store)
	require.NoError(f, err)
	require.NoError(f, s.NoteNotices(f.ctx, []notice.Hook{{Name: "team", At: marks}}))
	all, err := s.Undelivered(f.ctx)
	require.NoError(f, err)
	texts := make([]string, 0, len(all))
	for _, n := range all {
		texts = append(texts, fmt.Sprintf("%s%s at %d", n.Mark, n.Rule, n.At.Spent))
	}
	slices.Sort(texts)
	return texts
}

// deliver claims and delivers all that is due, and says what that was.
func (f *fixture) deliver(hooks ...string) (ids []string) {
	f.Helper()
	s, err := notice.Of(f.store)
	require.NoError(f, err)
	for {
		n, ok, err := s.ClaimNotice(f.ctx, hooks, "me", time.Minute)
		require.NoError(f, err)
		if !ok {
			return ids
		}
		require.NoError(f, s.SettleNotice(f.ctx, notice.Outcome{ID: n.ID, By: "me", Delivered: true}))
		ids = append(ids, n.ID)
	}
}

var noticeTests = map[string]func(*fixture){
	"a mark is told when it is passed, once": func(f *fixture) {
		f.mustBegin("a", 90)
		f.mustSpend("a", 1, 69)
		assert.Empty(f, f.told("70%", "85%"))
		f.mustSpend("a", 2, 1)
		assert.Equal(f, []string{"70% at 70"}, f.told("70%", "85%"))
		assert.Len(f, f.deliver("team"), 1)
		f.mustSpend("a", 3, 15)
		assert.Equal(f, []string{"85% at 85"}, f.told("70%", "85%"))
		assert.Empty(f, f.deliver("other"), "it is another's")
		assert.Len(f, f.deliver("team"), 1)
		require.NoError(f, f.end("a"))
		assert.Empty(f, f.told("70%", "85%"))
	},
	"what is held passes no mark": func(f *fixture) {
		f.mustBegin("a", 100)
		assert.Empty(f, f.told("1%", notice.Exhausted))
	},
	"a mark is told again after a grant or a reconciliation brought the share under it": func(f *fixture) {
		f.mustBegin("a", 90)
		f.mustSpend("a", 1, 80)
		assert.Equal(f, []string{"70% at 80"}, f.told("70%", "75%")[:1])
		first := f.deliver("team")
		require.Len(f, first, 2)
		f.mustSpend("a", 2, 5)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 20}) // 85 of 120: 70.8 %
		require.NoError(f, err)
		require.NoError(f, f.settle("a/1", quota.Refunded)) // 5 of 120, and that arms nothing
		f.mustSpend("a", 3, 80)
		f.mustSpend("a", 4, 5) // 90 of 120 again, and nobody looked in between
		assert.Equal(f, []string{"75% at 90"}, f.told("70%", "75%"))
		again := f.deliver("team")
		require.Len(f, again, 1)
		assert.NotContains(f, first, again[0], "it is another notice")
		require.NoError(f, f.end("a"))
		_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 10, Note: "n"})
		require.NoError(f, err)
		assert.Empty(f, f.told("70%", "75%"))
		_, err = f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r2", Observed: 90, Note: "n"})
		require.NoError(f, err)
		assert.Equal(f, []string{"70% at 90", "75% at 90"}, f.told("70%", "75%"))
	},
	"exhausted is what the service said, or nothing left for ordinary runs": func(f *fixture) {
		floor := int64(20)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)
		f.mustBegin("a", 80)
		f.mustSpend("a", 1, 79)
		assert.Empty(f, f.told(notice.Exhausted))
		f.mustSpend("a", 2, 1)
		assert.Equal(f, []string{"exhausted at 80"}, f.told(notice.Exhausted))
		f.deliver("team")
		_, err = f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 429})
		require.NoError(f, err)
		assert.Empty(f, f.told(notice.Exhausted), "it was told")
		_, err = f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 50})
		require.NoError(f, err)
		assert.Empty(f, f.told(notice.Exhausted))
		_, err = f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 429})
		require.NoError(f, err)
		assert.Equal(f, []string{"exhausted at 80"}, f.told(notice.Exhausted))
	},
	"a bar is nothing to tell": func(f *fixture) {
		_, err := f.store.Bar(f.ctx, quota.Bar{Reason: quota.Copying, ID: "b", From: "x", To: "y"})
		require.NoError(f, err)
		assert.Empty(f, f.told(notice.Exhausted))
	},
	"blocked is told once a day by the same rule": func(f *fixture) {
		assert.Error(f, f.begin("a", 101))
		assert.Error(f, f.begin("b", 102))
		assert.Equal(f, []string{"blockedusable at 0"}, f.told(notice.Blocked))
		assert.Error(f, f.begin("c", 5, quota.Rule{Block: true}))
		assert.Error(f, f.begin("d", 103))
		assert.Equal(f, []string{"blockedblock of budget 1 at 0", "blockedusable at 0"}, f.told(notice.Blocked))
		f.deliver("team")
		f.clock.advance(24 * time.Hour)
		assert.Empty(f, f.told(notice.Blocked))
		assert.Error(f, f.begin("e", 101))
		assert.Equal(f, []string{"blockedusable at 0"}, f.told(notice.Blocked))
	},
	"a refusal that a clock ahead noted keeps none from being told": func(f *fixture) {
		f.ahead(func() {
			assert.Error(f, f.begin("a", 101))
			assert.Len(f, f.told(notice.Blocked), 1)
		})
		f.deliver("team")
		for i := range 3 {
			assert.Error(f, f.begin(fmt.Sprint("b", i), 101))
			assert.Equal(f, []string{"blockedusable at 0"}, f.told(notice.Blocked))
			assert.Equal(f, []string{"blockedusable at 0"}, f.told(notice.Blocked))
			f.deliver("team")
			assert.Error(f, f.begin(fmt.Sprint("c", i), 101))
			assert.Empty(f, f.told(notice.Blocked), "it is the same day")
			f.clock.advance(24 * time.Hour)
		}
	},
	"a claim is one's alone until its lease has passed": func(f *fixture) {
		f.mustBegin("a", 90)
		f.mustSpend("a", 1, 90)
		require.Len(f, f.told("70%"), 1)
		s, err := notice.Of(f.store)
		require.NoError(f, err)
		first, ok, err := s.ClaimNotice(f.ctx, []string{"x", "team"}, "one", time.Minute)
		require.NoError(f, err)
		require.True(f, ok)
		_, ok, err = s.ClaimNotice(f.ctx, []string{"team"}, "two", time.Minute)
		require.NoError(f, err)
		assert.False(f, ok)
		f.clock.advance(time.Minute)
		again, ok, err := s.ClaimNotice(f.ctx, []string{"team"}, "two", time.Minute)
		require.NoError(f, err)
		require.True(f, ok)
		assert.Equal(f, first.ID, again.ID, "its id is the same whoever sends it")
		late := notice.Outcome{ID: first.ID, By: "one", Why: "late", Wait: time.Hour}
		require.NoError(f, s.SettleNotice(f.ctx, late))
		all, err := s.Undelivered(f.ctx)
		require.NoError(f, err)
		assert.Equal(f, int64(0), all[0].Tries, "its claim had passed")
		late.By = "two"
		require.NoError(f, s.SettleNotice(f.ctx, late))
		assert.Empty(f, f.deliver("team"), "it is not due")
		all, err = s.Undelivered(f.ctx)
		require.NoError(f, err)
		assert.Equal(f, "late", all[0].Why)
		assert.Equal(f, int64(1), all[0].Tries)
		f.clock.advance(time.Hour)
		assert.Equal(f, []string{first.ID}, f.deliver("team"))
		late.By = "me"
		require.NoError(f, s.SettleNotice(f.ctx, late))
		assert.Empty(f, f.told("70%"), "what was delivered is")
	},
	"what was not tried yet comes before what failed": func(f *fixture) {
		f.mustBegin("a", 100)
		f.mustSpend("a", 1, 80)
		require.Len(f, f.told("70%"), 1)
		f.clock.advance(time.Second)
		require.Len(f, f.told("70%", "80%"), 2)
		s, err := notice.Of(f.store)
		require.NoError(f, err)
		for _, want := range []notice.Mark{"70%", "80%", "70%"} {
			n, ok, err := s.ClaimNotice(f.ctx, []string{"team"}, "one", time.Minute)
			require.NoError(f, err)
			require.True(f, ok)
			assert.Equal(f, want, n.Mark)
			require.NoError(f, s.SettleNotice(f.ctx, notice.Outcome{ID: n.ID, By: "one", Why: "it hangs"}))
		}
	},
	"many who look and claim at once tell each mark once": func(f *fixture) {
		f.mustBegin("a", 100)
		s, err := notice.Of(f.store)
		require.NoError(f, err)
		var all sync.WaitGroup
		var mu sync.Mutex
		sent := map[string]int{}
		for i := range 50 {
			all.Go(func() {
				assert.NoError(f, f.spend("a", i, 2))
				assert.NoError(f, s.NoteNotices(f.ctx, []notice.Hook{{Name: "team", At: []notice.Mark{"50%", "90%", notice.Exhausted}}}))
				for by := fmt.Sprint(i); ; {
					n, ok, err := s.ClaimNotice(f.ctx, []string{"team"}, by, time.Minute)
					if !assert.NoError(f, err) || !ok {
						return
					}
					mu.Lock()
					sent[string(n.Mark)]++
					mu.Unlock()
					assert.NoError(f, s.SettleNotice(f.ctx, notice.Outcome{ID: n.ID, By: by, Delivered: true}))
				}
			})
		}
		all.Wait()
		assert.Equal(f, map[string]int{"50%": 1, "90%": 1, "exhausted": 1}, sent)
	},
	"they outlive the process": func(f *fixture) {
		f.mustBegin("a", 100)
		f.mustSpend("a", 1, 70)
		require.Len(f, f.told("70%"), 1)
		require.NoError(f, f.store.Close())
		f.store = f.suite.Reopen(f, f.config)
		assert.Len(f, f.deliver("team"), 1)
		assert.Empty(f, f.told("70%"))
	},
	"no balance and no entry depends on them": func(f *fixture) {
		f.mustBegin("a", 100)
		f.mustSpend("a", 1, 100)
		before := f.kinds(0)
		f.told("1%", notice.Exhausted, notice.Blocked)
		f.deliver("team")
		assert.Equal(f, before, f.kinds(0))
		f.figures(100, 0, 0)
	},
}
