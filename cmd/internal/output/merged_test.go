package output_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/report"
)

// TestLargeRunsAreNotRead: a file that is no run's is refused by its size, before it is in
// memory.
func TestLargeRunsAreNotRead(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "main.json")
	file, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, file.Truncate(report.MaxBytes+1)) // which takes no room on the disk
	require.NoError(t, file.Close())
	_, err = output.Baseline(name, "", nil)
	require.EqualError(t, err, "--baseline: "+name+" has more than 536870912 bytes, and no more are read of such a file")
	_, err = output.Merged([]string{name})
	assert.EqualError(t, err, name+" has more than 536870912 bytes, and no more are read of such a file")
}
