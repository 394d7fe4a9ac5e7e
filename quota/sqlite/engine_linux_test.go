package sqlite

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/quota"
)

// A -shm file that is cut short under its map is a fault in the middle of the
// engine: an error, and nothing is lost of what was written.
func TestEngineFault(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 10}, nil)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path+"-shm", 0))
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "t", Run: "a", Units: 1})
	require.ErrorIs(t, err, errEngine)
	require.ErrorIs(t, err, quota.ErrPoisoned)
	_, err = s.Status(t.Context())
	require.ErrorIs(t, err, errEngine)
	require.NoError(t, s.Close())
}

// envAddressSpace makes a process of this test open the ledger that it names
// without the address space for it.
const envAddressSpace = "SQLITE_TEST_ADDRESS_SPACE"

// openInLittleSpace limits the address space to little more than what is in use.
func openInLittleSpace(path string) error {
	var pages uint64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		return err
	}
	limit := pages*uint64(os.Getpagesize()) + memory/2
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	s, err := Open(context.Background(), Config{Path: path})
	if err == nil {
		return s.Close()
	}
	return err
}

func TestEngineWithoutAddressSpace(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(envAddressSpace); path != "" {
		fmt.Println(openInLittleSpace(path))
		os.Exit(0)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := Init(t.Context(), Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	cmd := exec.Command(os.Args[0], "-test.run=^TestEngineWithoutAddressSpace$")
	cmd.Env = append(os.Environ(), envAddressSpace+"="+path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "the SQLite engine failed: cannot allocate memory")
	assert.NotContains(t, string(out), "goroutine")
}
