package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idle asserts that nothing waits or is under way.
func idle(t *testing.T, b *batches) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(t, [4]int{}, [4]int{b.alone, b.together, len(b.runs), len(b.waiting)}, "alone, together, runs, waiting")
}

// TestWhoGivesUpHasNoTurn gives up while all that may be under way is: the turn that
// comes free is for somebody else.
func TestWhoGivesUpHasNoTurn(t *testing.T) {
	t.Parallel()
	s := &store{batches: newBatches(1)}
	b := &s.batches
	b.together = mostTogether
	first, gone, next := asked("a", "1", 1), asked("b", "2", 1), asked("b", "3", 1)
	now, err := s.await(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, byItself, now)
	waits := func(ctx context.Context, w *writing, n int) <-chan error {
		done := make(chan error, 1)
		go func() { _, err := s.await(ctx, w); done <- err }()
		require.Eventually(t, func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.waiting) == n
		}, 10*time.Second, time.Millisecond)
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := waits(ctx, gone, 1)
	patient := waits(t.Context(), next, 2)
	cancel()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	s.done(&b.alone, first)
	select {
	case err := <-patient:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("nobody has the turn")
	}
	s.done(&b.alone, next)
	s.done(&b.together)
	s.done(&b.together)
	idle(t, b)
}

// TestTurnOfWhoGivesUpInThatMoment has both happen at once: the turn is taken, or it is free.
func TestTurnOfWhoGivesUpInThatMoment(t *testing.T) {
	t.Parallel()
	s := &store{batches: newBatches(1)}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	taken := 0
	const tries = 200
	for range tries {
		w := asked("a", "1", 1)
		if now, err := s.await(gone, w); err == nil {
			require.Equal(t, byItself, now)
			taken++
			s.done(&s.batches.alone, w)
		}
		idle(t, &s.batches)
	}
	assert.Greater(t, taken, 0)
	assert.Less(t, taken, tries)
}
