package files_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/files"
)

// Who reads a file keeps nobody from replacing it, and reads what it was.
func TestReplaceWhileSomebodyReads(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "recording.json")
	require.NoError(t, files.Replace(name, []byte("old")))
	reader, err := files.Open(name, files.Text)
	require.NoError(t, err)
	require.NoError(t, files.Replace(name, []byte("new")))
	now, err := files.Read(name, files.Text)
	require.NoError(t, err)
	assert.Equal(t, "new", string(now))
	then, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, "old", string(then))
	require.NoError(t, reader.Close())
}

// A file that stays open, as a lock does, goes with its folder.
func TestRemoveFolderOfOpenFile(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	f, err := files.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(folder))
	assert.NoDirExists(t, folder)
	require.NoError(t, f.Close())
}

// Who writes a file anew and who reads it all the time are not in each other's way.
func TestReplaceAmongReaders(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "recording.json")
	require.NoError(t, files.Replace(name, []byte("0")))
	written := make(chan error, 1)
	go func() {
		for i := range 20 {
			if err := files.Replace(name, fmt.Append(nil, i)); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for {
		text, err := files.Read(name, files.Text)
		require.NoError(t, err)
		require.NotEmpty(t, text)
		select {
		case err := <-written:
			require.NoError(t, err)
			return
		default:
		}
	}
}
