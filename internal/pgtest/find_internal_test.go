package pgtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstalled(t *testing.T) {
	root := t.TempDir()
	programs := func(dir string, names ...string) string {
		dir = filepath.Join(root, dir)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for _, name := range names {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o755))
		}
		return dir
	}
	pattern := filepath.Join(root, "lib", "*", "bin")
	assert.Empty(t, installed("", pattern))

	nine := programs("lib/9/bin", "initdb", "postgres")
	assert.Equal(t, nine, installed("", pattern))
	fifteen := programs("lib/15/bin", "initdb", "postgres")
	programs("lib/16/bin", "postgres") // the server without initdb
	programs("lib/beta/bin", "initdb", "postgres")
	assert.Equal(t, fifteen, installed("", pattern), "the newest that is complete")

	half := programs("half", "initdb")
	whole := programs("whole", "initdb", "postgres")
	path := half + string(filepath.ListSeparator) + whole
	assert.Equal(t, whole, installed(path, pattern), "PATH comes first")
}
