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
	hangups := make(chan os.Signal, 1) // who takes them has them ignored in no child, under nohup either
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for _, how := range []string{"ignored", "taken"} {
		cmd := exec.Command(program, "-test.run=^TestAHangupInterrupts$")
		cmd.Env = append(os.Environ(), child+"="+how)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", how, out)
	}
}

// place is one in which a command is started when it was told to end, and ended by what it is
// sent.
type place struct {
	start func()
	sent  chan os.Signal
}

func (p place) Start(string, []string, []string, string) error {
	p.start()
	return nil
}

func (p place) Signal(s os.Signal) error {
	p.sent <- s
	return nil
}

func (p place) Wait() (int, error) {
	select {
	case s := <-p.sent:
		return 128 + int(s.(syscall.Signal)), nil
	case <-time.After(20 * time.Second):
		return 0, nil
	}
}

// TestNoSignalIsLostBeforeACommand: one that comes before a command is there starts none, and
// one that comes as it starts is passed on.
func TestNoSignalIsLostBeforeACommand(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancelCause(t.Context())
	started := false
	c := Command{Ended: ended, Inside: place{func() { started = true; end(&Interrupt{syscall.SIGTERM}) }, make(chan os.Signal, 8)}}
	code, err := c.Run([]string{"true"}, nil)
	require.NoError(t, err)
	assert.True(t, started)
	assert.Equal(t, 143, code)

	started = false
	code, err = c.Run([]string{"true"}, nil)
	var why *Interrupt
	require.ErrorAs(t, err, &why)
	assert.False(t, started)
	assert.Equal(t, 143, code)
}
