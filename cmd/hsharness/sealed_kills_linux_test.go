package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
)

var sealKills = flag.Int("seal.kills", 10, "how often a sealed run is killed")

// TestKillsLeaveNothingOfASeal: whichever of its processes is ended, at any moment, there
// is no process left, no mount, no file, and the ledger counts no less than was served.
func TestKillsLeaveNothingOfASeal(t *testing.T) {
	t.Parallel()
	const there = "SEAL_KILLS"
	if os.Getenv(there) == "" { // among processes of its own, where each that is left is seen
		place := apart.Place{Unshare: []string{"--pid", "--mount-proc"}}
		if os.Getuid() != 0 {
			place.Unshare = append(place.Unshare, "--user", "--map-current-user", "--keep-caps")
		}
		if !place.Possible(t) {
			return
		}
		cmd := place.Command(t, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-seal.kills="+strconv.Itoa(*sealKills))
		cmd.Env = append(os.Environ(), there+"=1")
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s", out)
		t.Logf("%s", out)
		return
	}
	granted := int64(*sealKills)*2 + 20
	s := newSandbox(t, granted)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	files := listed(t, s.dir)
	hit := map[string]int{}
	for round := range *sealKills {
		cmd := s.command("exec", "--quiet", "--sealed", "--mode", "live", "--max-spend", "2", "--", "sh", "-c", "echo >>started; (setsid sleep 600 &) ; classify 2; classify 1; sleep 1")
		require.NoError(t, cmd.Start())
		if round == 0 { // what is stopped sees no end of whoever it hears
			require.Eventually(t, func() bool { return slices.Contains(listed(t, s.dir), "started") }, 10*time.Second, time.Millisecond)
			_ = syscall.Kill(childOf(cmd.Process.Pid), syscall.SIGSTOP)
		} else {
			<-time.After(time.Duration(random.IntN(250)) * time.Millisecond)
		}
		sent := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[random.IntN(5)]
		who, victim, deep := "hsharness", cmd.Process.Pid, random.IntN(3)
		if round == 0 {
			sent, deep = syscall.SIGKILL, 0
		}
		for _, next := range []string{"shim", "command"}[:deep] {
			if child := childOf(victim); child != 0 {
				who, victim = next, child
			}
		}
		if who == "shim" || random.IntN(3) == 0 {
			_ = syscall.Kill(victim, syscall.SIGSTOP)
			sent = syscall.SIGKILL
		}
		_ = syscall.Kill(victim, sent)
		hit[fmt.Sprint(who, ", ", sent)]++
		_ = cmd.Wait() // it was killed, or ended

		left := running()
		for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
			left = running()
		}
		require.Empty(t, left, "round %d: %s got %s", round, who, sent)
		status := s.status()
		require.GreaterOrEqual(t, status.Spent+status.Held, s.served(), "round %d: %s got %s", round, who, sent)
	}
	t.Log(hit)
	after, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.Equal(t, string(mounts), string(after))
	assert.Subset(t, append(files, ".hsharness", "recordings", "started"), listed(t, s.dir))

	// What the dead still held is free for the next run.
	before := s.status()
	out, err := s.command("exec", "--sealed", "--mode", "live", "--max-spend", fmt.Sprint(before.Granted-before.Spent), "--", "true").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Zero(t, s.status().Held)
	s.verify()
}

// listed are the names in a folder.
func listed(t *testing.T, dir string) (names []string) {
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, one := range all {
		names = append(names, one.Name())
	}
	return names
}

// childOf is a child of a process; 0 is none.
func childOf(pid int) int {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range all {
		text, _ := os.ReadFile(name)
		for _, field := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(field)
			return child
		}
	}
	return 0
}

// running are the processes besides this one.
func running() (all []string) {
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, name := range names {
		text, err := os.ReadFile(name + "/stat")
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if err != nil || filepath.Base(name) == strconv.Itoa(os.Getpid()) || len(fields) == 0 || slices.Contains([]string{"Z", "X"}, fields[0]) {
			continue
		}
		all = append(all, string(text))
	}
	return all
}
