//go:build unix

package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestServerIsKilled ends a backend, and then the whole server, by SIGKILL while
// eight runs spend. What a run was told to be written must be there when the
// server has recovered, and a spend that failed may be there once at most.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	const workers, each = 8, 150
	server := pgtest.Private(t)
	dsn := with(server.DSN(), "pool_max_conns", "8")
	ctx := t.Context()
	s, err := postgres.Init(ctx, postgres.Config{DSN: dsn}, quota.InitSpec{Granted: 1_000_000, Account: "account"})
	require.NoError(t, err)

	var mu sync.Mutex
	told := map[string]bool{} // whether it was said to be written
	var spends atomic.Int64
	begin := func(run string) bool {
		_, err := s.Begin(ctx, quota.RunSpec{ID: run, Max: each}, nil)
		return err == nil
	}
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			run, late := "", []quota.Settlement(nil)
			for i := range each {
				if run == "" {
					if run = fmt.Sprintf("run %d from %d", w, i); !begin(run) {
						run = ""
					}
				}
				id := fmt.Sprintf("%d of %d", i, w)
				_, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: run, Units: 1}, late...)
				late = nil
				if err == nil {
					late = []quota.Settlement{{Spend: id, Outcome: quota.Answered, Status: 200}}
				}
				mu.Lock()
				told[id] = err == nil
				mu.Unlock()
				spends.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()

	// Each of them after a further part of the work, however long that takes.
	backends, servers := 0, 0
	for kill := int64(1); ; kill++ {
		after := func() bool { return spends.Load() >= kill*workers*each/10 }
		require.Eventually(t, after, time.Minute, time.Millisecond)
		if kill == 9 {
			break
		}
		if kill%3 == 0 {
			server.Kill()
			servers++
			server.Restart()
			continue
		}
		backends += killBackend(t, server.DSN())
	}
	<-done
	t.Logf("%d backends and %d servers killed, %d spends", backends, servers, spends.Load())
	assert.Equal(t, 2, servers)
	assert.Positive(t, backends)

	// The next one to look at the ledger is a process of its own.
	_ = s.Close() // its connections are of servers that are no more
	s, err = postgres.Open(ctx, postgres.Config{DSN: dsn})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	written := map[string]int{}
	for e, err := range s.Entries(ctx, 0) {
		require.NoError(t, err)
		if e.Kind == quota.KindSpend {
			written[e.ID]++
		}
	}
	failed := 0
	for id, ok := range told {
		if ok {
			assert.Equal(t, 1, written[id], "spend %s was said to be written", id)
			continue
		}
		failed++
		assert.LessOrEqual(t, written[id], 1, "spend %s", id)
	}
	t.Logf("told %d, failed %d, written %d", len(told)-failed, failed, len(written))
	assert.Positive(t, len(told)-failed)
	status, err := s.Status(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, len(written), status.Spent)
	report, err := s.Verify(ctx)
	require.NoError(t, err)
	assert.Empty(t, report.Problems)
}

// killBackend ends a process by SIGKILL that serves a connection of the ledger,
// and says how many it found. The server then ends all of them, and recovers as
// after a crash.
func killBackend(t *testing.T, dsn string) int {
	t.Helper()
	var pid int
	find := func() bool { // once it has recovered from the one before
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close(t.Context()) }()
		return conn.QueryRow(t.Context(), `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
			WHERE application_name = 'hsharness' AND pid <> pg_backend_pid()`).Scan(&pid) == nil
	}
	require.Eventually(t, find, time.Minute, 10*time.Millisecond)
	if pid == 0 {
		return 0
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) { // it may have ended by itself
		require.NoError(t, err)
		return 1
	}
	return 0
}
