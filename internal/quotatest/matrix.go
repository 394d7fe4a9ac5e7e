//go:build unix

package quotatest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// CrashMatrix runs the rows of the crash matrix that hold for every store, each
// with processes that really die. What the rows mean is in docs/ledger.md.
func (p Processes) CrashMatrix(t *testing.T) {
	for name, row := range map[string]func(*shared){
		"row 00 before the spend":                    rowBeforeSpend,
		"row 01 inside the spend":                    rowInsideSpend,
		"row 02 the answer to a spend is lost":       rowAnswerLost,
		"row 03 dead after the spend":                rowDeadAfterSpend,
		"row 04 dead within the request":             rowDeadWithinRequest,
		"row 05 the reply is lost":                   rowReplyLost,
		"row 06 dead before the settlement":          rowDeadBeforeSettle,
		"row 07 inside the settlement":               rowInsideSettle,
		"row 08 dead after the settlement":           rowDeadAfterSettle,
		"row 09 paused after the spend":              rowPausedAfterSpend,
		"row 10 paused before the spend":             rowPausedBeforeSpend,
		"row 11 the sweeper dies half-way":           rowSweeperDies,
		"row 12 two sweepers and a settlement":       rowTwoSweepers,
		"row 13 a run dies with an open hold":        rowOpenHold,
		"row 18 a clone sends on the same spend":     rowClone,
		"row 19 someone bypasses the ledger":         rowBypass,
		"row 22 clocks that are a day ahead or back": rowClocks,
		"row 24 dead while it waits for its turn":    rowDeadInLine,
		"row 25 dead with its turn":                  rowDeadWithTurn,
		"row 26 inside the decision on a turn":       rowInsideTurn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row(p.share(t, 50, long))
		})
	}
}

// spent is a child with a run "a" of 10 that spent 1, and the service.
func spent(s *shared, lease time.Duration) (*child, *counter) {
	c := s.child(lease)
	c.must("begin a 10")
	c.must("spend a 1")
	return c, newCounter(s, 1)
}

func rowBeforeSpend(s *shared) {
	c := s.child(long)
	c.must("ready")
	c.kill()
	s.figures(0, 0, 0)
	assert.Equal(s, 0, s.count(quota.KindBegin))
}

func rowInsideSpend(s *shared) {
	c := s.child(long)
	c.must("begin a 10")
	c.diesInside(InTransaction, "spend a 1")
	s.sweep("sweeper")
	s.figures(0, 0, 0)
	assert.Equal(s, 0, s.count(quota.KindSpend))
}

func rowAnswerLost(s *shared) {
	c, _ := spent(s, long)
	assert.Contains(s, c.do("spend a 1"), quota.ErrSpent.Error(), "asking again allows no second send")
	s.figures(1, 9, 0)
	c.finish()
}

func rowDeadAfterSpend(s *shared) {
	c, service := spent(s, long)
	c.kill()
	s.sweep("sweeper")
	s.figures(1, 0, 1)
	assert.Zero(s, service.count(), "one too many")
	_, err := s.store.End(s.Context(), "sweeper", quota.Counters{})
	require.NoError(s, err)
	_, err = s.store.Reconcile(s.Context(), quota.ReconcileSpec{ID: "r", Observed: service.count(), Note: "portal"})
	require.NoError(s, err)
	s.figures(0, 0, 1)
}

func rowDeadWithinRequest(s *shared) {
	c, service := spent(s, long)
	c.must("half %s", service.URL)
	c.kill()
	s.sweep("sweeper")
	s.figures(1, 0, 1)
	assert.LessOrEqual(s, service.count(), int64(1))
}

func rowReplyLost(s *shared) {
	c, service := spent(s, long)
	assert.Contains(s, c.do("post %s%s", service.URL, dropped), "EOF")
	c.must("settle a 1 unknown")
	c.must("end a")
	s.figures(1, 0, 1)
	assert.EqualValues(s, 1, service.count())
	c.finish()
}

func rowDeadBeforeSettle(s *shared) {
	c, service := spent(s, long)
	c.must("post %s", service.URL)
	c.kill()
	s.sweep("sweeper")
	s.figures(1, 0, 1)
	assert.EqualValues(s, 1, service.count())
}

func rowInsideSettle(s *shared) {
	c, service := spent(s, long)
	c.must("post %s", service.URL)
	c.diesInside(InTransaction, "settle a 1 answered")
	s.sweep("sweeper")
	st, err := s.store.Status(s.Context())
	require.NoError(s, err)
	assert.Equal(s, [2]int64{1, 0}, [2]int64{st.Spent, st.Held}, "spent, held: settled or not, it counts")
	assert.EqualValues(s, 1, service.count())
}

