package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// refusals returns why a run of that size is refused, nil if it is admitted.
func (f *fixture) refusals(id string, most int64, rules ...quota.Rule) []quota.Refusal {
	f.Helper()
	err := f.begin(id, most, rules...)
	if err == nil {
		return nil
	}
	var blocked *quota.BlockedError
	require.ErrorAs(f, err, &blocked)
	return blocked.Refusals
}

var budgetTests = map[string]func(*fixture){
	"max_per_run": func(f *fixture) {
		rule := quota.Rule{MaxPerRun: 5}
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_run", Budget: 1, Limit: 5}}, f.refusals("a", 6, rule))
		assert.Empty(f, f.refusals("b", 5, rule))
	},
	"max_per_day counts what is spent and what is held": func(f *fixture) {
		rule := quota.Rule{Match: quota.Match{Suite: "unit"}, MaxPerDay: 20}
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 4)
		require.NoError(f, f.end("a")) // 4 used
		f.mustBegin("b", 6)            // 10 used
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_day", Budget: 1, Limit: 20, Used: 10}}, f.refusals("c", 11, rule))
		assert.Empty(f, f.refusals("d", 10, rule))
	},
	"max_per_day begins anew at midnight UTC": func(f *fixture) {
		rule := quota.Rule{MaxPerDay: 20}
		assert.Empty(f, f.refusals("a", 20, rule))
		f.mustSpend("a", 1, 20)
		require.NoError(f, f.end("a"))
		f.clock.advance(15*time.Hour - time.Microsecond)
		assert.NotEmpty(f, f.refusals("b", 1, rule))
		f.clock.advance(time.Microsecond)
		assert.Empty(f, f.refusals("c", 20, rule))
	},
	"max_total never begins anew": func(f *fixture) {
		rule := quota.Rule{MaxTotal: 20}
		f.mustBegin("a", 20)
		f.mustSpend("a", 1, 15)
		require.NoError(f, f.end("a"))
		f.clock.advance(1000 * time.Hour)
		assert.Equal(f, []quota.Refusal{{Rule: "max_total", Budget: 1, Limit: 20, Used: 15}}, f.refusals("b", 6, rule))
		assert.Empty(f, f.refusals("c", 5, rule))
	},
	"only runs that match count": func(f *fixture) {
		rule := quota.Rule{Match: quota.Match{Suite: "nightly"}, MaxTotal: 5}
		f.mustBegin("a", 50) // of suite unit
		nightly := spec("b", 5)
		nightly.Suite = "nightly"
		_, err := f.store.Begin(f.ctx, nightly, []quota.Rule{rule})
		require.NoError(f, err)
		nightly.ID = "c"
		_, err = f.store.Begin(f.ctx, nightly, []quota.Rule{rule})
		assert.ErrorIs(f, err, quota.ErrBlocked)
	},
	"a rule that allows less leaves the floor alone": func(f *fixture) {
		floor := int64(95)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)
		rule := quota.Rule{MaxPerRun: 10}
		assert.Equal(f, []quota.Refusal{{Rule: "usable", Limit: 5}}, f.refusals("a", 6, rule))
		assert.Empty(f, f.refusals("b", 5, rule))
	},
	"block": func(f *fixture) {
		rule := quota.Rule{Match: quota.Match{Actor: "*bot*"}, Block: true}
		assert.Empty(f, f.refusals("a", 1, rule))
		bot := spec("b", 1)
		bot.Actor = "dependabot[bot]"
		_, err := f.store.Begin(f.ctx, bot, []quota.Rule{rule})
		var blocked *quota.BlockedError
		require.ErrorAs(f, err, &blocked)
		assert.Equal(f, []quota.Refusal{{Rule: "block", Budget: 1}}, blocked.Refusals)
	},
	"a claimed branch restricts, a trusted one permits": func(f *fixture) {
		floor := int64(30)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)
		rules := []quota.Rule{
			{Match: quota.Match{Branch: "main"}, MayUseFloor: true, MaxPerDay: 90},
			{Match: quota.Match{Branch: "*"}, MaxPerRun: 20},
			{Match: quota.Match{Event: "pull_request"}, Block: true},
		}
		begin := func(id string, most int64, event, branch, trusted string) []quota.Refusal {
			f.Helper()
			s := spec(id, most)
			s.Event, s.Branch, s.Trusted = event, branch, trusted
			info, err := f.store.Begin(f.ctx, s, rules)
			if err == nil {
				again, err := f.store.Begin(f.ctx, s, rules)
				require.NoError(f, err, "the same id with the same content is the same run")
				assert.Equal(f, info, again)
				assert.Equal(f, branch, again.Branch)
				return nil
			}
			var blocked *quota.BlockedError
			require.ErrorAs(f, err, &blocked)
			return blocked.Refusals
		}
		// A fork's branch called main opens no floor, and hides no rule after that for main.
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_run", Budget: 2, Limit: 20}, {Rule: "block", Budget: 3}, {Rule: "usable", Limit: 70}},
			begin("fork", 80, "pull_request", "main", ""))
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_run", Budget: 2, Limit: 20}, {Rule: "usable", Limit: 70}}, begin("tag", 80, "push", "tag:main", ""))
		assert.Empty(f, begin("claims", 15, "push", "main", ""))
		// What a claim was admitted for counts as the branch's.
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_day", Budget: 1, Limit: 90, Used: 15}}, begin("much", 80, "push", "main", "main"))
		assert.Empty(f, begin("main", 75, "push", "main", "main"))
		_, err = f.store.Begin(f.ctx, quota.RunSpec{ID: "both", Max: 1, Attribution: quota.Attribution{Branch: "x", Trusted: "main"}}, nil)
		assert.ErrorContains(f, err, "or none is trusted")
	},
	"may_use_floor": func(f *fixture) {
		floor := int64(30)
		_, err := f.store.Grant(f.ctx, quota.GrantSpec{ID: "floor", Floor: &floor})
		require.NoError(f, err)
		rules := []quota.Rule{{Match: quota.Match{Branch: "release/*"}, MayUseFloor: true}}
		assert.Equal(f, []quota.Refusal{{Rule: "usable", Limit: 70}}, f.refusals("a", 71, rules...))
		release := spec("b", 101)
		release.Branch, release.Trusted = "release/1.2", "release/1.2"
		_, err = f.store.Begin(f.ctx, release, rules)
		require.ErrorIs(f, err, quota.ErrBlocked)
		release.Max = 100
		_, err = f.store.Begin(f.ctx, release, rules)
		require.NoError(f, err)
	},
	"the first match wins": func(f *fixture) {
		rules := []quota.Rule{{Match: quota.Match{Suite: "other"}, Block: true}, {Match: quota.Match{Event: "push"}, MaxPerRun: 5}, {MaxPerRun: 1}}
		assert.Equal(f, []quota.Refusal{{Rule: "max_per_run", Budget: 2, Limit: 5}}, f.refusals("a", 6, rules...))
		assert.Empty(f, f.refusals("b", 5, rules...))
	},
	"every reason is given": func(f *fixture) {
		f.mustBegin("a", 1)
		_, err := f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: 402})
		require.NoError(f, err)
		rule := quota.Rule{Block: true, MaxPerRun: 2, MaxPerDay: 3, MaxTotal: 4}
		var names []string
		for _, r := range f.refusals("b", 200, rule) {
			names = append(names, r.Rule)
		}
		assert.Equal(f, []string{"exhausted", "block", "max_per_run", "max_per_day", "max_total", "usable"}, names)
	},
	"a budget never loosens": func(f *fixture) {
		assert.NotEmpty(f, f.refusals("a", 101, quota.Rule{MaxPerRun: 1000, MaxPerDay: 1000, MaxTotal: 1000, MayUseFloor: true}))
	},
	"a run that buys nothing is not asked": func(f *fixture) {
		assert.Empty(f, f.refusals("a", 0, quota.Rule{Block: true}))
	},
}
