//go:build !windows

package files

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReplaceFollowsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.MkdirAll(in("real/deep"), 0o755))
	require.NoError(t, os.WriteFile(in("real/keys"), []byte("old"), 0o640))
	require.NoError(t, os.Chmod(in("real/keys"), 0o640))
	require.NoError(t, os.Symlink("real/deep", in("folder")))
	require.NoError(t, os.Symlink("../keys", in("real/deep/up")))
	require.NoError(t, os.Symlink("folder/up", in("link")))
	require.NoError(t, Replace(in("link"), []byte("new")))
	for _, name := range []string{"link", "real/deep/up"} {
		info, err := os.Lstat(in(name))
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&fs.ModeSymlink, "%s stays a link", name)
	}
	text, err := os.ReadFile(in("real/keys"))
	require.NoError(t, err)
	assert.Equal(t, "new", string(text))
	info, err := os.Stat(in("real/keys"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())

	require.NoError(t, os.Symlink("real/fresh", in("dangling")))
	require.NoError(t, Replace(in("dangling"), []byte("new")))
	info, err = os.Lstat(in("real/fresh"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())

	require.NoError(t, Remove(in("dangling")))
	assert.NoFileExists(t, in("real/fresh"))
	require.NoError(t, Remove(in("dangling")), "there is nothing any more")
	left, err := filepath.Glob(in("real/.*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWhatIsNoFileStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(in("fifo"), 0o600))
	require.NoError(t, os.Mkdir(in("folder"), 0o755))
	require.NoError(t, os.Symlink("fifo", in("link")))
	require.NoError(t, os.Symlink("b", in("a")))
	require.NoError(t, os.Symlink("a", in("b")))
	socket, err := net.Listen("unix", in("s"))
	require.NoError(t, err)
	defer func() { _ = socket.Close() }()
	for name, want := range map[string]string{
		in("fifo"): "is a FIFO", in("folder"): "is a folder", in("link"): "is a FIFO",
		in("s"): "is a socket", in("a"): "links",
	} {
		before, err := os.Lstat(name)
		require.NoError(t, err)
		assert.ErrorContains(t, Replace(name, []byte("x")), want, name)
		assert.ErrorContains(t, Remove(name), want, name)
		after, err := os.Lstat(name)
		require.NoError(t, err)
		assert.True(t, os.SameFile(before, after), name)
		if name != in("s") {
			_, err = Read(name, Text)
			assert.Error(t, err, name)
		}
		_, err = OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		assert.ErrorContains(t, err, want, name)
		_, err = Stream(name, os.O_CREATE|os.O_TRUNC, 0o600)
		assert.ErrorContains(t, err, want, name)
		assert.ErrorContains(t, Writable(name), want, name)
		assert.ErrorIs(t, New(in("fifo"), nil, 0o600), fs.ErrExist)
	}
	left, err := filepath.Glob(in(".*"))
	require.NoError(t, err)
	assert.Empty(t, left)

	// A device is only looked at: where this test is root's, a fault would cost the
	// machine its device.
	info, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.ErrorContains(t, regular(os.DevNull, info), "/dev/null is a device")
}

// closed closes what was opened.
func closed(f *os.File, err error) error {
	if f != nil {
		return f.Close()
	}
	return err
}

// TestFileThatIsReplacedMeanwhile: between the look and the opening somebody puts
// something else there.
func TestFileThatIsReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	for what, put := range map[string]func() error{
		"a file": func() error { return os.Link(other, name) }, "a link": func() error { return os.Symlink("other", name) },
		"a FIFO": func() error { return syscall.Mkfifo(name, 0o600) }, "nothing": func() error { return nil },
	} {
		require.NoError(t, os.RemoveAll(name))
		require.NoError(t, os.WriteFile(name, []byte("ours"), 0o600))
		require.NoError(t, os.WriteFile(other, []byte("precious"), 0o600))
		p, err := reach(name)
		require.NoError(t, err)
		require.NoError(t, os.Remove(name))
		require.NoError(t, put(), what)
		f, err := p.openSeen(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		p.close()
		require.NoError(t, err, what)
		assert.Nil(t, f, what)
		text, err := os.ReadFile(other)
		require.NoError(t, err)
		assert.Equal(t, "precious", string(text), what)
	}
	require.NoError(t, os.RemoveAll(name))
	f, err := OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err, "it is made anew")
	require.NoError(t, f.Close())
}

// TestFolderThatIsReplacedMeanwhile: a folder that is opened is the one that was seen,
// and what is done in it goes nowhere else.
func TestFolderThatIsReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(in("folder"), 0o700))
	require.NoError(t, os.Mkdir(in("other"), 0o700))
	seen, err := os.Lstat(in("folder"))
	require.NoError(t, err)
	p, err := reach(in("folder/file"))
	require.NoError(t, err)
	defer p.close()
	require.NoError(t, os.Rename(in("folder"), in("moved")))
	require.NoError(t, os.Symlink("other", in("folder")))
	_, same, err := openFolder(in("folder"), seen)
	require.NoError(t, err)
	assert.False(t, same)
	f, err := p.openSeen(in("folder/file"), os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.FileExists(t, in("moved/file"))
	assert.NoFileExists(t, in("other/file"))
}
