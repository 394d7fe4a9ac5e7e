package files

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNewWhereAFileHasOneName: some disks of other systems know no second one.
func TestNewWhereAFileHasOneName(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "key")
	for _, text := range []string{"first", "second"} {
		p, err := reach(name)
		require.NoError(t, err)
		temp, err := p.copy(bytes.NewReader([]byte(text)), 0o600)
		require.NoError(t, err)
		err = p.claim(temp, 0o600)
		if text == "first" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, fs.ErrExist)
		}
		require.NoError(t, p.gone(temp))
		p.close()
	}
	is, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "first", string(is))
	names, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, names, 1)
}
