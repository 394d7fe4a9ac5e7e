package files

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadTakesWhatTheFileHas: no more memory than the file is long.
func TestReadTakesWhatTheFileHas(t *testing.T) {
	// No other test allocates meanwhile.
	name := filepath.Join(t.TempDir(), "file")
	for _, length := range []int{0, 1, 32 << 20} {
		want := bytes.Repeat([]byte("x"), length)
		require.NoError(t, os.WriteFile(name, want, 0o600))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		text, err := Read(name, Text)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, text))
		assert.NotNil(t, text)
		assert.Less(t, int(after.TotalAlloc-before.TotalAlloc), length+length/8+1<<16)
	}
	_, err := Read(name, 32<<20-1)
	require.ErrorContains(t, err, "more than 33554431 bytes")
}
