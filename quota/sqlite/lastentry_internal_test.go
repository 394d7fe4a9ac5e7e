package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Who shares a transaction with one that finds no number left for its entry is told so too,
// and nothing of either is written.
func TestNobodyIsToldOfWhatTheLastEntryUndid(t *testing.T) {
	t.Parallel()
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
	require.NoError(t, err)
	require.NoError(t, s.writer.exec("INSERT INTO entry SELECT ?, at, 'x', 'block', 0, '', '', '', '', '', 0, 0, 0, '', '' FROM entry LIMIT 1", int64(quota.MaxSeq-1)))
	told := make([]error, 2)
	var batch []request
	for i, id := range []string{"fits", "not"} {
		batch = append(batch, request{
			run:    func(tx *tx) error { _, err := tx.append(quota.Entry{Kind: quota.KindBlock, Run: id}); return err },
			answer: func(err error) { told[i] = err },
		})
	}
	err = s.commit(batch)
	for _, r := range batch {
		r.answer(err)
	}
	for _, err := range told {
		require.ErrorIs(t, err, quota.ErrDamaged)
		require.NotErrorIs(t, err, quota.ErrPoisoned)
	}
	n, err := s.writer.number("SELECT count(*) FROM entry WHERE run = 'fits'")
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "1", Run: "a", Units: 1})
	require.NoError(t, err, "the number is free")
	require.NoError(t, s.Close())
}
