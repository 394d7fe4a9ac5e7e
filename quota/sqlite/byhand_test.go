package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// A schema below the first is nobody's: it is told as damage.
func TestASchemaThatNobodyWrote(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	require.NoError(t, tamper(t, path, "PRAGMA user_version=-1"))
	for _, readOnly := range []bool{false, true} {
		_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, ReadOnly: readOnly})
		require.ErrorIs(t, err, quota.ErrDamaged)
	}
}

// Who blocks a ledger by hand, or ends a run, writes no entry for it: the service's word that
// nothing is left is written down then, too, and the run is over.
func TestByHand(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 3}, nil)
	require.NoError(t, err)
	require.NoError(t, tamper(t, path, "UPDATE ledger SET exhausted = 1; UPDATE run SET state = 'ended', over = 1 WHERE id = 'b'"))
	told, err := s.Exhaust(t.Context(), quota.ExhaustSpec{Run: "b", Status: 403})
	require.NoError(t, err)
	require.Equal(t, quota.KindExhaust, told.Kind)
	again, err := s.Exhaust(t.Context(), quota.ExhaustSpec{Run: "b", Status: 403})
	require.NoError(t, err)
	require.Equal(t, told.Seq, again.Seq)
	_, err = s.End(t.Context(), "b", quota.Counters{})
	require.ErrorIs(t, err, quota.ErrRunOver)
	require.NoError(t, s.Close())
}

// Earlier versions took words that are no UTF-8, which a run has as they were and its entry,
// which is JSON, not. Such a ledger adds up, and its figures still have to.
func TestARunOfWordsThatAreNoText(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 3, Attribution: quota.Attribution{Suite: "caf\uFFFD\uFFFD"}}, nil)
	require.NoError(t, err)
	require.NoError(t, tamper(t, path, "UPDATE run SET suite = CAST(x'636166e9e9' AS TEXT) WHERE id = 'b'"))
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.NoError(t, tamper(t, path, "UPDATE run SET suite = CAST(x'636167e9e9' AS TEXT) WHERE id = 'b'"))
	report, err = s.Verify(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Problems, 1)
	require.NoError(t, s.Close())
}

// A journal without an entry is none: it is told as damage.
func TestAJournalThatIsGone(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	require.NoError(t, tamper(t, path, "DROP TRIGGER entry_stays; DELETE FROM entry; CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;"))
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Info(t.Context())
	require.ErrorIs(t, err, quota.ErrDamaged)
	require.NoError(t, s.Close())
}

// At the end of the numbers of entries nothing can be written down, and so nothing is given
// back or granted either, however often it is asked for.
func TestNoFigureWithoutAnEntry(t *testing.T) {
	t.Parallel()
	path := closedLedger(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 3}, nil)
	require.NoError(t, err)
	for _, id := range []string{"1", "2", "3"} {
		_, err = s.Spend(t.Context(), quota.SpendSpec{ID: id, Run: "b", Units: 1})
		require.NoError(t, err)
	}
	require.NoError(t, tamper(t, path, "INSERT INTO entry SELECT 9007199254740991, at, 'x', 'block', 0, '', '', '', '', '', 0, 0, 0, '', '' FROM entry LIMIT 1"))
	for range 3 {
		refund := quota.Settlement{Spend: "1", Outcome: quota.Refunded, Proof: quota.NoConnection}
		require.ErrorIs(t, s.Settle(t.Context(), refund), quota.ErrDamaged)
		_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "4", Run: "b"}, refund)
		require.ErrorIs(t, err, quota.ErrDamaged)
		_, err = s.Grant(t.Context(), quota.GrantSpec{ID: "more", Units: 5})
		require.ErrorIs(t, err, quota.ErrDamaged)
		require.NotErrorIs(t, err, quota.ErrPoisoned)
	}
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 50, status.Granted)
	runs, err := s.Runs(t.Context(), 1)
	require.NoError(t, err)
	require.EqualValues(t, 3, runs[0].Spent)
	require.NoError(t, s.Close())
}
