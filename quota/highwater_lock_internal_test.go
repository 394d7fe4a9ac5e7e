package quota

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testHighWater is one whose lock is not waited for as long as in earnest.
func testHighWater(t *testing.T, wait time.Duration) *highWater {
	w, err := newHighWater(t.TempDir(), "account")
	require.NoError(t, err)
	w.wait = wait
	return w
}

// Whoever is stopped while it holds the lock keeps nobody for ever, and is named.
func TestHighWaterLockSaysWhoHoldsIt(t *testing.T) {
	t.Parallel()
	w := testHighWater(t, 20*time.Millisecond)
	release, err := w.lock(t.Context())
	require.NoError(t, err)
	_, err = w.lock(t.Context())
	require.ErrorIs(t, err, ErrNoHighWater)
	assert.ErrorContains(t, err, fmt.Sprintf("by process %d (%s) of ", os.Getpid(), filepath.Base(os.Args[0])))
	_, err = w.accept(t.Context(), "ledger", Entry{Seq: 1})
	require.ErrorIs(t, err, ErrNoHighWater)
	assert.NoFileExists(t, w.file("ledger"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.lock(ctx)
	require.ErrorIs(t, err, context.Canceled)
	release()
	release, err = w.lock(t.Context())
	require.NoError(t, err, "those who gave up hold nothing")
	release()
}

func TestHighWaterLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := testHighWater(t, time.Minute)
	release, err := w.lock(t.Context())
	require.NoError(t, err)
	got := make(chan error)
	go func() {
		release, err := w.lock(context.Background())
		if err == nil {
			release()
		}
		got <- err
	}()
	release()
	require.NoError(t, <-got)
}

// However many ask while somebody keeps the lock, one file at most waits for it when they have
// given up: a process that is stopped may keep it for days.
func TestHighWaterLockLeavesOneWaiting(t *testing.T) {
	t.Parallel()
	w := testHighWater(t, 5*time.Millisecond)
	release, err := w.lock(t.Context())
	require.NoError(t, err)
	waits := func() (n int) {
		stacks := make([]byte, 4<<20)
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "quota.(*highWater).stand.func1(")
	}
	others := waits() // of tests that go on beside this one
	for range 50 {
		_, err := w.lock(t.Context())
		require.ErrorIs(t, err, ErrNoHighWater)
		assert.ErrorContains(t, err, "has been locked for")
	}
	assert.Less(t, waits(), others+25)
	release()
	release, err = w.lock(t.Context())
	require.NoError(t, err, "those who gave up hold nothing")
	release()
}

// A lock file that somebody removed excludes nobody any more, so the next takes
// the lock of the new one.
func TestHighWaterLockOfRemovedFile(t *testing.T) {
	t.Parallel()
	w := testHighWater(t, 20*time.Millisecond)
	first, err := w.lock(t.Context())
	require.NoError(t, err)
	f, err := w.openLock()
	require.NoError(t, err)
	require.NoError(t, os.Remove(f.Name()))
	first()
	require.NoError(t, lockFile(f)) // one who had opened it before
	assert.False(t, stillNamed(f))
	second, err := w.lock(t.Context())
	require.NoError(t, err)
	_, err = w.lock(t.Context())
	require.ErrorIs(t, err, ErrNoHighWater)
	assert.False(t, stillNamed(f), "there is another one of this name")
	second()
	require.NoError(t, f.Close())
}

// Requests of one process wait for each other, and no longer than for another
// process.
func TestTrailWaitsInTurn(t *testing.T) {
	t.Parallel()
	trail := newTrail(testHighWater(t, 20*time.Millisecond), nil, "ledger")
	trail.turn <- struct{}{}
	nothing := func(context.Context) error { return nil }
	err := trail.locked(t.Context(), nothing)
	require.ErrorIs(t, err, ErrNoHighWater)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = trail.locked(ctx, nothing)
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "ledger ledger gave no answer to a line of its high-water mark in ")
	<-trail.turn
	require.NoError(t, trail.locked(t.Context(), nothing))
}

// A caller whose time is up is told for what, and because of whom.
func TestHighWaterLockOutlastsTheCaller(t *testing.T) {
	t.Parallel()
	w := testHighWater(t, time.Minute)
	release, err := w.lock(t.Context())
	require.NoError(t, err)
	defer release()
	trail := newTrail(w, nil, "ledger")
	for name, do := range map[string]func(context.Context) error{
		"a line": func(ctx context.Context) error { return trail.note(ctx, Entry{Seq: 1}) },
		"accept": func(ctx context.Context) error { _, err := w.accept(ctx, "ledger", Entry{Seq: 1}); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := do(ctx)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		assert.NotContains(t, err.Error(), "context deadline exceeded", name)
		for _, word := range []string{"a line of its high-water mark", "held by process "} {
			assert.ErrorContains(t, err, word, name)
		}
	}
}
