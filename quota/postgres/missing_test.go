package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

// TestMissingNumbers writes entries with random numbers, in and between blocks, and compares
// what is missing, all at once and from one number to the next, with a walk over them. Each
// one that comes late is noticed, and nothing else is.
func TestMissingNumbers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		tx, err := s.pool.Begin(ctx)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(context.Background()) }() // rolled back unless the test failed
		at, there := int64(1000), map[int64]bool{}
		insert := func(seq int64) {
			_, err := tx.Exec(ctx, "INSERT INTO hsharness.entry (seq, at, run, kind, units, id) VALUES ($1, now(), '', 'block', 0, '')", seq)
			require.NoError(t, err)
		}
		for range 40 {
			at += 1 + []int64{0, 0, 0, random.Int64N(5), random.Int64N(3 * missingBlock)}[random.IntN(5)]
			there[at] = true
			insert(at)
		}
		var want strings.Builder
		from := int64(1001)
		var gaps []int64
		for seq := from; seq <= at; seq++ {
			if there[seq] {
				if from < seq {
					fmt.Fprintf(&want, "%d-%d,", from, seq-1)
					gaps = append(gaps, from, seq-1)
				}
				from = seq + 1
			}
		}
		view := txOf(s, tx)
		all, err := view.missing(ctx, 1000, at)
		require.NoError(t, err)
		assert.Equal(t, want.String(), all, "seed %d", seed)
		late, err := view.late(ctx, all)
		require.NoError(t, err)
		assert.False(t, late)
		if len(gaps) > 0 {
			insert(gaps[random.IntN(len(gaps))])
			late, err = view.late(ctx, all)
			require.NoError(t, err)
			assert.True(t, late, "seed %d", seed)
		}
		require.NoError(t, tx.Rollback(ctx))
	}
}

// Numbers may be far apart, as in what was imported: what is between is one range.
func TestMissingNumbersFarApart(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	tx, err := s.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }() // nothing of it is to stay
	_, err = tx.Exec(ctx, "INSERT INTO hsharness.entry (seq, at, run, kind, units, id) VALUES (1152921504606846976, now(), '', 'block', 0, '')")
	require.NoError(t, err)
	missing, err := txOf(s, tx).missing(ctx, 1000, 1<<60)
	require.NoError(t, err)
	assert.Equal(t, "1001-1152921504606846975,", missing)
}

func txOf(s *store, t pgx.Tx) *tx { return &tx{Tx: t, store: s, now: s.config.now()} }
