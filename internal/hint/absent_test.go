package hint_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/hint"
)

// Who named a file that is not there reads that, and no name of a system's call.
func TestFilesThatAreMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, below := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "gone", "a.yaml")
	_, opened := os.Open(file)
	_, looked := os.Stat(file)
	_, made := os.Create(below)
	for _, tc := range []struct {
		err  error
		want string
	}{
		{opened, "there is no file or folder " + file},
		{looked, "there is no file or folder " + file},
		{made, "there is no folder " + filepath.Dir(below)},
		{fmt.Errorf("policy.hook: %w", opened), "policy.hook: there is no file or folder " + file},
		{errors.New("open x: denied"), "open x: denied"},
		{&fs.PathError{Op: "fork/exec", Path: "./x", Err: fs.ErrNotExist}, "fork/exec ./x: file does not exist"},
		{&fs.PathError{Op: "open", Path: file, Err: fs.ErrPermission}, "open " + file + ": permission denied"},
	} {
		require.Error(t, tc.err)
		assert.Equal(t, tc.want, hint.Text(tc.err))
	}
	if runtime.GOOS != "windows" { // where not everybody may make links
		link := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink("nowhere", link))
		_, err := os.Open(link)
		assert.Equal(t, link+" is a link, and what it leads to is not there", hint.Text(err))
	}
}
