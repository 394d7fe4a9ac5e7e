package files_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/files"
)

// A temporary file has what was written, and leaves nothing behind.
func TestTempLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} {
		t.Setenv(name, dir)
	}
	f, err := files.Temp()
	require.NoError(t, err)
	_, err = f.WriteString("x")
	require.NoError(t, err)
	text := make([]byte, 1)
	_, err = f.ReadAt(text, 0)
	require.NoError(t, err)
	assert.Equal(t, "x", string(text))
	require.NoError(t, f.Close())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}
