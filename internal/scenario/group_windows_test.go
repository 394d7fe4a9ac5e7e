package scenario

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhatAnExecStepStartedIsAJob: a step's command ends with all that it started, when it is told
// to end, and when the program ends whose step it is.
func TestWhatAnExecStepStartedIsAJob(t *testing.T) {
	const part = "PART_OF_TEST"
	again := func(ctx context.Context, as string, out *os.File) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWhatAnExecStepStartedIsAJob$")
		cmd.Env, cmd.Stdout = append(os.Environ(), part+"="+as), out
		return cmd
	}
	switch os.Getenv(part) {
	case "program":
		_ = grouped(again(t.Context(), "command", os.Stdout), false).run(t.Context())
		return
	case "command":
		_ = again(t.Context(), "started", os.Stdout).Run()
		return
	case "started":
		_, _ = os.Stdout.WriteString("started")
		<-time.After(time.Minute)
		return
	}
	for _, as := range []string{"command", "program"} {
		t.Run(as, func(t *testing.T) {
			out, in, err := os.Pipe()
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := again(ctx, as, in)
			run := cmd.Run
			if as == "command" {
				all := grouped(cmd, false)
				cmd.Cancel = all.ask
				run = func() error { return all.run(ctx) }
			}
			over := make(chan error, 2)
			go func() {
				over <- run()
				over <- in.Close()
			}()
			_, err = out.Read(make([]byte, 1))
			require.NoError(t, err)
			cancel()
			require.Error(t, <-over)
			require.NoError(t, <-over)
			go func() {
				_, err := io.ReadAll(out) // until nobody has it
				over <- err
			}()
			select {
			case err := <-over:
				assert.NoError(t, err)
			case <-time.After(20 * time.Second):
				assert.Fail(t, "what it started goes on")
			}
		})
	}
}
