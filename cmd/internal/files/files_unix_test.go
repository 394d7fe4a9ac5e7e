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
			_, err = Read(name)
			assert.Error(t, err, name)
		}
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

// planted is a link of another user.
type planted struct {
	fs.FileInfo
	by uint32
}

func (p planted) Sys() any { return &syscall.Stat_t{Uid: p.by} }

func TestLinkOfAStranger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	us, stranger := uint32(os.Geteuid()), uint32(os.Geteuid()+1)
	for mode, refused := range map[fs.FileMode]bool{0o755: false, 0o777: true, 0o777 | fs.ModeSticky: true, 0o775: true} {
		require.NoError(t, os.Chmod(dir, mode))
		assert.Equal(t, refused, trusted(link, planted{by: stranger}) != nil, mode)
		assert.NoError(t, trusted(link, planted{by: us}), mode)
	}
}
