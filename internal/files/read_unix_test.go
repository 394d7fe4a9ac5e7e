//go:build !windows

package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestReadWaitsForNobody: what is no file is refused, and what is too long is not read
// into memory.
func TestReadWaitsForNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(in("file"), []byte("12345"), 0o600))
	require.NoError(t, os.Symlink("file", in("link")))
	require.NoError(t, syscall.Mkfifo(in("fifo"), 0o600))
	require.NoError(t, os.Symlink("/dev/zero", in("zero")))
	for _, name := range []string{"file", "link"} {
		text, err := Read(in(name), 5)
		require.NoError(t, err)
		assert.Equal(t, "12345", string(text))
		_, err = Read(in(name), 4)
		assert.ErrorContains(t, err, "has more than 4 bytes")
	}
	var kind *KindError
	for name, want := range map[string]string{"fifo": "FIFO", "zero": "device", ".": "folder"} {
		_, err := Read(in(name), Text)
		require.ErrorAs(t, err, &kind, name)
		assert.Equal(t, want, kind.Kind)
		assert.Equal(t, in(name), kind.Name)
	}
	_, err := Read(in("none"), Text)
	require.ErrorIs(t, err, fs.ErrNotExist)

	all := FS(dir)
	text, err := fs.ReadFile(all, "file")
	require.NoError(t, err)
	assert.Equal(t, "12345", string(text))
	names, err := fs.Glob(all, "*")
	require.NoError(t, err)
	assert.Equal(t, []string{"fifo", "file", "link", "zero"}, names)
	below, err := fs.Glob(all, "*/*")
	require.NoError(t, err, "a FIFO is no folder, and is not waited for")
	assert.Empty(t, below)
	for _, name := range []string{"fifo", "zero"} {
		_, err = fs.ReadFile(all, name)
		require.ErrorAs(t, err, &kind, name)
	}
	_, err = all.Open("../" + filepath.Base(dir) + "/file")
	require.ErrorIs(t, err, fs.ErrInvalid)
}

// TestReadOfWhatGrows: the bound holds for what was short when it was opened.
func TestReadOfWhatGrows(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	f, err := Open(name, 4)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	require.NoError(t, os.WriteFile(name, []byte("12345"), 0o600))
	_, err = io.ReadAll(f)
	assert.ErrorContains(t, err, "has more than 4 bytes")
}

// TestOwnDescriptors: those that this program was given are streams; its own are not
// found by their numbers.
func TestOwnDescriptors(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _, _ = r.Close(), w.Close() }()
	names := func(f *os.File) []string {
		return []string{fmt.Sprintf("/dev/fd/%d", f.Fd()), fmt.Sprintf("/proc/self/fd/%d", f.Fd())}
	}
	for i, name := range names(r) {
		require.ErrorIs(t, Writable(names(w)[i]), syscall.EBADF, "it is closed in what it starts")
		_, err := Read(name, Text)
		require.ErrorIs(t, err, syscall.EBADF)
		given(t, r, w)
		require.NoError(t, Writable(names(w)[i]))
		to, err := Stream(names(w)[i], os.O_CREATE|os.O_TRUNC, 0o666)
		require.NoError(t, err)
		_, err = io.WriteString(to, "12345")
		require.NoError(t, errors.Join(err, to.Close()))
		from, err := Open(name, 5)
		require.NoError(t, err)
		text := make([]byte, 5)
		_, err = io.ReadFull(from, text)
		require.NoError(t, errors.Join(err, from.Close()))
		assert.Equal(t, "12345", string(text))
		_, err = Stream(name, os.O_APPEND, 0o666)
		require.ErrorIs(t, err, syscall.EBADF, "it is there to be read")
		kept(t, r, w)
	}
	given(t, r)
	_, err = io.WriteString(w, strings.Repeat("x", 9))
	require.NoError(t, errors.Join(err, w.Close()))
	_, err = Read(names(r)[0], 8)
	require.ErrorContains(t, err, "has more than 8 bytes")

	to, err := Stream(os.DevNull, os.O_CREATE|os.O_TRUNC, 0o666)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, Writable(os.DevNull))
}

// given makes files what a program is started with, and kept what it opened itself.
func given(t *testing.T, all ...*os.File) { set(t, 0, all) }
func kept(t *testing.T, all ...*os.File)  { set(t, unix.FD_CLOEXEC, all) }

func set(t *testing.T, flag int, all []*os.File) {
	t.Helper()
	for _, f := range all {
		_, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, flag)
		require.NoError(t, err)
	}
}
