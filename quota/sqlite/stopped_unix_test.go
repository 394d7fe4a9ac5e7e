//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// A process that is stopped in the middle of a spend keeps the gate: the others
// are refused within their limit and told whom they wait for, those who read wait
// for nobody, and when it goes on nothing was taken from it.
func TestStoppedInsideTheGate(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	const wait = 500 * time.Millisecond
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Wait: wait})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 4}, nil)
	require.NoError(t, err)
	stopped := processes.Start(t, here, path)
	require.Equal(t, "ok", stopped.Do("begin a 6"))
	stopped.Stops("spend a 1")

	who := fmt.Sprintf("process %d (sqlite.test) of", stopped.PID())
	calls := map[string]func() error{
		"spend": func() error {
			_, err := s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "b", Units: 1})
			return err
		},
		"renew": func() error { _, err := s.Renew(t.Context(), "b"); return err },
		"begin": func() error { _, err := s.Begin(t.Context(), quota.RunSpec{ID: "c", Max: 1}, nil); return err },
		"end":   func() error { _, err := s.End(t.Context(), "b", quota.Counters{}); return err },
		"open":  func() error { _, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Wait: wait}); return err },
		"init": func() error {
			_, err := sqlite.Init(t.Context(), sqlite.Config{Path: path, Wait: wait}, quota.InitSpec{Granted: 1})
			return err
		},
	}
	require.Eventually(t, func() bool { return errors.Is(calls["renew"](), quota.ErrBusy) }, time.Minute, 20*time.Millisecond, "it is stopped at last")
	for name, call := range calls {
		began := time.Now()
		err := call()
		require.ErrorIs(t, err, quota.ErrBusy, name)
		assert.ErrorContains(t, err, who, name)
		assert.ErrorContains(t, err, fmt.Sprintf("kill -CONT %d", stopped.PID()), name)
		assert.NotErrorIs(t, err, quota.ErrPoisoned, name)
		require.Less(t, time.Since(began), 5*time.Second, name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait/10)
	defer cancel()
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "t", Run: "b", Units: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "gave no answer within")
	assert.ErrorContains(t, err, who)
	assert.NotContains(t, err.Error(), "context deadline exceeded")
	assert.Equal(t, int64(10), status(t, s).Held, "reading waits for nobody")

	require.ErrorIs(t, calls["renew"](), quota.ErrBusy) // after which nobody waits any more
	require.NoError(t, stopped.Signal(syscall.SIGCONT))
	assert.Equal(t, "ok", stopped.Answer(), "it goes on where it was")
	require.Equal(t, "ok", stopped.Do("spend a 2"), "those who went away don't keep the gate")
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "u", Run: "b", Units: 1})
	require.NoError(t, err)
	assert.Equal(t, int64(3), status(t, s).Spent, "nothing was spent for those who were refused")
	stopped.Finish()
	require.NoError(t, s.Close())
}

// A process that ends while others wait for it lets them in at once.
func TestKilledInsideTheGate(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Wait: time.Minute})
	require.NoError(t, err)
	stopped := processes.Start(t, here, path)
	require.Equal(t, "ok", stopped.Do("begin a 6"))
	stopped.Stops("spend a 1")
	tries := 0
	require.Eventually(t, func() bool { // each is a new run: of one that has begun it is read, gate or not
		tries++
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := s.Begin(ctx, quota.RunSpec{ID: fmt.Sprint("b", tries)}, nil)
		return errors.Is(err, context.DeadlineExceeded)
	}, time.Minute, time.Millisecond)
	done := make(chan error)
	go func() {
		_, err := s.Begin(t.Context(), quota.RunSpec{ID: "c", Max: 1}, nil)
		done <- err
	}()
	stopped.Kill()
	require.NoError(t, <-done)
	require.NoError(t, s.Close())
}
