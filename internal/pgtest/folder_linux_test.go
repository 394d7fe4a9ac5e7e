package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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

// BenchmarkFolder tells the folder of the server that benchmarks have.
func BenchmarkFolder(b *testing.B) {
	conn, err := pgx.Connect(b.Context(), Database(b))
	require.NoError(b, err)
	defer func() { _ = conn.Close(b.Context()) }()
	var dir string
	for b.Loop() {
		require.NoError(b, conn.QueryRow(b.Context(), "SELECT current_setting('data_directory')").Scan(&dir))
	}
	fmt.Println("folder", dir)
}

// In memory a flush costs nothing, and what benchmarks compare is flushes.
func TestBenchmarksHaveADisk(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkFolder$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), setting+"=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "folder "+filepath.Join(os.TempDir(), "hspg"))
}
