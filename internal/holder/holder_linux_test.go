package holder

import (
	"encoding/json"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of a process that was stopped it is said how it goes on.
func TestWhoIsStopped(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	})
	f := lockFile(t)
	s := mine()
	s.PID = cmd.Process.Pid
	text, err := json.Marshal(s)
	require.NoError(t, err)
	_, err = f.Write(text)
	require.NoError(t, err)
	assert.NotContains(t, Who(f, 0, ""), "stopped")
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	assert.Eventually(t, func() bool { return stopped(s.PID) }, 10*time.Second, time.Millisecond)
	assert.Contains(t, Who(f, 0, ""), ", which is stopped (kill -CONT ")

	alive := s.PID
	s.PID = 1 << 30
	text, err = json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(0))
	_, err = f.WriteAt(text, 0)
	require.NoError(t, err)
	assert.Equal(t, another, Who(f, 0, ""), "it is gone, so somebody else has the lock")

	s.Space, s.PID = "pid:[1]", alive
	text, err = json.Marshal(s)
	require.NoError(t, err)
	_, err = f.WriteAt(text, 0)
	require.NoError(t, err)
	assert.NotContains(t, Who(f, 0, ""), "stopped", "that number is of another PID namespace")
}
