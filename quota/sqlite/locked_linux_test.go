package sqlite_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// envLocked names an index that a process keeps locked, as a program does that
// knows no gate.
const envLocked = "SQLITE_TEST_LOCKED"

// keepLocked returns at once in the process of the test.
func keepLocked() {
	name := os.Getenv(envLocked)
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err == nil {
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Start: 120, Len: 1})
	}
	fmt.Println(err)
	_, _ = io.ReadAll(os.Stdin) // until the test ends it
	os.Exit(0)
}

// A program that keeps SQLite's own lock is named too, and is no reason to poison.
func TestLockedByAnotherProgram(t *testing.T) {
	t.Parallel()
	path := ledgerOf(t, 10)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Wait: 50 * time.Millisecond})
	require.NoError(t, err)
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 4}, nil)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envLocked+"="+path+"-shm")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said string
	_, err = fmt.Fscan(out, &said)
	require.NoError(t, err)
	require.Equal(t, "<nil>", said)

	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.ErrorIs(t, err, quota.ErrBusy)
	assert.ErrorContains(t, err, fmt.Sprintf("process %d (sqlite.test) has locked it", cmd.Process.Pid))
	assert.NotErrorIs(t, err, quota.ErrPoisoned)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
