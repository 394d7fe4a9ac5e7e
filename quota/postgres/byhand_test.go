package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// Who blocks a ledger by hand, or ends a run, writes no entry for it: the service's word that
// nothing is left is written down then, too, and the run is over.
func TestByHand(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, postgres.Config{DSN: dsn})
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 3}, nil)
	require.NoError(t, err)
	db := session(t, dsn)
	_, err = db.Exec(t.Context(), "UPDATE ledger SET exhausted = true; UPDATE run SET state = 'ended', over = now()")
	require.NoError(t, err)
	told, err := s.Exhaust(t.Context(), quota.ExhaustSpec{Run: "a", Status: 403})
	require.NoError(t, err)
	require.Equal(t, quota.KindExhaust, told.Kind)
	again, err := s.Exhaust(t.Context(), quota.ExhaustSpec{Run: "a", Status: 403})
	require.NoError(t, err)
	require.Equal(t, told.Seq, again.Seq)
	_, err = s.End(t.Context(), "a", quota.Counters{})
	require.ErrorIs(t, err, quota.ErrRunOver)
}
