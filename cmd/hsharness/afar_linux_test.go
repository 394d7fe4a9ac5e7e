package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
)

// The tests of this file have a sandbox that is not on loopback: only there the
// account, the high-water mark and CI are looked at.

// A healthy ledger never went back in time, however many runs begin side by side.
func TestRunsSideBySideAfar(t *testing.T) {
	t.Parallel()
	if !apart.Afar(t, "") {
		return
	}
	const side, times = 16, 3
	s := serveSandbox(t, 1000, apart.Address)
	out, err := s.command("quota", "init", "--granted", "1000").CombinedOutput()
	require.NoError(t, err, "%s", out)
	var all sync.WaitGroup
	for range side {
		all.Go(func() {
			for range times {
				out, err := s.command("exec", "--quiet", "--mode", "live", "--max-spend", "1", "--", "true").CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	all.Wait()
	out, err = s.command("exec", "--mode", "live", "--max-spend", "2", "--", "classify", "2").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.EqualValues(t, 2, s.served())
	assert.EqualValues(t, 2, s.status().Spent)
	out, err = s.command("doctor").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "knows all that was spent from here")
}

// A project that is copied with its ledger, and both run at the same time.
func TestCopiesStartedAtOnceAfar(t *testing.T) {
	t.Parallel()
	if !apart.Afar(t, "") {
		return
	}
	const granted, rounds = 5, 3
	for round := range rounds {
		s := serveSandbox(t, 1000, apart.Address)
		state := s.dir
		out, err := s.command("quota", "init", "--granted", fmt.Sprint(granted)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		other := *s
		other.dir = filepath.Join(t.TempDir(), "copy")
		out, err = exec.Command("cp", "-r", s.dir, other.dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
		var all sync.WaitGroup
		texts := make([]string, 2)
		for i, one := range []*sandbox{s, &other} {
			cmd := one.command("exec", "--mode", "live", "--max-spend", fmt.Sprint(granted), "--", "classify", fmt.Sprint(granted))
			cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
			all.Go(func() {
				out, _ := cmd.CombinedOutput() // one of them, or both, is refused
				texts[i] = string(out)
			})
		}
		all.Wait()
		assert.LessOrEqual(t, s.served(), int64(granted), "round %d: %s", round, texts)
		assert.Contains(t, strings.Join(texts, ""), "went back in time")
	}
}

// Where there is no room for the high-water mark, nothing is sent.
func TestNoRoomForTheHighWaterAfar(t *testing.T) {
	t.Parallel()
	const room = "/mnt"
	if !apart.Afar(t, "mount -t tmpfs -o size=64k none "+room) {
		return
	}
	s := serveSandbox(t, 1000, apart.Address)
	run := func(args ...string) (string, int) {
		cmd := s.command(args...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+room)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return string(out), exit.ExitCode()
		}
		require.NoError(t, err)
		return string(out), 0
	}
	out, code := run("quota", "init", "--granted", "10")
	require.Zero(t, code, out)

	// A page is left, which has room for the begin of the next run, and not for its
	// spend.
	files, err := filepath.Glob(filepath.Join(room, "hsharness", "accounts", "*", "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	text = append(text, strings.Repeat("\n", 4096-70-len(text))...)
	require.NoError(t, os.WriteFile(files[0], text, 0o600))
	filled, _ := exec.Command("dd", "if=/dev/zero", "of="+room+"/full", "bs=1k").CombinedOutput()
	require.Contains(t, string(filled), "No space left")

	for range 2 {
		out, code = run("exec", "--mode", "live", "--max-spend", "1", "--", "classify", "1")
		require.Equal(t, exitLedger, code, out)
		assert.Contains(t, out, "the high-water mark of the ledger can't be used")
		assert.Contains(t, out, "no space left")
	}
	assert.Zero(t, s.served())
	assert.Zero(t, s.status().Spent, "what the first was to spend was given back: nothing was sent")
	assert.Zero(t, s.status().Held)

	require.NoError(t, os.Remove(room+"/full"))
	out, code = run("exec", "--mode", "live", "--max-spend", "1", "--", "classify", "1")
	require.Zero(t, code, out)
	assert.EqualValues(t, 1, s.served())
	assert.EqualValues(t, 1, s.status().Spent)
}
