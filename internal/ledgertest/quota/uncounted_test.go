package quota_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// forgetful is a ledger that says it wrote a spend and does not keep it, as one does
// whose tables somebody gave a trigger, or whose server went back behind a proxy.
type forgetful struct {
	quota.Store
	spends int64
}

func (f *forgetful) Spend(_ context.Context, spec quota.SpendSpec, _ ...quota.Settlement) (quota.Entry, error) {
	f.spends++
	return quota.Entry{Seq: 100 + f.spends, Run: spec.Run, Kind: quota.KindSpend, Units: spec.Units, ID: spec.ID}, nil
}

// TestARunSpendsNoMoreThanItMay: the hold is the ledger's to keep, and who sends knows how
// much it was. What the ledger allows beyond it is not sent, and the run is over.
func TestARunSpendsNoMoreThanItMay(t *testing.T) {
	d := newDesk(t)
	store, err := sqlite.Init(t.Context(), sqlite.Config{Path: d.path}, quota.InitSpec{Granted: 100, Account: d.account})
	require.NoError(t, err)
	c := d.client(&forgetful{Store: store})
	c.Loopback = true
	run, err := c.Begin(t.Context(), quota.RunSpec{ID: "run", Max: 3}, nil)
	require.NoError(t, err)
	spend := func(id string, units int64) error {
		_, err := run.Spend(t.Context(), quota.SpendSpec{ID: id, Units: units})
		return err
	}
	require.NoError(t, spend("a", 2))
	require.NoError(t, spend("free", 0))
	require.NoError(t, run.Settle(quota.Settlement{Spend: "a", Outcome: quota.Refunded, Proof: quota.NoConnection}))
	assert.Zero(t, run.Info().Spent)
	require.NoError(t, run.Settle(quota.Settlement{Spend: "a", Outcome: quota.Refunded, Proof: quota.NoConnection}), "again")
	assert.Zero(t, run.Info().Spent, "a unit comes back once")
	require.NoError(t, spend("b", 1))
	require.NoError(t, run.Settle(quota.Settlement{Spend: "b", Outcome: quota.Answered, Status: 200}))
	require.NoError(t, spend("c", 2))
	assert.EqualValues(t, 3, run.Info().Spent)
	require.ErrorIs(t, spend("d", 1), quota.ErrWentBack)
	require.ErrorIs(t, run.Err(), quota.ErrWentBack)
	require.ErrorIs(t, spend("free, too", 0), quota.ErrWentBack)
	assert.EqualValues(t, 3, run.Info().Spent)
	_, err = run.End(t.Context(), quota.Counters{})
	require.NoError(t, err)
}

// TestARunThatIsBegunAgainMaySpendWhatComesBack: the same spec again is the same run. What
// one of its handles gets back, the other may spend.
func TestARunThatIsBegunAgainMaySpendWhatComesBack(t *testing.T) {
	c := newDesk(t).init()
	c.Loopback = true
	spec := quota.RunSpec{ID: "run", Max: 3}
	first, err := c.Begin(t.Context(), spec, nil)
	require.NoError(t, err)
	_, err = first.Spend(t.Context(), quota.SpendSpec{ID: "a", Units: 2})
	require.NoError(t, err)
	again, err := c.Begin(t.Context(), spec, nil)
	require.NoError(t, err)
	require.NoError(t, first.Settle(quota.Settlement{Spend: "a", Outcome: quota.Refunded, Proof: quota.NoConnection}))
	_, err = first.Spend(t.Context(), quota.SpendSpec{ID: "b", Units: 1})
	require.NoError(t, err)
	_, err = again.Spend(t.Context(), quota.SpendSpec{ID: "c", Units: 2})
	require.NoError(t, err)
	assert.EqualValues(t, 2, again.Info().Spent)
	_, err = again.Spend(t.Context(), quota.SpendSpec{ID: "d", Units: 1})
	require.ErrorIs(t, err, quota.ErrHoldUsed)
	for _, run := range []*quota.Run{first, again} {
		_, err = run.End(t.Context(), quota.Counters{})
		require.NoError(t, err)
	}
}
