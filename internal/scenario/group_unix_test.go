//go:build unix

package scenario_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// TestWhatAnExecStepStartedEndsWithIt: it would ask the guard, and spend, beside the steps
// that follow. What does not end when it is asked to is killed.
func TestWhatAnExecStepStartedEndsWithIt(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]string{"asked": "", "killed": `trap "" INT; `} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := filepath.Join(t.TempDir(), "held")
			require.NoError(t, syscall.Mkfifo(held, 0o600))
			over := make(chan error, 1)
			go func() {
				f, err := os.Open(held)
				if err == nil {
					_, err = io.ReadAll(f) // until nobody has it
				}
				over <- err
			}()
			got := run(t, scenario.Runner{AllowExec: true, Environ: append(os.Environ(), "HELD="+held)},
				"steps:\n  - exec: { command: [sh, -c, '"+deaf+`(exec sleep 60 >"$HELD" 2>&1); true'], timeout: 500ms }`+"\n")
			require.Len(t, got.Failures(), 1)
			assert.Contains(t, got.Failures()[0].Message, "it ran longer than 500ms")
			select {
			case err := <-over:
				require.NoError(t, err)
			case <-time.After(10 * time.Second):
				t.Fatal("what the command started goes on")
			}
		})
	}
}

// TestExecStepIsAskedFirst: all of it by SIGINT, so that what the command started can say what it
// did, too.
func TestExecStepIsAskedFirst(t *testing.T) {
	t.Parallel()
	got := run(t, scenario.Runner{AllowExec: true, Environ: os.Environ()},
		"steps:\n  - exec: { command: [sh, -c, '(trap \"echo was asked $((2-1)) time; exit\" INT; sleep 60 >&- 2>&- & wait); true'], timeout: 1s }\n")
	require.Len(t, got.Failures(), 1)
	assert.Contains(t, got.Failures()[0].Message, "was asked 1 time")
}

// TestExecStepEndsWithItsProgram: however the program ends, by kill -9 as well.
func TestExecStepEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	const of = "EXEC_STEP_OF_TEST"
	if step := os.Getenv(of); step != "" {
		run(t, scenario.Runner{AllowExec: true, Environ: os.Environ()}, "steps:\n  - "+step+"\n")
		return
	}
	for name, limit := range map[string]string{"with a limit": ", timeout: 1m", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := filepath.Join(t.TempDir(), "held")
			require.NoError(t, syscall.Mkfifo(held, 0o600))
			program := exec.Command(os.Args[0], "-test.run=^TestExecStepEndsWithItsProgram$")
			program.Env = append(os.Environ(), "HELD="+held,
				of+`=exec: { command: [sh, -c, 'trap "" INT TERM HUP; (sleep 60; true) >"$HELD" 2>&1; true']`+limit+" }")
			program.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // without a terminal
			require.NoError(t, program.Start())
			over := make(chan error, 1)
			go func() {
				f, err := os.Open(held) // the step runs
				_ = program.Process.Kill()
				if err == nil {
					_, err = io.ReadAll(f) // until nobody has it
				}
				over <- err
			}()
			select {
			case err := <-over:
				require.NoError(t, err)
			case <-time.After(20 * time.Second):
				t.Fatal("what the step started goes on")
			}
			_ = program.Wait() // it was killed
		})
	}
}
