package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/internal/apart"
)

// TestLinkOfAStranger: another user plants links, and folders with links, where others
// can write, and a file of ours is what they lead to.
func TestLinkOfAStranger(t *testing.T) {
	t.Parallel()
	stranger := apart.Place{User: 41001, Group: 41001}
	if !stranger.Possible(t) {
		return
	}
	dir := apart.Folder(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	by := func(command string) {
		t.Helper()
		out, err := stranger.Command(t, "sh", "-c", "cd "+dir+" && "+command).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
	for name, mode := range map[string]fs.FileMode{"ours": 0o700, "sticky": 0o777 | fs.ModeSticky, "open": 0o777, "theirs": 0o755} {
		require.NoError(t, os.Mkdir(in(name), 0o700))
		require.NoError(t, os.Chmod(in(name), mode))
	}
	require.NoError(t, os.Chown(in("theirs"), stranger.User, stranger.Group))
	require.NoError(t, os.WriteFile(in("ours/file"), []byte("precious"), 0o600))
	for _, at := range []string{"sticky", "open"} {
		by("ln -s " + in("ours/file") + " " + at + "/file") // the last part of a name
		by("ln -s ../ours " + at + "/folder")               // a part before it
		by("mkdir " + at + "/in && ln -s ../../ours/file " + at + "/in/file && ln -s ../../ours " + at + "/in/folder")
		require.NoError(t, os.Symlink("../"+at+"/folder", in("ours/to-"+at))) // ours, that leads to one of theirs
	}
	by("ln -s nothing theirs/link")

	for _, name := range []string{
		"sticky/file", "sticky/folder/file", "sticky/folder/new", "sticky/in/file", "sticky/in/folder/new", "ours/to-sticky/file",
		"open/file", "open/folder/file", "open/folder/new", "open/in/file", "open/in/folder/new", "ours/to-open/file",
	} {
		name := in(name)
		for what, err := range map[string]error{
			"replace": Replace(name, []byte("theirs")),
			"new":     New(name, []byte("theirs"), 0o600),
			"open":    closed(OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)),
			"stream":  closed(Stream(name, os.O_CREATE|os.O_TRUNC, 0o600)),
			"try":     Writable(name),
			"remove":  Remove(name),
			"folder":  Folder(filepath.Join(filepath.Dir(name), "deep"), 0o700),
		} {
			if what == "folder" && filepath.Base(filepath.Dir(name)) != "folder" && filepath.Dir(filepath.Dir(name)) != in("ours") {
				continue // a name that does not go through the link
			}
			var planted *PlantedError
			if assert.ErrorAs(t, err, &planted, "%s %s", what, name) {
				assert.Equal(t, stranger.User, planted.User)
			}
		}
		_, err := Real(name)
		assert.ErrorContains(t, err, "user "+strconv.Itoa(stranger.User)+" put", name)
	}
	text, err := os.ReadFile(in("ours/file"))
	require.NoError(t, err)
	assert.Equal(t, "precious", string(text))
	assert.NoFileExists(t, in("ours/new"))
	assert.NoDirExists(t, in("ours/deep"))

	// A folder is its owner's, who may have links in it, and what is ours is ours.
	require.NoError(t, Replace(in("theirs/link"), []byte("x")))
	assert.FileExists(t, in("theirs/nothing"))
	require.NoError(t, os.Symlink("../ours/file", in("sticky/own")))
	require.NoError(t, Replace(in("sticky/own"), []byte("new")))
	text, err = os.ReadFile(in("ours/file"))
	require.NoError(t, err)
	assert.Equal(t, "new", string(text))
}

// TestDevicesAreNotWritten makes its own: where this test is root's, a fault would cost
// the machine one.
func TestDevicesAreNotWritten(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "null")
	if err := unix.Mknod(name, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
		name = "/dev/full" // of a user who could not replace it
		require.NotZero(t, os.Geteuid(), err)
	}
	before, err := os.Lstat(name)
	require.NoError(t, err)
	for what, err := range map[string]error{
		"replace": Replace(name, []byte("x")), "remove": Remove(name), "try": Writable(name), "put": Link(name, filepath.Join(t.TempDir(), "to")),
		"open": closed(OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)), "stream": closed(Stream(name, os.O_TRUNC, 0o600)),
	} {
		assert.ErrorContains(t, err, "is a device", what)
	}
	_, err = Read(name, Text)
	require.ErrorContains(t, err, "is a device")
	after, err := os.Lstat(name)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after))
}
