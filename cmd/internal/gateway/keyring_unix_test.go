//go:build unix

package gateway

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

// TestKeyringReadsAgainWhatTheSystemDidNotLetItRead: a busy server has no file left for a
// moment, and the keys are as they were when it has. It is not parallel, for nobody else
// can open a file meanwhile.
func TestKeyringReadsAgainWhatTheSystemDidNotLetItRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), DefaultKeys)
	_, _, err := AddKey(file, "", Key{Name: "shop", Cap: 1})
	require.NoError(t, err)
	ring := NewKeyring(file, "http://127.0.0.1", mockidp.NewMockKeys())

	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	none := before
	none.Cur = 0
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	wrong := ring.Check()
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before))
	require.ErrorIs(t, wrong, syscall.EMFILE)
	assert.True(t, ring.accepts("shop"))

	// What is wrong in the file itself is read once.
	require.NoError(t, os.WriteFile(file, []byte("keys: 1\n"), 0o600))
	require.Error(t, ring.Check())
	assert.NotNil(t, ring.read)
}
