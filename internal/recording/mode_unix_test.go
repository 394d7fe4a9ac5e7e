//go:build unix

package recording_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// ownersAlone asserts that nobody but its owner may read a file.
func ownersAlone(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestFolderForTemporaryFiles: where the project can't be written at all, copies go
// there, where other users may plant some.
func TestFolderForTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // so this test runs alone
	s, root := open(t, recording.Config{})
	require.NoError(t, os.WriteFile(filepath.Join(root, ".hsharness"), nil, 0o644))
	k := s.Key(classify(`{}`))
	var failed *recording.WriteError
	require.ErrorAs(t, s.Put(t.Context(), k, answer(`"paid"`)), &failed)
	require.NoError(t, failed.CopyErr)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, failed.Copy, rec.File)
	assert.Equal(t, recording.Emergency, s.Place(rec))
	_, err = reopen(t, filepath.Join(root, "other"), recording.Config{}).Get(k)
	require.ErrorIs(t, err, recording.ErrMiss, "another project has its own")

	ours := filepath.Join(os.Getenv("TMPDIR"), fmt.Sprintf("hsharness-%d", os.Getuid()))
	for name, spoil := range map[string]func() error{
		"others may write": func() error { return os.Chmod(ours, 0o777) },
		"a link": func() error {
			if err := os.Rename(ours, ours+"-theirs"); err != nil {
				return err
			}
			return os.Symlink(ours+"-theirs", ours)
		},
	} {
		require.NoError(t, spoil(), name)
		_, err = s.Get(k)
		require.Error(t, err, name)
		require.ErrorAs(t, s.Put(t.Context(), k, answer(`"paid"`)), &failed)
		require.ErrorContains(t, failed.CopyErr, "is not this user's own", name)
	}
}
