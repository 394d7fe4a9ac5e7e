package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// A trigger without an end that somebody puts on the tables while the ledger is open is ended:
// nothing is spent, what was written stays, and it is named, at once from then on.
func TestEndlessTrigger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path, Wait: 200 * time.Millisecond}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, tamper(t, path, `CREATE TRIGGER slow AFTER INSERT ON entry BEGIN
		SELECT (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c); END`))

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, id := range []string{"2", "3"} {
		_, err = s.Spend(ctx, quota.SpendSpec{ID: id, Run: "a", Units: 1})
		require.ErrorIs(t, err, quota.ErrDamaged)
		require.NotErrorIs(t, err, quota.ErrPoisoned)
		assert.ErrorContains(t, err, path+`: the file is damaged: hsharness did not make its trigger "slow"`)
	}
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, status.Spent)
	require.NoError(t, s.Close())
	require.NoError(t, tamper(t, path, "DROP TRIGGER slow"))
	assert.Empty(t, problems(t, path))
	s, err = sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "2", Run: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
