package scenario

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// killAfter is how long a command may take to end after it was told to.
const killAfter = 5 * time.Second

// ErrExecForbidden refuses an exec step where nobody has allowed them.
var ErrExecForbidden = errors.New("exec steps run commands of this machine, which nobody has allowed")

// exec runs a command with the services' URLs and credentials in its
// environment. What it prints is shown when it fails.
func (run *caseRun) exec(ctx context.Context, step *Step) error {
	if !run.runner.AllowExec {
		return ErrExecForbidden
	}
	words, left := make([]string, len(step.Exec.Command)), room(maxRendered)
	for i, t := range step.Exec.Command {
		var err error
		if words[i], err = t.Render(run.env); err == nil {
			err = left.take(len(words[i]))
		}
		if err != nil {
			return fmt.Errorf("the command: %w", err)
		}
	}
	if step.Exec.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(step.Exec.Timeout), fmt.Errorf("it ran longer than %s", time.Duration(step.Exec.Timeout)))
		defer cancel()
	}
	environ, err := run.services.Environ(step.Environment)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(slices.Clone(run.runner.Environ), run.runner.Own.With(environ)...)
	// What it started ends with it, as the tests that go test runs: they would spend beside the
	// next step. One without a limit of time may read from a terminal, which no group of its own
	// could.
	all := grouped(cmd, step.Exec.Timeout > 0)
	cmd.Cancel = all.ask
	cmd.WaitDelay = killAfter
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out // one pipe
	err = all.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cutOff(strings.Join(words, " "), maxShown), err, out.text(run.mask))
	}
	return nil
}
