package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/gateway"
)

func TestKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "shop.key")
	keys := filepath.Join(dir, "keys.yaml")
	key, _, err := gateway.AddKey(keys, name, gateway.Key{Name: "shop", Suite: "shop", Cap: 3})
	require.NoError(t, err)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, key+"\n", string(text))
	info, err := os.Stat(name)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o600), info.Mode())
	}
	_, _, err = gateway.AddKey(keys, name, gateway.Key{Name: "other", Suite: "other", Cap: 3})
	require.ErrorContains(t, err, "is there already")
	second := filepath.Join(dir, "second.key")
	_, _, err = gateway.AddKey(keys, second, gateway.Key{Name: "shop", Suite: "shop", Cap: 3})
	require.ErrorContains(t, err, "there is a key")
	assert.NoFileExists(t, second, "no key of that file counts")

	assert.False(t, gateway.Tracked(name), "there is no repository")
	out, err := exec.Command("git", "init", "-q", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.True(t, gateway.Tracked(name))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*.key\n"), 0o600))
	assert.False(t, gateway.Tracked(name))
}
