package sqlite

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// unlimited lets a value be larger than the engine's memory.
func unlimited(c *conn) { c.db.Limit(sqlite3.LIMIT_LENGTH, 1<<30) }

// Where the engine runs out of memory its panic is an error, and nothing is asked
// of it any more.
func TestEngineOutOfMemory(t *testing.T) {
	t.Parallel()
	c, err := connect(t.Context(), Config{}, filepath.Join(t.TempDir(), "ledger.db"), true)
	require.NoError(t, err)
	unlimited(c)
	_, err = c.text("SELECT hex(zeroblob(60000000))")
	require.ErrorIs(t, err, errEngine)
	assert.ErrorContains(t, err, "out of memory")
	_, err = c.number("SELECT 1")
	require.ErrorIs(t, err, errEngine)
	require.ErrorIs(t, c.script("SELECT 1"), errEngine)
	assert.False(t, c.transacting())
	assert.Zero(t, c.changes())
	require.NoError(t, c.close())
}

// A row that breaks the engine by a question of its own ends the question that it
// came from.
func TestEngineBrokenWithinARow(t *testing.T) {
	t.Parallel()
	c, err := connect(t.Context(), Config{}, filepath.Join(t.TempDir(), "ledger.db"), true)
	require.NoError(t, err)
	unlimited(c)
	err = c.query("SELECT 1 UNION SELECT 2", func(*sqlite3.Stmt) error {
		_, err := c.text("SELECT hex(zeroblob(60000000))")
		return err
	})
	require.ErrorIs(t, err, errEngine)
}

// A spend whose transaction broke the engine is refused, and so is all that
// follows.
func TestEngineBrokenWithinASpend(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	opened, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	unlimited(s.writer)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = write(t.Context(), s, func(tx *tx) (int, error) {
		if _, err := tx.spend(quota.SpendSpec{ID: "s", Run: "a", Units: 1}); err != nil {
			return 0, err
		}
		_, err := tx.text("SELECT hex(zeroblob(60000000))")
		return 0, err
	})
	require.ErrorIs(t, err, errEngine)
	require.ErrorIs(t, err, quota.ErrPoisoned)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "t", Run: "a", Units: 1})
	require.ErrorIs(t, err, quota.ErrPoisoned)
	require.NoError(t, s.Close())
}

// An error of the database is told from a refusal in each of its forms: what was
// done before a refusal is kept.
func TestDatabaseErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{sqlite3.FULL, sqlite3.IOERR_WRITE, errEngine, errors.Join(errors.New("entry 1"), sqlite3.FULL)} {
		assert.True(t, databaseError(err), "%v", err)
	}
	assert.False(t, databaseError(quota.ErrConflict))
	assert.False(t, databaseError(nil))
}
