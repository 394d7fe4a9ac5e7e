//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRevokeThroughALink: the file that a link leads to is changed, and a gateway
// that reads it by its own name knows.
func TestRevokeThroughALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "keys.yaml"), filepath.Join(dir, "link.yaml")
	require.NoError(t, os.Symlink("keys.yaml", link))
	keys := func(name string, args ...string) string {
		code, stdout, stderr := execute(t, nil, append([]string{"gateway", "keys", "--keys", name}, args...)...)
		require.Zero(t, code, stderr)
		return stdout + stderr
	}
	keys(link, "add", "shop", "--cap", "5")
	assert.Regexp(t, `shop .* -\n$`, keys(file, "ls"))
	assert.Contains(t, keys(link, "revoke", "shop"), "is revoked")
	assert.NotRegexp(t, `shop .* -\n$`, keys(file, "ls"))
	to, err := os.Readlink(link)
	require.NoError(t, err)
	assert.Equal(t, "keys.yaml", to)

	code, _, stderr := execute(t, nil, "serve", "--ready-file", dir)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "is a folder")
}
