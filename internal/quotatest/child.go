package quotatest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// child is a process that obeys.
type child struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a child. It is killed at the end of the test at the latest.
func (p Processes) start(t testing.TB, place string, how How) *child {
	t.Helper()
	return p.startAs(t, func(program string) *exec.Cmd { return exec.Command(program) }, place, how)
}

// Child is a process of a test on a ledger.
type Child struct{ *child }

// Start starts a child by a command of its program. It is killed at the end of the
// test at the latest.
func (p Processes) Start(t testing.TB, command func(program string) *exec.Cmd, place string) Child {
	t.Helper()
	return Child{p.startAs(t, command, place, How{Lease: long})}
}

// Do tells the child one thing and returns its answer, "ok" or an error: begin RUN
// MAX, spend RUN N, settle RUN N OUTCOME, end RUN, post URL. Status is answered by
// "spent N, held N", verify by "problems N".
func (c Child) Do(format string, args ...any) string { return c.do(format, args...) }

// Stops tells the child to do something, and that it stops by SIGSTOP inside of
// its transaction. After SIGCONT, [Child.Answer] has the answer.
func (c Child) Stops(format string, args ...any) {
	c.t.Helper()
	c.must("stop %s", InTransaction)
	c.tell(format, args...)
}

// Answer waits for the answer to what the child was told.
func (c Child) Answer() string { return c.answer() }

// PID is the child's.
func (c Child) PID() int { return c.cmd.Process.Pid }

// Kill ends the child by SIGKILL.
func (c Child) Kill() { c.kill() }

// Signal sends it a signal.
func (c Child) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Finish lets the child close the ledger and come to its end.
func (c Child) Finish() { c.finish() }

// startAs starts a child by a command of its own.
func (p Processes) startAs(t testing.TB, command func(program string) *exec.Cmd, place string, how How) *child {
	t.Helper()
	cmd := command(os.Args[0])
	cmd.Env = append(cmd.Environ(), envPlace+"="+place, envLease+"="+how.Lease.String(), envAhead+"="+how.Ahead.String())
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

// do tells the child one thing and returns its answer.
func (c *child) do(format string, args ...any) string {
	c.t.Helper()
	c.tell(format, args...)
	return c.answer()
}

// must is do, and the answer has to be ok.
func (c *child) must(format string, args ...any) {
	c.t.Helper()
	require.Equal(c.t, "ok", c.do(format, args...), format, args)
}

// kill ends the child by SIGKILL.
func (c *child) kill() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Kill())
	var exit *exec.ExitError
	require.ErrorAs(c.t, c.cmd.Wait(), &exit)
}

// diesInside tells the child to do something and to end at that step of it.
func (c *child) diesInside(step Step, format string, args ...any) {
	c.t.Helper()
	c.must("arm %s", step)
	c.tell(format, args...)
	rest, err := io.ReadAll(c.out)
	require.NoError(c.t, err)
	require.Empty(c.t, string(rest), "the transaction was left alive")
	var exit *exec.ExitError
	require.ErrorAs(c.t, c.cmd.Wait(), &exit)
	require.Equal(c.t, exitInside, exit.ExitCode())
}

// finish lets the child come to its end.
func (c *child) finish() {
	c.t.Helper()
	require.NoError(c.t, c.in.Close())
	require.NoError(c.t, c.cmd.Wait())
}
