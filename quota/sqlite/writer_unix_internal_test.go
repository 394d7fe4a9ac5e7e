//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// While somebody keeps the gate more may come, and give up, than are refused after one wait
// after the other: who has gone is not kept until then.
func TestWhoHasGoneWaitsForNoGate(t *testing.T) {
	t.Parallel()
	const wait = 500 * time.Millisecond
	opened, err := Init(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Wait: wait}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	s := opened.(*store)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
	require.NoError(t, err)
	gate, err := os.Open(s.path + lockSuffix)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(gate.Fd()), syscall.LOCK_EX))
	queued := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queue)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for i := range 20 * batchSize {
		all.Go(func() {
			_, err := s.Spend(ctx, quota.SpendSpec{ID: fmt.Sprint(i), Run: "a", Units: 1})
			if !errors.Is(err, quota.ErrBusy) { // of the first ones
				assert.ErrorIs(t, err, context.Canceled)
			}
		})
	}
	require.Eventually(t, func() bool { return queued() > 15*batchSize }, 10*time.Second, time.Millisecond)
	cancel()
	all.Wait()
	assert.Eventually(t, func() bool { return queued() == 0 }, 5*wait, wait/10, "all have gone")
	require.NoError(t, gate.Close())
	st, err := s.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, st.Spent)
}
