//go:build unix

package process

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAHangupBehindACommandEndsNoProgram: one for the whole group, which comes to this program
// when the command has ended by it.
func TestAHangupBehindACommandEndsNoProgram(t *testing.T) {
	t.Parallel()
	const child = "HSHARNESS_TEST_HANGUP"
	if os.Getenv(child) != "" {
		code, err := Command{}.Run([]string{"true"}, nil)
		require.NoError(t, err)
		assert.Zero(t, code)
		arrived := make(chan os.Signal, 1)
		signal.Notify(arrived, syscall.SIGUSR1)
		for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
			require.NoError(t, syscall.Kill(os.Getpid(), s))
			require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGUSR1)) // the system gives it out after the other one
			<-arrived
		}
		return
	}
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, "-test.run=^TestAHangupBehindACommandEndsNoProgram$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestAHangupInterrupts: who closes a terminal ends a run as Ctrl-C does; who has hangups
// ignored, as nohup does, does not.
func TestAHangupInterrupts(t *testing.T) {
	t.Parallel()
	const child = "HSHARNESS_TEST_HUNG_UP"
	if how := os.Getenv(child); how != "" {
		if how == "ignored" {
			signal.Ignore(syscall.SIGHUP)
		}
		ctx, stop := Interruptible(t.Context())
		defer stop()
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		if how == "ignored" {
			select {
			case <-ctx.Done():
				require.Fail(t, "it was ignored")
			case <-time.After(100 * time.Millisecond):
			}
			return
		}
		<-ctx.Done()
		var why *Interrupt
		require.ErrorAs(t, context.Cause(ctx), &why)
		assert.Equal(t, 129, why.Code())
		return
	}
	program, err := os.Executable()
	require.NoError(t, err)
	for _, how := range []string{"ignored", "taken"} {
		cmd := exec.Command(program, "-test.run=^TestAHangupInterrupts$")
		cmd.Env = append(os.Environ(), child+"="+how)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", how, out)
	}
}
