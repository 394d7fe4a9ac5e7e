//go:build unix

package scenario_test

import (
	"io"
	"os"
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
