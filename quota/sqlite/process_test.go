//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/quotatest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// processes share a ledger file, which a child makes that is told "init:" and
// its path; one that is told "read:" only reads, one that is told "earlier:" is a
// program of schema version 1, and one that is told "dying:N:" is killed at the Nth
// write or flush. A child ends itself, when it is told to, at the
// second write of a transaction to the -wal file: its first frame is half there.
var processes = quotatest.Processes{
	Init: func(t testing.TB, spec quota.InitSpec) string {
		path := filepath.Join(t.TempDir(), "ledger.db")
		s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, spec)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return path
	},
	Open: func(ctx context.Context, place string, how quotatest.How) (quota.Store, error) {
		place, makes := strings.CutPrefix(place, "init:")
		place, reads := strings.CutPrefix(place, "read:")
		place, earlier := strings.CutPrefix(place, "earlier:")
		if earlier {
			sqlite.BeEarlier(1)
		}
		place, dyingAt := dying(place)
		config := sqlite.Config{Path: place, ReadOnly: reads, Lease: how.Lease, Now: how.Now, Wait: testWait()}
		if how.Inside != nil {
			config.VFS = "inside"
			d := &disk{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
			d.wrote = func() {
				how.Inside(quotatest.InTransaction)
				how.Inside(quotatest.InSweep)
			}
			if dyingAt > 0 {
				d.step = func() {
					if dyingAt--; dyingAt == 0 {
						_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
						select {} // until it has come
					}
				}
			}
			vfs.Register(config.VFS, d)
		}
		if makes {
			return sqlite.Init(ctx, config, quota.InitSpec{Granted: 50, Account: "account"})
		}
		return sqlite.Open(ctx, config)
	},
}

// dying takes "dying:N:" from a place.
func dying(place string) (string, int) {
	rest, ok := strings.CutPrefix(place, "dying:")
	if !ok {
		return place, 0
	}
	number, rest, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		panic(err)
	}
	return rest, n
}

// envWait is how long a child waits for others, instead of 10 seconds.
const envWait = "SQLITE_TEST_WAIT"

func testWait() time.Duration {
	wait, _ := time.ParseDuration(os.Getenv(envWait)) // none is 0
	return wait
}

// impatient starts a child where the test is that waits for nobody for long.
func impatient(program string) *exec.Cmd {
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envWait+"=50ms")
	return cmd
}

func TestMain(m *testing.M) {
	processes.Main()
	keepLocked()
	joinFleet()
	if err := flag.Set("rapid.checks", modelChecks); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// newLedger makes a ledger and opens it; the test ends with its verification.
func newLedger(t *testing.T, granted int64) quota.Store {
	t.Helper()
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: granted})
	require.NoError(t, err)
	t.Cleanup(func() {
		report, err := s.Verify(context.Background())
		assert.NoError(t, err)
		assert.Empty(t, report.Problems)
		assert.NoError(t, s.Close())
	})
	return s
}

func ledgerPath(t *testing.T, s quota.Store) string {
	t.Helper()
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	return info.Path
}

func status(t *testing.T, s quota.Store) quota.Status {
	t.Helper()
	st, err := s.Status(t.Context())
	require.NoError(t, err)
	return st
}

// A process that is stopped inside the gate keeps all others waiting, so their
// contexts must not wait with them.
func TestStoppedWriterKeepsNobodyBeyondItsContext(t *testing.T) {
	s := newLedger(t, 50)
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
	require.NoError(t, err)
	gate, err := os.Open(ledgerPath(t, s) + ".lock")
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(gate.Fd()), syscall.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.Spend(ctx, quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, gate.Close())

	// The caller had gone before its turn came, so nothing was spent for it.
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "t", Run: "a", Units: 1})
	require.NoError(t, err)
	assert.Equal(t, int64(1), status(t, s).Spent)
}

func TestReplacedFileIsNoticed(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"deleted": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 5})
			require.NoError(t, err)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
			require.NoError(t, err)
			require.NoError(t, replace(ledgerPath(t, s)))
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			assert.True(t, errors.Is(err, quota.ErrNoLedger) || errors.Is(err, quota.ErrWentBack), err)
			assert.NoError(t, s.Close())
		})
	}
}

// lockGate holds the gate of a ledger, as a process does that is stopped inside,
// until release is called.
func lockGate(t *testing.T, ledger string) (release func()) {
	t.Helper()
	gate, err := os.OpenFile(ledger+".lock", os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(gate.Fd()), syscall.LOCK_EX))
	return func() { require.NoError(t, gate.Close()) }
}

// here starts a child where the test is.
func here(program string) *exec.Cmd { return exec.Command(program) }

// ledgerOf is a closed ledger of that many units.
func ledgerOf(t *testing.T, granted int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "folder", "ledger.db")
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: granted})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return path
}

func spentOf(t *testing.T, path string) int64 {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	defer s.Close()
	return status(t, s).Spent
}
