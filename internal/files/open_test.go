package files_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// TestLinkAgain leaves a second name of the same file as it is: Windows would keep a
// name that is removed while the file is open by the other one.
func TestLinkAgain(t *testing.T) {
	t.Parallel()
	from, dir := filepath.Join(t.TempDir(), "a"), t.TempDir()
	to := filepath.Join(dir, "b")
	require.NoError(t, os.WriteFile(from, []byte("bought"), 0o600))
	require.NoError(t, files.Link(from, to))
	long := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(dir, long, long))
	require.NoError(t, files.Link(from, to))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.WithinDuration(t, long, info.ModTime(), time.Minute, "nothing in the folder was made anew")

	require.NoError(t, os.Remove(from))
	require.NoError(t, os.WriteFile(from, []byte("bought later"), 0o600))
	require.NoError(t, files.Link(from, to))
	text, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "bought later", string(text))
}
