//go:build !windows

package files_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/files"
)

// several does something so often at once, and often.
func several(t *testing.T, do func() error) {
	t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				if err := do(); !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	all.Wait()
}

// TestSeveralTryOneName: each may write it, whoever removes what it tried with meanwhile.
func TestSeveralTryOneName(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.json")
	several(t, func() error { return files.Writable(name) })
	assert.NoFileExists(t, name)
}

// TestSeveralRemoveOneName: what another has removed is not there, which is all right.
func TestSeveralRemoveOneName(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "ready.json")
	several(t, func() error {
		if f, err := files.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600); err == nil {
			_ = f.Close() // it has nothing
		}
		return files.Remove(name)
	})
}

// TestABoundHasNoWayAround: a copy asks a reader for a way of its own first.
func TestABoundHasNoWayAround(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(name, []byte("ten bytes."), 0o600))
	f, err := files.Open(name, 10)
	require.NoError(t, err)
	grown, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = grown.WriteString("and one more")
	require.NoError(t, err)
	require.NoError(t, grown.Close())
	_, err = io.Copy(io.Discard, f)
	assert.ErrorContains(t, err, "has more than 10 bytes")
	assert.NoError(t, f.Close())
}

// TestSeveralLinkOneName: whose file it is in the end is all the same, and nothing is beside it.
func TestSeveralLinkOneName(t *testing.T) {
	t.Parallel()
	dir, from := t.TempDir(), t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), []byte("bought"), 0o600))
	}
	to := filepath.Join(dir, "c")
	require.NoError(t, files.Link(filepath.Join(from, "a"), to))
	several(t, func() error {
		if _, err := os.Stat(to); err != nil {
			return err
		}
		return errors.Join(files.Link(filepath.Join(from, "a"), to), files.Link(filepath.Join(from, "b"), to))
	})
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, names, 1)
}

// TestNewIsThereAtOnce: whoever is killed, or looks meanwhile, finds no half of it.
func TestNewIsThereAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, whole := filepath.Join(dir, "hsharness.yaml"), make([]byte, 32<<20)
	made := make(chan error, 1)
	go func() { made <- files.New(name, whole, 0o640) }()
	for looking := true; looking; {
		select {
		case err := <-made:
			require.NoError(t, err)
			looking = false
		default:
		}
		if info, err := os.Stat(name); err == nil {
			require.Len(t, whole, int(info.Size()))
		}
	}
	require.ErrorIs(t, files.New(name, []byte("another"), 0o640), fs.ErrExist)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, names, 1)
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.Len(t, whole, int(info.Size()))
	assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())
}
