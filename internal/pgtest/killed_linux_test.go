package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
)

// hang is set in a process that shall tell its server's PID and then wait to be
// killed.
const hang = "HSHARNESS_PGTEST_HANG"

func TestServerDiesWithTheProcess(t *testing.T) {
	if os.Getenv(hang) != "" {
		var path string
		require.NoError(t, connect(t, pgtest.Database(t)).QueryRow(t.Context(), "SELECT current_setting('data_directory')").Scan(&path))
		pid, err := os.ReadFile(path + "/postmaster.pid")
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(pid), "\n")
		fmt.Println("server", first, path)
		select {}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestServerDiesWithTheProcess$")
	c.Env = append(os.Environ(), hang+"=1", "HSHARNESS_TEST_POSTGRES=")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	words := strings.Fields(line)
	require.Len(t, words, 3, line)
	pid, err := strconv.Atoi(words[1])
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(strings.TrimSuffix(words[2], "/data")) })
	require.NoError(t, syscall.Kill(pid, 0), "the server runs")

	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, 20*time.Second, 20*time.Millisecond,
		"the server must end with the process that started it")
}
