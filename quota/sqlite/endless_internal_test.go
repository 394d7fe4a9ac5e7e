package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// A question without an end leaves its transaction open: it is undone all the same, and the
// next one is as any other.
func TestEndlessQuestion(t *testing.T) {
	t.Parallel()
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Wait: 200 * time.Millisecond}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = write(ctx, s, func(tx *tx) (int64, error) {
		if _, err := tx.spend(quota.SpendSpec{ID: "1", Run: "a", Units: 1}); err != nil {
			return 0, err
		}
		return tx.number("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c")
	})
	require.ErrorContains(t, err, "it worked for more than 200ms, and was undone")
	require.NotErrorIs(t, err, quota.ErrPoisoned)
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "2", Run: "a", Units: 1})
	require.NoError(t, err)
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, status.Spent)
	require.NoError(t, s.Close())
}

// Who asked is told what worked without an end, and not only that there was no answer.
func TestWorkEndsBeforeItsCallerGivesUp(t *testing.T) {
	t.Parallel()
	assert.Less(t, mostWork+time.Second, patience)
}

// What is done when its time is over is kept, and told as kept: a COMMIT may be over when it is
// asked whether it goes on.
func TestACommitIsNotEnded(t *testing.T) {
	t.Parallel()
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	s.limit.begin()
	require.NoError(t, s.writer.transact(func() error {
		if err := s.writer.exec("UPDATE pace SET why = 'kept'"); err != nil {
			return err
		}
		s.limit.asked, s.limit.began = someWork-1, time.Now().Add(-time.Hour) // it is over by the next question
		return nil
	}))
	why, err := s.writer.text("SELECT why FROM pace")
	require.NoError(t, err)
	assert.Equal(t, "kept", why)
	require.NoError(t, s.Close())
}
