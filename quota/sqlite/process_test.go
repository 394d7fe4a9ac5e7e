//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// childLedger, when set, makes this binary a process that does with that ledger
// what its stdin says, and nothing else.
const childLedger = "QUOTA_TEST_LEDGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(childLedger); path != "" {
		if err := obey(path, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// obey answers each line of commands with a line of its own: "ok" or the error.
func obey(path string, commands io.Reader, answers io.Writer) error {
	lease, err := time.ParseDuration(os.Getenv("QUOTA_TEST_LEASE"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Config{Path: path, Lease: lease})
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(commands); lines.Scan(); {
		var do, run string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &do, &run, &n); err != nil {
			return err
		}
		switch do {
		case "begin":
			_, err = store.Begin(ctx, quota.RunSpec{ID: run, Max: n, Process: quota.ThisProcess()}, nil)
		case "spend":
			_, err = store.Spend(ctx, quota.SpendSpec{ID: fmt.Sprintf("%s/%d", run, n), Run: run, Units: 1})
		case "spends": // until it is refused or killed
			for i := int64(0); err == nil && i < n; i++ {
				if _, err = store.Spend(ctx, quota.SpendSpec{ID: fmt.Sprintf("%s/%d", run, i), Run: run, Units: 1}); err == nil {
					fmt.Fprintln(answers, "spent")
				}
			}
		case "end":
			_, err = store.End(ctx, run, quota.Counters{})
		}
		answer := "ok"
		if err != nil {
			answer, _, _ = strings.Cut(err.Error(), "\n")
		}
		fmt.Fprintln(answers, answer)
		err = nil
	}
	return store.Close()
}

// child is a process that obeys.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(t *testing.T, path string, lease time.Duration) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childLedger+"="+path, "QUOTA_TEST_LEASE="+lease.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{t, cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
		}
	})
	return c
}

func (c *child) tell(format string, args ...any) {
	c.t.Helper()
	_, err := fmt.Fprintf(c.in, format+"\n", args...)
	require.NoError(c.t, err)
}

func (c *child) answer() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(line)
}

func (c *child) do(format string, args ...any) string {
	c.t.Helper()
	c.tell(format, args...)
	return c.answer()
}

func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill())
	var exit *exec.ExitError
	require.ErrorAs(c.t, c.cmd.Wait(), &exit)
}

func (c *child) finish() {
	c.t.Helper()
	require.NoError(c.t, c.in.Close())
	require.NoError(c.t, c.cmd.Wait())
}

// newLedger makes a ledger and opens it; the test ends with its verification.
func newLedger(t *testing.T, granted int64) *sqlite.Store {
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

func path(t *testing.T, s *sqlite.Store) string {
	t.Helper()
	info, err := s.Info(t.Context())
	require.NoError(t, err)
	return info.Path
}

func status(t *testing.T, s *sqlite.Store) quota.Status {
	t.Helper()
	st, err := s.Status(t.Context())
	require.NoError(t, err)
	return st
}

func TestProcessesAreAdmittedAsFit(t *testing.T) {
	s := newLedger(t, 50)
	children := make([]*child, 12)
	for i := range children {
		children[i] = startChild(t, path(t, s), time.Minute)
	}
	for i, c := range children {
		c.tell("begin run%d 7", i)
	}
	admitted := 0
	for _, c := range children {
		if answer := c.answer(); answer == "ok" {
			admitted++
		} else {
			assert.Contains(t, answer, "blocked: 7 requested")
		}
	}
	assert.Equal(t, 7, admitted)
	assert.Equal(t, int64(49), status(t, s).Held)
	for _, c := range children {
		c.finish()
	}
}

func TestKilledProcessGivesBackItsHoldOnly(t *testing.T) {
	s := newLedger(t, 50)
	c := startChild(t, path(t, s), time.Hour)
	require.Equal(t, "ok", c.do("begin dead 40"))
	require.Equal(t, "ok", c.do("spend dead 1"))
	require.Equal(t, "ok", c.do("spend dead 2"))
	c.kill()

	assert.False(t, status(t, s).ActiveRuns[0].Alive)
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "next", Max: 49}, nil)
	require.ErrorIs(t, err, quota.ErrBlocked, "two are spent")
	_, err = s.Begin(t.Context(), quota.RunSpec{ID: "next", Max: 48}, nil)
	require.NoError(t, err, "the hold is back long before its lease ends")
	st := status(t, s)
	assert.Equal(t, []int64{2, 2, 48}, []int64{st.Spent, st.Unknown, st.Held})
}

// What a killed process was told is spent is spent, wherever the kill struck.
func TestKilledInTheMiddle(t *testing.T) {
	s := newLedger(t, 100_000)
	told := int64(0)
	for round := range 8 {
		c := startChild(t, path(t, s), time.Hour)
		require.Equal(t, "ok", c.do("begin run%d 10000", round))
		c.tell("spends run%d 10000", round)
		for range 5 + 7*round {
			require.Equal(t, "spent", c.answer())
			told++
		}
		require.NoError(t, c.cmd.Process.Kill())
		rest, err := io.ReadAll(c.out)
		require.NoError(t, err)
		told += int64(strings.Count(string(rest), "spent\n"))
		require.Error(t, c.cmd.Wait())
		_, err = s.Begin(t.Context(), quota.RunSpec{ID: fmt.Sprintf("sweep%d", round)}, nil)
		require.NoError(t, err)
		st := status(t, s)
		assert.Zero(t, st.Held)
		assert.GreaterOrEqual(t, st.Spent, told)
		assert.LessOrEqual(t, st.Spent, told+int64(round)+1, "at most one a kill was written down and not told")
	}
}

func TestPausedProcessWakesUpRefused(t *testing.T) {
	s := newLedger(t, 50)
	const lease = 200 * time.Millisecond
	c := startChild(t, path(t, s), lease)
	require.Equal(t, "ok", c.do("begin paused 40"))
	require.Equal(t, "ok", c.do("spend paused 1"))
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	require.Eventually(t, func() bool { return !status(t, s).ActiveRuns[0].Alive }, 10*time.Second, lease/4)
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "next", Max: 49}, nil)
	require.NoError(t, err)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
	assert.Contains(t, c.do("spend paused 2"), "run paused expired")
	c.finish()
	st := status(t, s)
	assert.Equal(t, []int64{1, 49}, []int64{st.Spent, st.Held})
}

// A process that is stopped inside the gate keeps all others waiting, so their
// contexts must not wait with them.
func TestStoppedWriterKeepsNobodyBeyondItsContext(t *testing.T) {
	s := newLedger(t, 50)
	_, err := s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
	require.NoError(t, err)
	gate, err := os.Open(path(t, s) + ".lock")
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
			require.NoError(t, replace(path(t, s)))
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "s", Run: "a", Units: 1})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			assert.True(t, errors.Is(err, quota.ErrNoLedger) || errors.Is(err, quota.ErrWentBack), err)
			assert.NoError(t, s.Close())
		})
	}
}
