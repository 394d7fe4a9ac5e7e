package quotatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// allowed tells whether a call of [Absurd] may fail like this where a column of a table has
// a number that nobody can have written. A figure of the allowance is damage, and a lease that
// passed is one; all else stands in nobody's way.
func allowed(table, column, what string, err error) bool {
	switch {
	case errors.Is(err, quota.ErrPoisoned):
		return false // its disk is well
	case what == "spend 2":
		return errors.Is(err, quota.ErrHoldUsed)
	case table == "ledger" || table == "run" && column == "max", table == "entry" && column == "units":
		return errors.Is(err, quota.ErrDamaged) || errors.Is(err, quota.ErrBlocked)
	case table == "entry" && column == "seq":
		return errors.Is(err, quota.ErrDamaged)
	}
	return false
}

// Absurd asks a ledger, in which somebody wrote what no program of ours does, all that the
// commands ask. Each answer comes, can be printed as JSON, and is an error only where a column
// has what is counted, which then says so. The id is that of a new run.
func Absurd(t *testing.T, store quota.Store, id, table, column string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said := func(what string, v any, err error) {
		t.Helper()
		if err == nil {
			_, err = json.Marshal(v)
		}
		assert.True(t, err == nil || allowed(table, column, what, err), "%s: %v", what, err)
	}
	keeper := store.(pace.Keeper)
	status, err := store.Status(ctx)
	said("status", status, err)
	runs, err := store.Runs(ctx, 0)
	said("runs", runs, err)
	state, err := keeper.Pace(ctx)
	said("pace", state, err)
	statement, err := store.Statement(ctx, time.Time{})
	said("statement", statement, err)
	report, err := store.Verify(ctx)
	said("verify", report, err)
	for e, err := range store.Entries(ctx, 0) {
		said("entries", e, err)
	}
	undelivered, err := store.(notice.Store).Undelivered(ctx)
	said("undelivered", undelivered, err)
	grant, err := store.Grant(ctx, quota.GrantSpec{ID: "absurd " + id, Units: 1})
	said("grant", grant, err)
	run, err := store.Begin(ctx, quota.RunSpec{ID: id, Max: 2}, []quota.Rule{{MaxPerDay: 1000}})
	said("begin", run, err)
	if err != nil {
		return
	}
	for i := range 3 {
		a, err := keeper.Turn(ctx, pace.Ask{Run: id, Rates: slow})
		said("turn", a, err)
		assert.LessOrEqual(t, a.Expected.Sub(a.Now), pace.LongestPause+window(), "nobody waits for ever")
		spent, err := store.Spend(ctx, quota.SpendSpec{Run: id, ID: fmt.Sprint(id, i), Units: 1})
		said(fmt.Sprint("spend ", i), spent, err)
	}
	end, err := store.End(ctx, id, quota.Counters{})
	said("end", end, err)
	status, err = store.Status(ctx)
	said("status after it", status, err)
}
