package quotatest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

var spendTests = map[string]func(*fixture){
	"moves units from the hold": func(f *fixture) {
		f.mustBegin("a", 10)
		f.mustSpend("a", 1, 3)
		f.figures(3, 7, 90)
	},
	"the entry says what was bought": func(f *fixture) {
		f.mustBegin("a", 10)
		s := quota.SpendSpec{ID: "s", Run: "a", Units: 2, Operation: "POST /hscode/classify", RequestKey: "key", Test: "TestShirt"}
		e, err := f.store.Spend(f.ctx, s)
		require.NoError(f, err)
		for got, err := range f.store.Entries(f.ctx, e.Seq-1) {
			require.NoError(f, err)
			assert.Equal(f, e, got)
		}
		e.Seq = 0
		assert.Equal(f, quota.Entry{
			Time: start, Allowance: quota.DefaultAllowance, Run: "a", Kind: quota.KindSpend, Units: 2, ID: "s",
			Operation: "POST /hscode/classify", RequestKey: "key", Test: "TestShirt",
		}, e)
	},
	"ends with the hold": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 3)
		var used *quota.HoldUsedError
		require.ErrorAs(f, f.spend("a", 2, 3), &used)
		assert.Equal(f, &quota.HoldUsedError{Run: "a", Requested: 3, Max: 5, Spent: 3}, used)
		f.mustSpend("a", 3, 2)
		assert.ErrorIs(f, f.spend("a", 4, 1), quota.ErrHoldUsed)
		f.figures(5, 0, 95)
	},
	"the same id again allows nothing": func(f *fixture) {
		f.mustBegin("a", 5)
		s := quota.SpendSpec{ID: "s", Run: "a", Units: 1, Operation: "op"}
		first, err := f.store.Spend(f.ctx, s)
		require.NoError(f, err)
		again, err := f.store.Spend(f.ctx, s)
		assert.ErrorIs(f, err, quota.ErrSpent)
		assert.Equal(f, first, again)
		s.Operation = "other"
		_, err = f.store.Spend(f.ctx, s)
		assert.ErrorIs(f, err, quota.ErrConflict)
		f.figures(1, 4, 95)
	},
	"of nothing needs no hold, but a run that may spend": func(f *fixture) {
		f.mustBegin("a", 1)
		f.mustBegin("none", 0)
		f.mustSpend("a", 1, 0)
		f.mustSpend("a", 2, 1)
		f.mustSpend("a", 3, 0)
		f.mustSpend("none", 1, 0)
		assert.ErrorIs(f, f.spend("none", 2, 1), quota.ErrHoldUsed)
		assert.ErrorIs(f, f.spend("a", 3, 0), quota.ErrSpent, "it allows one request, as any other")
		assert.ErrorIs(f, f.spend("a", 3, 1), quota.ErrConflict)
		require.NoError(f, f.settle("a/1", quota.Refunded))
		require.NoError(f, f.settle("a/3", quota.Unknown))
		require.NoError(f, f.settle("a/3", quota.Answered))
		f.figures(1, 0, 99)
		assert.Equal(f, []string{"spend 0", "spend 1", "spend 0", "spend 0", "refund 0", "settle 0", "settle 0"}, f.kinds(4))
		assert.Equal(f, quota.Tally{Attempts: 4, Spent: 1, Open: 1}, f.statement().Total)
		require.NoError(f, f.end("a"))
		assert.ErrorIs(f, f.spend("a", 4, 0), quota.ErrRunOver)
		assert.ErrorIs(f, f.spend("nobody", 1, 0), quota.ErrNoRun)
		f.clock.advance(quota.Lease)
		assert.ErrorIs(f, f.spend("none", 3, 0), quota.ErrRunOver, "its lease passed")
	},
	"needs a run that was begun": func(f *fixture) {
		assert.ErrorIs(f, f.spend("nobody", 1, 1), quota.ErrNoRun)
	},
	"ends with the run": func(f *fixture) {
		f.mustBegin("a", 5)
		require.NoError(f, f.end("a"))
		var over *quota.RunOverError
		require.ErrorAs(f, f.spend("a", 1, 1), &over)
		assert.Equal(f, &quota.RunOverError{Run: "a", State: quota.Ended, Since: start}, over)
		f.figures(0, 0, 100)
	},
	"wrong specs are refused": func(f *fixture) {
		f.mustBegin("a", 5)
		for _, s := range []quota.SpendSpec{{Run: "a", Units: 1}, {ID: "s", Run: "a", Units: -1}, {ID: "s", Run: "a", Units: quota.MaxUnits + 1}} {
			_, err := f.store.Spend(f.ctx, s)
			assert.Error(f, err, "%+v", s)
		}
		f.figures(0, 5, 95)
	},
}

