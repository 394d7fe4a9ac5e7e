package pgtest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSweepLeavesWhatIsInUse(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	old := time.Now().Add(-time.Hour)
	folder := func(name string, age time.Time) string {
		dir := filepath.Join(parent, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		require.NoError(t, os.Chtimes(dir, age, age))
		return dir
	}
	dead, used, young, other := folder("hspg1", old), folder("hspg2", old), folder("hspg3", time.Now()), folder("other", old)
	lock, err := os.Open(used)
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	sweep(parent)
	assert.NoDirExists(t, dead)
	for _, dir := range []string{used, young, other} {
		assert.DirExists(t, dir)
	}
}
