package postgres

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

// TestNoAnswer lets another session hold what each call needs, until the caller's
// time is up, or our own limit, or the server's. The error says of what, for how
// long, and because of whom, and nothing that is secret.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := newStore(t, Config{DSN: dsn + "&password=geheim&statement_timeout=2s"})
	impatient, err := Open(t.Context(), Config{DSN: dsn + "&lock_timeout=100ms"})
	require.NoError(t, err)
	defer func() { _ = impatient.Close() }()
	other, err := pgx.Connect(t.Context(), dsn+"&application_name=a-person")
	require.NoError(t, err)
	defer func() { _ = other.Close(context.Background()) }()
	_, err = other.Exec(t.Context(), "BEGIN; SELECT FROM hsharness.ledger FOR UPDATE; SELECT FROM hsharness.run FOR UPDATE")
	require.NoError(t, err)
	const spent, admitted = "a spend of run a", "the admission of run b"
	spend := func(ctx context.Context) error {
		_, err := s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1})
		return err
	}
	begin := func(ctx context.Context) error {
		_, err := s.Begin(ctx, quota.RunSpec{ID: "b", Max: 1}, nil)
		return err
	}
	says := func(err error, words ...string) {
		t.Helper()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "geheim")
		assert.NotContains(t, err.Error(), "context deadline exceeded")
		for _, word := range append(words, s.place, "held by process ", ", a-person, idle in transaction, since 2") {
			assert.Contains(t, err.Error(), word)
		}
	}
	for doing, do := range map[string]func(context.Context) error{spent: spend, admitted: begin} {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := do(short)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		says(err, "gave no answer to "+doing+" within ")

		s.patience = 100 * time.Millisecond
		err = do(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		says(err, "gave no answer to "+doing+" within ")
		s.patience = leastPatience
	}
	err = begin(t.Context())
	require.ErrorIs(t, err, quota.ErrBusy)
	says(err, "did not answer in time to "+admitted+", within ")

	_, err = impatient.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
	require.ErrorIs(t, err, quota.ErrBusy)
	says(err, "did not answer in time to "+admitted+", within ")

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err = begin(cancelled)
	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, err.Error(), "gave no answer to "+admitted)
}

func TestPatience(t *testing.T) {
	dsn := pgtest.Database(t)
	for timeout, want := range map[string]time.Duration{"300ms": 30 * time.Second, "0": 30 * time.Second, "20s": 40 * time.Second, "2min": 4 * time.Minute} {
		s := newStore(t, Config{DSN: dsn + "&search_path=s" + timeout + "&statement_timeout=" + timeout})
		assert.Equal(t, want, s.patience, timeout)
		assert.Equal(t, connectWait, s.pool.Config().ConnConfig.ConnectTimeout)
	}
}

// TestServerThatIsSilent connects to one that takes connections and says nothing.
func TestServerThatIsSilent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	dsn := "postgres://somebody:geheim@" + listener.Addr().String() + "/db?sslmode=disable&connect_timeout=1"
	_, err = Open(t.Context(), Config{DSN: dsn})
	require.ErrorContains(t, err, "ledger "+listener.Addr().String()+"/db schema hsharness: no connection within ")
	require.ErrorIs(t, err, quota.ErrUnreachable)
	assert.NotContains(t, err.Error(), "geheim")
	assert.NotContains(t, err.Error(), "somebody")

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Open(short, Config{DSN: dsn})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "gave no answer to a connection within ")
}

// A server that is not there is told once.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Config{DSN: "postgres://someone@127.0.0.1:1/nowhere?sslmode=prefer"})
	require.Error(t, err)
	assert.ErrorContains(t, err, "no connection: ")
	require.ErrorIs(t, err, quota.ErrUnreachable)
	assert.Equal(t, 1, strings.Count(err.Error(), "dial error"), "%v", err)
	assert.NotContains(t, err.Error(), "someone")
}
