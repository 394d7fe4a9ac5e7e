package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogOnAFullDisk: a log of which lines are lost says so once, and the run goes on: its
// count is the ledger's.
func TestLogOnAFullDisk(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	code, out := r.types("hsharness quota init --granted 10")
	require.Zero(t, code, out)
	log := filepath.Join(r.dir, "log")
	// The shell's limit of a file's size is a full disk to whoever writes, and the signal
	// that comes with it is ignored by Go.
	require.NoError(t, exec.Command("truncate", "-s", "1024", log).Run())
	code, out = r.types("ulimit -f 1; HSHARNESS_LOG=" + log + " hsharness exec --mode replay -- classify 3")
	assert.Equal(t, exitMissing, code, out)
	assert.Equal(t, 1, strings.Count(out, "hsharness: HSHARNESS_LOG: lines are missing from "), out)
	assert.Contains(t, out, "missed 3")
}
