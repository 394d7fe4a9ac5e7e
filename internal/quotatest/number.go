package quotatest

import (
	"fmt"
	"math"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// wrongUnits are numbers of units that nobody may give.
var wrongUnits = []int64{math.MinInt64, -1, quota.MaxUnits + 1, math.MaxInt64}

var numberTests = map[string]func(*fixture){
	"no call takes a number of units that is out of range": func(f *fixture) {
		f.mustBegin("a", 10)
		before := f.kinds(0)
		for _, n := range wrongUnits {
			calls := map[string]func() error{
				"begin": func() error { return f.begin("b", n) },
				"spend": func() error { return f.spend("a", 1, n) },
				"reconcile": func() error {
					return only(f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: n, Note: "n"}))
				},
				"grant":       func() error { return only(f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: n})) },
				"floor":       func() error { return only(f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Floor: &n})) },
				"max_per_run": func() error { return f.begin("b", 0, quota.Rule{MaxPerRun: n}) },
				"max_per_day": func() error { return f.begin("b", 1, quota.Rule{Block: true}, quota.Rule{MaxPerDay: n}) },
				"max_total":   func() error { return f.begin("b", 1, quota.Rule{MaxTotal: n, Beside: true}) },
			}
			for _, c := range []quota.Counters{{Requests: n}, {Replayed: n}, {Mocked: n}, {Missed: n}, {WouldSpend: n}} {
				calls[fmt.Sprintf("end %+v", c)] = func() error { return only(f.store.End(f.ctx, "a", c)) }
			}
			for name, call := range calls {
				var wrong *quota.RangeError
				if assert.ErrorAs(f, call(), &wrong, "%s of %d", name, n) {
					assert.Equal(f, n, wrong.Value, name)
				}
			}
		}
		assert.Equal(f, before, f.kinds(0), "nothing is written")
		f.mustSpend("a", 2, 10)
	},
	"nor a status, a duration or a length that is none": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 1)
		before := f.kinds(0)
		for _, s := range []quota.Settlement{{Status: -1}, {Status: 1000}, {DurationMS: -1}, {Bytes: -1}, {Bytes: math.MaxInt64}} {
			s.Spend, s.Outcome = "a/1", quota.Answered
			assert.Error(f, f.store.Settle(f.ctx, s), "%+v", s)
		}
		assert.Error(f, only(f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Status: -1})))
		assert.Equal(f, before, f.kinds(0))
	},
	"nor a text that is none": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 1)
		before := f.kinds(0)
		for _, text := range []string{"caf\xe9", "a\x00b"} {
			for name, err := range map[string]error{
				"run":       only(f.store.Begin(f.ctx, quota.RunSpec{ID: text}, nil)),
				"suite":     only(f.store.Begin(f.ctx, quota.RunSpec{ID: "b", Attribution: quota.Attribution{Suite: text}}, nil)),
				"host":      only(f.store.Begin(f.ctx, quota.RunSpec{ID: "b", Process: quota.Process{Host: text}}, nil)),
				"spend":     only(f.store.Spend(f.ctx, quota.SpendSpec{ID: text, Run: "a", Units: 1})),
				"test":      only(f.store.Spend(f.ctx, quota.SpendSpec{ID: "a/2", Run: "a", Units: 1, Test: text})),
				"settle":    f.store.Settle(f.ctx, quota.Settlement{Spend: "a/1", Outcome: quota.Answered, Note: text}),
				"grant":     only(f.store.Grant(f.ctx, quota.GrantSpec{ID: "g", Units: 1, Note: text})),
				"reconcile": only(f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: 50, Note: text})),
				"exhaust":   only(f.store.Exhaust(f.ctx, quota.ExhaustSpec{Run: "a", Note: text})),
			} {
				assert.ErrorContains(f, err, "a text ", "%s %q", name, text)
			}
		}
		assert.Equal(f, before, f.kinds(0), "nothing is written")
	},
	"what was granted in all stays below a bound": func(f *fixture) {
		grant := func(id string, n int64) error { return only(f.store.Grant(f.ctx, quota.GrantSpec{ID: id, Units: n})) }
		require.NoError(f, grant("most", quota.MaxUnits-100))
		require.NoError(f, grant("most", quota.MaxUnits-100), "the same one again")
		var wrong *quota.RangeError
		require.ErrorAs(f, grant("one more", 1), &wrong)
		assert.Equal(f, &quota.RangeError{What: "granted in all", Value: quota.MaxUnits + 1, Most: quota.MaxUnits}, wrong)
		assert.Equal(f, int64(quota.MaxUnits), f.status().Granted)
		require.ErrorIs(f, f.begin("a", quota.MaxUnits, quota.Rule{MaxTotal: quota.MaxUnits - 1}), quota.ErrBlocked)
		f.mustBegin("a", quota.MaxUnits)
		require.ErrorIs(f, f.begin("b", 1), quota.ErrBlocked)
		require.NoError(f, only(f.store.Reconcile(f.ctx, quota.ReconcileSpec{ID: "r", Observed: quota.MaxUnits, Note: "all"})))
		f.mustSpend("a", 1, quota.MaxUnits)
		f.figures(2*quota.MaxUnits, 0, -quota.MaxUnits)
	},
	"init takes no number that is out of range": func(f *fixture) {
		for _, n := range wrongUnits {
			for _, s := range []quota.InitSpec{{Granted: n}, {Granted: 1, SpentBefore: n}, {Granted: 1, Floor: n}} {
				var wrong *quota.RangeError
				assert.ErrorAs(f, s.Validate(), &wrong, "%+v", s)
			}
		}
	},
}

// only is the error of a call that is expected to fail.
func only[T any](_ T, err error) error { return err }
