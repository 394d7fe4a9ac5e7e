package quota_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/quota"
)

// TestMain lets the tests start themselves as other processes: one that says who
// it is and lives until its stdin ends, and one that judges whether others are
// gone.
func TestMain(m *testing.M) {
	switch os.Getenv("QUOTA_TEST_DO") {
	case "":
		os.Exit(m.Run())
	case "live":
		if err := json.NewEncoder(os.Stdout).Encode(quota.ThisProcess()); err != nil {
			os.Exit(1)
		}
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
	case "judge":
		for in := json.NewDecoder(os.Stdin); in.More(); {
			var p quota.Process
			if err := in.Decode(&p); err != nil {
				os.Exit(1)
			}
			fmt.Println(p.Gone())
		}
	}
	os.Exit(0)
}

// child is this program as another process.
func child(cmd *exec.Cmd, do string) *exec.Cmd {
	cmd.Env = append(os.Environ(), "QUOTA_TEST_DO="+do)
	cmd.Stderr = os.Stderr
	return cmd
}

// lives starts a process and returns who it is; end ends it.
func lives(t *testing.T, cmd *exec.Cmd) (p quota.Process, end func()) {
	t.Helper()
	cmd = child(cmd, "live")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, json.NewDecoder(out).Decode(&p))
	return p, func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	}
}

// judge asks a process whether others are gone.
func judge(t *testing.T, cmd *exec.Cmd, others ...quota.Process) []string {
	t.Helper()
	text, err := json.Marshal(others[0])
	require.NoError(t, err)
	for _, p := range others[1:] {
		more, err := json.Marshal(p)
		require.NoError(t, err)
		text = append(text, more...)
	}
	cmd = child(cmd, "judge")
	cmd.Stdin = strings.NewReader(string(text))
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// A process is called gone with proof only: wherever the one that asks can't see
// it, or sees another in its place, the lease decides.
func TestGoneOnlyWithProof(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		live, asks apart.Place
		dead       string // what is said of one that is gone; empty is either
	}{
		"of the same place":           {apart.Place{}, apart.Place{}, "true"},
		"of another user":             {apart.Place{}, apart.Place{User: 1001, Group: 1001}, "true"},
		"hidden by hidepid":           {apart.Place{}, apart.Place{Unshare: []string{"--mount"}, First: "mount -t proc -o hidepid=2 proc /proc", User: 1001, Group: 1001}, "true"},
		"asked in another time":       {apart.Place{}, apart.Place{Unshare: []string{"--time", "--boottime", "100000"}}, "true"},
		"living in another time":      {apart.Place{Unshare: []string{"--time", "--boottime", "100000"}}, apart.Place{}, "true"},
		"asked in another PID space":  {apart.Place{}, apart.Place{Unshare: []string{"--pid", "--mount-proc"}}, "false"},
		"living in another PID space": {apart.Place{Unshare: []string{"--pid", "--mount-proc"}}, apart.Place{}, "false"},
		// The kernel may give the new one the name of the one that is gone.
		"two PID spaces":                 {apart.Place{Unshare: []string{"--pid", "--mount-proc"}}, apart.Place{Unshare: []string{"--pid", "--mount-proc"}}, ""},
		"a PID space with another /proc": {apart.Place{Unshare: []string{"--pid"}}, apart.Place{Unshare: []string{"--pid"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !row.live.Possible(t) || !row.asks.Possible(t) {
				return
			}
			program := apart.Program(t)
			dead, end := lives(t, row.live.Command(t, program))
			end()
			live, end := lives(t, row.live.Command(t, program))
			defer end()
			gone := judge(t, row.asks.Command(t, program), live, dead)
			assert.Equal(t, "false", gone[0], "it lives")
			if row.dead != "" {
				assert.Equal(t, row.dead, gone[1], "it is gone")
			}
		})
	}
}

// Where /proc is that of another PID namespace, the process that has the number
// there is not the one that has it here.
func TestGoneBesideAnotherProc(t *testing.T) {
	t.Parallel()
	place := apart.Place{Unshare: []string{"--pid"}}
	if !place.Possible(t) {
		return
	}
	program := apart.Program(t)
	cmd := child(place.Command(t, "sh", "-c", `
		mkfifo "$1/end"
		unshare --mount sh -c 'mount -t proc proc /proc; exec <"$1/end"; exec "$0"' "$0" "$1" >"$1/live" &
		exec 3>"$1/end"
		while ! test -s "$1/live"; do sleep 0.01; done
		QUOTA_TEST_DO=judge "$0" <"$1/live"`, program, t.TempDir()), "live")
	out, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, "false\n", string(out))
}

// What an earlier version wrote names no time namespace, so its start time can't
// be compared.
func TestGoneOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	p := quota.ThisProcess()
	parts := strings.Split(p.Start, "/")
	require.Len(t, parts, 4)
	p.Start = strings.Join([]string{parts[0], parts[1], "1"}, "/")
	assert.False(t, p.Gone(), "there is a process with this number")
	p.PID = 1 << 30
	assert.True(t, p.Gone(), "there is none")
	p.PID = 1<<32 + os.Getpid()
	assert.False(t, p.Gone(), "that is no PID")
}

// A process that was killed and not yet waited for is gone.
func TestGoneBeforeItIsWaitedFor(t *testing.T) {
	t.Parallel()
	cmd := child(exec.Command(os.Args[0]), "live")
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var p quota.Process
	require.NoError(t, json.NewDecoder(out).Decode(&p))
	require.NoError(t, cmd.Process.Kill())
	_, err = bufio.NewReader(out).ReadByte() // its end of the pipe closes with it
	require.Error(t, err)
	assert.Eventually(t, p.Gone, 10*time.Second, time.Millisecond)
	assert.Error(t, cmd.Wait())
}
