package postgres_test

import (
	"errors"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

func journal(t *testing.T, s quota.Store) []quota.Entry {
	t.Helper()
	var entries []quota.Entry
	for e, err := range s.Entries(t.Context(), 0) {
		require.NoError(t, err)
		entries = append(entries, e)
	}
	return entries
}

func TestImport(t *testing.T) {
	from := newStore(t, postgres.Config{})
	ctx := t.Context()
	for _, id := range []string{"a", "b"} {
		_, err := from.Begin(ctx, quota.RunSpec{ID: id, Max: 20, Attribution: quota.Attribution{Suite: "unit"}}, nil)
		require.NoError(t, err)
		_, err = from.Spend(ctx, quota.SpendSpec{ID: id, Run: id, Units: 3, Operation: "op", Test: "TestShirt"})
		require.NoError(t, err)
	}
	_, err := from.Begin(ctx, quota.RunSpec{ID: "c", Max: 90}, nil)
	require.ErrorIs(t, err, quota.ErrBlocked)
	_, err = from.End(ctx, "a", quota.Counters{Requests: 7})
	require.NoError(t, err)
	info, err := from.Info(ctx)
	require.NoError(t, err)

	to := postgres.Config{DSN: pgtest.Database(t)}
	_, err = postgres.Import(ctx, to, info, from.Entries(ctx, 0))
	require.ErrorIs(t, err, quota.ErrRunsActive)
	_, err = from.End(ctx, "b", quota.Counters{})
	require.NoError(t, err)
	s, err := postgres.Import(ctx, to, info, from.Entries(ctx, 0))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	assert.Equal(t, journal(t, from), journal(t, s))
	copied, err := s.Info(ctx)
	require.NoError(t, err)
	info.Head = copied.Head
	assert.Equal(t, info, copied)
	for _, store := range []quota.Store{from, s} {
		report, err := store.Verify(ctx)
		require.NoError(t, err)
		assert.Empty(t, report.Problems)
	}
	_, err = s.Begin(ctx, quota.RunSpec{ID: "d", Max: 94}, nil)
	require.NoError(t, err)
	assert.Greater(t, journal(t, s)[len(journal(t, from))].Seq, copied.Head.Seq, "it goes on where it ended")

	_, err = postgres.Import(ctx, to, info, from.Entries(ctx, 0))
	require.ErrorIs(t, err, quota.ErrLedgerExists)
}

func TestImportRefuses(t *testing.T) {
	broken := errors.New("the other file can't be read")
	one := quota.Entry{Seq: 1, Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Kind: quota.KindGrant, Units: 5, ID: "init"}
	huge := one
	huge.Units = math.MaxInt64
	for name, row := range map[string]struct {
		entries iter.Seq2[quota.Entry, error]
		want    string
	}{
		"nothing":             {func(func(quota.Entry, error) bool) {}, "there are no entries"},
		"an error":            {func(yield func(quota.Entry, error) bool) { yield(one, nil); yield(quota.Entry{}, broken) }, broken.Error()},
		"a grant of too much": {func(yield func(quota.Entry, error) bool) { yield(huge, nil) }, "entry 1: units: 9223372036854775807"},
		"a wrong journal": {func(yield func(quota.Entry, error) bool) {
			yield(one, nil)
			yield(quota.Entry{Seq: 2, Time: one.Time, Kind: quota.KindSpend, Units: 1, ID: "s", Run: "r"}, nil)
		}, "don't add up"},
	} {
		t.Run(name, func(t *testing.T) {
			config := postgres.Config{DSN: pgtest.Database(t)}
			_, err := postgres.Import(t.Context(), config, quota.Info{LedgerID: "L", Allowance: "sandbox", Created: one.Time}, row.entries)
			require.ErrorContains(t, err, row.want)
			_, err = postgres.Open(t.Context(), config)
			require.ErrorIs(t, err, quota.ErrNoLedger)
		})
	}
}
