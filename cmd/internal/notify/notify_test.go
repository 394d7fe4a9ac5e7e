package notify_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/notify"
	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// keeper is a ledger that keeps notices.
type keeper interface {
	quota.Store
	notice.Store
}

// asked counts how often a ledger is asked for a notice, which is a write each time.
type asked struct {
	keeper
	times atomic.Int64
}

func (a *asked) ClaimNotice(ctx context.Context, hooks []string, by string, lease time.Duration) (notice.Notice, bool, error) {
	a.times.Add(1)
	return a.keeper.ClaimNotice(ctx, hooks, by, lease)
}

// unanswered is a project with a hook where nobody answers.
func unanswered(t *testing.T) ledger.Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nnotify:\n  - { at: [50%], url: \"${HOOK}\", template: json }\n"), 0o600))
	getenv := func(name string) string { return map[string]string{"HOOK": "http://127.0.0.1:1/x"}[name] }
	p, err := project.Read(file, false, getenv)
	require.NoError(t, err)
	return ledger.Source{Project: p, Getenv: getenv}
}

// While another process tries a notice once more, at a hook that hangs, the end of a command
// asks the ledger for it now and then, and not all the time.
func TestANoticeThatAnotherProcessTries(t *testing.T) {
	t.Parallel()
	source := unanswered(t)
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 10, SpentBefore: 6})
	require.NoError(t, err)
	defer s.Close()
	store := &asked{keeper: s.(keeper)}
	noted := hook.Noted(hook.Of(source.Project, source.Getenv))
	require.NoError(t, store.NoteNotices(t.Context(), noted))
	claim := func() notice.Notice {
		n, ok, err := store.ClaimNotice(t.Context(), []string{noted[0].Name}, "another process", time.Hour)
		require.NoError(t, err)
		require.True(t, ok)
		return n
	}
	require.NoError(t, store.SettleNotice(t.Context(), notice.Outcome{ID: claim().ID, By: "another process", Why: "it hangs"}))
	claim() // and hangs again

	store.times.Store(0)
	c := notify.Config{Source: source, Warn: t.Logf}
	c.After(t.Context(), &ledger.Ledger{Store: store})
	assert.Positive(t, store.times.Load())
	assert.Less(t, store.times.Load(), int64(50))
}

// A machine whose clock is a day behind that of the ledger leaves a hook that fails alone for
// as long as any other: the tries were all used up in its first second.
func TestAClockFarBehindTheLedgers(t *testing.T) {
	t.Parallel()
	source := unanswered(t)
	ahead := func() time.Time { return time.Now().Add(24 * time.Hour) }
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: ahead}, quota.InitSpec{Granted: 10, SpentBefore: 6})
	require.NoError(t, err)
	defer s.Close()
	c := notify.Config{Source: source, Warn: t.Logf}
	c.After(t.Context(), &ledger.Ledger{Store: s})
	all, err := s.(keeper).Undelivered(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Positive(t, all[0].Tries)
	assert.Less(t, all[0].Tries, int64(5))
}