var settleTests = map[string]func(*fixture){
	"an answer moves nothing": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		require.NoError(f, f.store.Settle(f.ctx, quota.Settlement{Spend: "a/1", Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 99}))
		f.figures(2, 3, 95)
		var last quota.Entry
		for e, err := range f.store.Entries(f.ctx, 0) {
			require.NoError(f, err)
			last = e
		}
		last.Seq = 0
		assert.Equal(f, quota.Entry{
			Time: start, Allowance: quota.DefaultAllowance, Run: "a", Kind: quota.KindSettle, Units: 2, ID: "a/1",
			Outcome: quota.Answered, Status: 200, DurationMS: 412, Bytes: 99,
		}, last)
	},
	"unknown counts, and is counted": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		require.NoError(f, f.settle("a/1", quota.Unknown))
		f.figures(2, 3, 95)
		assert.Equal(f, int64(2), f.status().Unknown)
	},
	"a late answer follows unknown, also after the end": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		f.mustSpend("a", 2, 1)
		require.NoError(f, f.settle("a/1", quota.Unknown))
		require.NoError(f, f.settle("a/1", quota.Answered))
		assert.Equal(f, int64(0), f.status().Unknown)
		require.NoError(f, f.end("a"))
		assert.Equal(f, int64(1), f.status().Unknown)
		require.NoError(f, f.settle("a/2", quota.Answered))
		assert.Equal(f, int64(0), f.status().Unknown)
		f.figures(3, 0, 97)
	},
	"a spend settles in passing, whatever has become of the earlier one": func(f *fixture) {
		f.mustBegin("a", 2)
		f.mustBegin("b", 1)
		answered := func(spend string) quota.Settlement { return quota.Settlement{Spend: spend, Outcome: quota.Answered} }
		passing := func(run string, n int, settled ...quota.Settlement) error {
			_, err := f.store.Spend(f.ctx, quota.SpendSpec{ID: fmt.Sprintf("%s/%d", run, n), Run: run, Units: 1}, settled...)
			return err
		}
		f.mustSpend("b", 1, 1)
		f.mustSpend("a", 1, 1)
		require.NoError(f, f.settle("a/1", quota.Unknown))
		require.NoError(f, passing("a", 2, answered("a/1"), answered("b/1")))
		assert.Equal(f, int64(0), f.status().Unknown, "a late answer, and one of another run")
		assert.ErrorIs(f, passing("a", 3, answered("a/2")), quota.ErrHoldUsed)
		assert.ErrorIs(f, f.settle("a/2", quota.Unknown), quota.ErrConflict, "the refused spend settled it all the same")
		assert.ErrorIs(f, f.settle("b/1", quota.Unknown), quota.ErrConflict)
		f.figures(3, 0, 97)
	},
	"a refund in passing is what the spend draws on": func(f *fixture) {
		f.mustBegin("a", 1)
		f.mustSpend("a", 1, 1)
		_, err := f.store.Spend(f.ctx, quota.SpendSpec{ID: "a/2", Run: "a", Units: 1},
			quota.Settlement{Spend: "a/1", Outcome: quota.Refunded, Proof: quota.NoConnection})
		require.NoError(f, err)
		f.figures(1, 0, 99)
	},
	"a refund returns to the hold, once": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		f.mustSpend("a", 2, 1)
		require.NoError(f, f.settle("a/1", quota.Refunded))
		require.NoError(f, f.settle("a/1", quota.Refunded))
		f.figures(1, 4, 95)
		f.mustSpend("a", 3, 4)
		assert.ErrorIs(f, f.spend("a", 4, 1), quota.ErrHoldUsed)
	},
	"a refund needs proof": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		for _, proof := range []quota.Proof{"", "it timed out"} {
			err := f.store.Settle(f.ctx, quota.Settlement{Spend: "a/1", Outcome: quota.Refunded, Proof: proof})
			assert.ErrorIs(f, err, quota.ErrNoProof)
		}
		f.figures(2, 3, 95)
	},
	"no refund after an answer or unknown": func(f *fixture) {
		f.mustBegin("a", 5)
		for i, before := range []quota.Outcome{quota.Answered, quota.Unknown} {
			f.mustSpend("a", i, 1)
			id := []string{"a/0", "a/1"}[i]
			require.NoError(f, f.settle(id, before))
			assert.ErrorIs(f, f.settle(id, quota.Refunded), quota.ErrConflict)
		}
		f.figures(2, 3, 95)
	},
	"no refund after the end": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 2)
		require.NoError(f, f.end("a"))
		assert.ErrorIs(f, f.settle("a/1", quota.Refunded), quota.ErrRunOver)
		f.figures(2, 0, 98)
	},
	"the same outcome again changes nothing, another is a conflict": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 1)
		require.NoError(f, f.settle("a/1", quota.Answered))
		require.NoError(f, f.settle("a/1", quota.Answered))
		assert.ErrorIs(f, f.settle("a/1", quota.Unknown), quota.ErrConflict)
		assert.Equal(f, []string{"spend 1", "settle 1"}, f.kinds(3))
	},
	"a spend that is not there": func(f *fixture) {
		assert.ErrorIs(f, f.settle("nothing", quota.Answered), quota.ErrNoSpend)
	},
	"one that is refused hinders no other": func(f *fixture) {
		f.mustBegin("a", 5)
		f.mustSpend("a", 1, 1)
		err := f.store.Settle(f.ctx,
			quota.Settlement{Spend: "nothing", Outcome: quota.Answered},
			quota.Settlement{Spend: "a/1", Outcome: quota.Answered})
		assert.ErrorIs(f, err, quota.ErrNoSpend)
		assert.Equal(f, []string{"spend 1", "settle 1"}, f.kinds(3))
	},
	"rides along with a spend, before it": func(f *fixture) {
		f.mustBegin("a", 2)
		f.mustSpend("a", 1, 2)
		_, err := f.store.Spend(f.ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1},
			quota.Settlement{Spend: "nothing", Outcome: quota.Answered},
			quota.Settlement{Spend: "a/1", Outcome: quota.Refunded, Proof: quota.NoHeaders})
		require.NoError(f, err)
		f.figures(1, 1, 98)
		assert.Equal(f, []string{"spend 2", "refund 2", "spend 1"}, f.kinds(3))
	},
}