func rowDeadAfterSettle(s *shared) {
	c, service := spent(s, long)
	c.must("post %s", service.URL)
	c.must("settle a 1 answered")
	c.kill()
	s.sweep("sweeper")
	s.figures(1, 0, 0)
	assert.EqualValues(s, 1, service.count())
}

// dead leaves n runs of a dead process, each with a hold of 3 and an open spend.
func dead(s *shared, n int) {
	c := s.child(long)
	for i := range n {
		c.must("begin dead%d 3", i)
		c.must("spend dead%d 1", i)
	}
	c.kill()
}

func rowSweeperDies(s *shared) {
	dead(s, 3)
	before, err := s.store.Info(s.Context())
	require.NoError(s, err)
	s.child(long).diesInside(InSweep, "begin sweeper 5")
	after, err := s.store.Info(s.Context())
	require.NoError(s, err)
	assert.Equal(s, before.Head, after.Head, "half of a sweep was kept")
	s.sweep("second")
	s.figures(3, 0, 3)
	assert.Equal(s, 3, s.count(quota.KindExpire))
}

func rowTwoSweepers(s *shared) {
	const runs = 8
	dead(s, runs)
	one, two := s.child(long), s.child(long)
	one.must("ready")
	two.must("ready")
	one.tell("begin one 0")
	two.tell("begin two 0")
	for i := range int64(runs) {
		err := s.store.Settle(s.Context(), quota.Settlement{Spend: spendID(fmt.Sprintf("dead%d", i), 1), Outcome: quota.Answered})
		require.NoError(s, err, "a late answer is right before and after the sweep")
	}
	assert.Equal(s, "ok", one.answer())
	assert.Equal(s, "ok", two.answer())
	s.figures(runs, 0, 0)
	assert.Equal(s, runs, s.count(quota.KindExpire), "each run expires once")
	one.finish()
	two.finish()
}

func rowOpenHold(s *shared) {
	c := s.child(long)
	c.must("begin a 10")
	for n := range 3 {
		c.must("spend a %d", n)
	}
	c.kill()
	s.sweep("sweeper")
	s.figures(3, 0, 3)
	_, err := s.store.Begin(s.Context(), quota.RunSpec{ID: "next", Max: 47}, nil)
	require.NoError(s, err, "the undrawn part is back")
}

// The ledger can't see two senders with one permission. It can be told.
func rowClone(s *shared) {
	c, service := spent(s, long)
	c.must("post %s", service.URL)
	c.must("post %s", service.URL)
	c.must("settle a 1 answered")
	c.must("end a")
	s.figures(1, 0, 0)
	reconciled(s, service, 1)
	c.finish()
}

func rowBypass(s *shared) {
	c, service := spent(s, long)
	c.must("post %s", service.URL)
	for range 3 {
		require.NoError(s, post(service.URL)) // by nobody the ledger knows
	}
	reconciled(s, service, 3)
	c.finish()
}

// reconciled tells the ledger what the service counted, which is more by so
// many, and that is written down as such.
func reconciled(s *shared, service *counter, more int64) {
	e, err := s.store.Reconcile(s.Context(), quota.ReconcileSpec{ID: "r", Observed: service.count(), Note: "portal"})
	require.NoError(s, err)
	assert.Equal(s, more, e.Units)
	assert.Equal(s, quota.KindReconcile, e.Kind)
	st, err := s.store.Status(s.Context())
	require.NoError(s, err)
	assert.Equal(s, service.count(), st.Spent)
}

func rowClocks(s *shared) {
	c, service := spent(s, time.Minute)
	behind := s.start(s, s.place, How{Lease: time.Minute, Ahead: -24 * time.Hour})
	behind.must("begin behind 1") // which is over for all others at once
	s.figures(1, 9, 0)
	behind.kill()

	ahead := s.start(s, s.place, How{Lease: time.Minute, Ahead: 24 * time.Hour})
	ahead.must("begin ahead 49")
	s.figures(1, 49, 1)
	c.must("post %s", service.URL)
	c.must("settle a 1 answered")
	assert.Contains(s, c.do("spend a 2"), "run a expired", "too early costs it its run, and gives nobody a unit")
	s.figures(1, 49, 0)
	assert.EqualValues(s, 1, service.count())
	ahead.finish()
	c.finish()
}
