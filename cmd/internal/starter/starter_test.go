package starter_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/starter"
	"github.com/hsharness/hsharness/internal/project"
)

// TestStarterTestPasses runs the Go test that init writes, in a module of its own
// that takes hsharness from this folder.
func TestStarterTestPasses(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../..")
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
	done, err := starter.Write(dir)
	require.NoError(t, err)
	require.Contains(t, done.Written, "hsharness/starter_test.go")

	cmd := exec.Command("go", "test", "-count=1", "-mod=mod", "./hsharness")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "ok")
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte("version: 1\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("/bin"), 0o600))
	done, err := starter.Write(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"hsharness.yaml"}, done.Kept)
	for name, want := range map[string]string{"hsharness.yaml": "version: 1\n", ".gitignore": "/bin\n.hsharness/\n"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(text), name)
	}
	assert.NoDirExists(t, filepath.Join(dir, "hsharness"), "there is no go.mod")

	again, err := starter.Write(dir)
	require.NoError(t, err)
	assert.Empty(t, again.Written)
	assert.Equal(t, len(done.Written)+len(done.Kept), len(again.Kept))
}

// TestStarterProjectFile: the one that is written is one that is read.
func TestStarterProjectFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := starter.Write(dir)
	require.NoError(t, err)
	_, err = project.Read(filepath.Join(dir, project.Name), false, func(string) string { return "" })
	assert.NoError(t, err)
}
