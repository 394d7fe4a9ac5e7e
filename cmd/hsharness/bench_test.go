package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkExecTrue is what exec costs a command that does nothing: two
// processes, four listeners, and the bill.
func BenchmarkExecTrue(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command("hsharness", "exec", "--quiet", "--", "true")
		cmd.Dir = b.TempDir()
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
}
