//go:build !windows

package files_test

import (
	"io"
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
