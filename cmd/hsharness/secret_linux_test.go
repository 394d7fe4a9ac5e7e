package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// started is a command of hsharness whose child has started and waits for its
// standard input to end.
func (s *sandbox) started(program string, args ...string) (cmd *exec.Cmd, end func() []byte) {
	s.t.Helper()
	cmd = s.command(append(args, "--", "sh", "-c", "echo started; cat; cat /proc/$PPID/environ; true")...)
	cmd.Path = program
	for name, value := range spelledVariables(awkward) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	in, err := cmd.StdinPipe()
	require.NoError(s.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	require.NoError(s.t, err)
	require.Equal(s.t, "started\n", line)
	return cmd, func() []byte {
		require.NoError(s.t, in.Close())
		rest, err := io.ReadAll(lines)
		require.NoError(s.t, err)
		_ = cmd.Wait() // some are killed
		return rest
	}
}

// TestTheGuardsEnvironmentHasNoSecret: what the system shows of a running
// guard, also to the administrator, who may read everything else of it.
func TestTheGuardsEnvironmentHasNoSecret(t *testing.T) {
	t.Parallel()
	s := newSandboxWith(t, 10, awkward)
	find := finderOf(t, awkward)
	// As it is built for use: the race detector keeps a copy of the environment.
	program := filepath.Join(t.TempDir(), "hsharness")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, args := range map[string][]string{
		"offline": {"exec"}, "replay": {"exec", "--mode", "replay"}, "live": {"exec", "--mode", "live", "--max-spend", "1"},
	} {
		cmd, end := s.started(program, args...)
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
		if err != nil {
			assert.ErrorIs(t, err, os.ErrPermission, name)
		} else {
			assert.Contains(t, string(environ), "CI=", name)
		}
		assert.Empty(t, find.Names(environ), name)
		if name != "live" {
			assert.Zero(t, inMemory(t, cmd.Process.Pid, awkward), "%s: what does not buy has the secret nowhere", name)
		}
		assert.Empty(t, find.Names(end()), "%s: read by the command", name)
	}
}

// inMemory counts how often a text is in a process's memory; 0 where that can't
// be read, which is what hides it from everybody but the administrator.
func inMemory(t *testing.T, pid int, text string) int {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		require.ErrorIs(t, err, os.ErrPermission)
		return 0
	}
	defer func() { _ = memory.Close() }()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	require.NoError(t, err)
	found, read := 0, 0
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		_, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode)
		require.NoError(t, err)
		if !strings.HasPrefix(mode, "rw") || to-from > 1<<28 || from > 1<<62 {
			continue
		}
		part := make([]byte, to-from)
		n, _ := memory.ReadAt(part, int64(from)) // parts of it may not be there
		read += n
		found += bytes.Count(part[:n], []byte(text))
	}
	require.Greater(t, read, 1<<16, "the memory was not read")
	return found
}

// TestACrashLeavesNoCore: neither of a guard in any mode nor of a server, also
// where the runtime is told to leave one.
func TestACrashLeavesNoCore(t *testing.T) {
	t.Parallel()
	s := newSandboxWith(t, 10, awkward)
	dumps := func(script string) bool {
		cmd := exec.Command("sh", "-c", "ulimit -c unlimited; "+script)
		cmd.Dir = s.dir
		cmd.Env = append(s.command().Env, "GOTRACEBACK=crash")
		out, err := cmd.CombinedOutput()
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		assert.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGABRT, "%s: %v\n%s", script, err, out)
		return status.CoreDump()
	}
	if !dumps("kill -ABRT $$") {
		t.Log("NOT CHECKED: this machine dumps no cores")
		assert.Empty(t, os.Getenv("CI"), "CI has to dump cores: ulimit -c")
		return
	}
	kill := ` -- sh -c 'kill -ABRT $PPID'`
	var all sync.WaitGroup // each takes ten seconds: so long the runtime waits for its threads
	for _, script := range []string{
		"exec hsharness exec" + kill, "exec hsharness exec --mode replay" + kill, "exec hsharness exec --mode live --max-spend 1" + kill,
		"exec hsharness recordings prune --unused" + kill,
	} {
		all.Go(func() { assert.False(t, dumps(script), script) })
	}
	all.Wait()
}

// TestArgumentsHaveNoSecret: what every process can read of a running server.
func TestArgumentsHaveNoSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command("hsharness", "serve", "--client", "my-id:"+awkward+":"+"hs-code-classification", "--client=other:"+awkward,
		"--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n') // it is ready
	require.NoError(t, err)
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	assert.Empty(t, finderOf(t, awkward).Names(arguments), "%q", arguments)
	assert.Contains(t, string(arguments), "my-id:***")
	assert.Contains(t, line, `"client_id":"my-id"`, "the service knows it all the same")
}
