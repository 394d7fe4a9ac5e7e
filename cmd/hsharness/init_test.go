package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStarterTestPasses runs the Go test that init writes, in a module of its own
// that takes hsharness from this folder.
func TestStarterTestPasses(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	// The same versions as ours, so that nothing has to be fetched.
	text := "module example.com/shop\n\nrequire github.com/hsharness/hsharness v0.0.0\n\nreplace github.com/hsharness/hsharness => " + root + "\n" +
		string(mod[len("module github.com/hsharness/hsharness\n"):])
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	done, err := writeStarter(dir)
	require.NoError(t, err)
	require.Contains(t, done.Written, "hsharness/starter_test.go")

	cmd := exec.Command("go", "test", "-count=1", "-mod=mod", "./hsharness")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "ok")
}
