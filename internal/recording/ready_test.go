package recording_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestReady: before anything is paid for, every step of the write is tried, and
// nothing stays of it.
func TestReady(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fail func(t *testing.T, s *recording.Store, root string)
		want string // empty is fine
	}{
		"fine": {func(*testing.T, *recording.Store, string) {}, ""},
		"nearly full": {func(_ *testing.T, s *recording.Store, _ string) {
			s.FailFill(func(f *os.File, text []byte) error {
				if len(text) > 4096 {
					return syscall.ENOSPC
				}
				return nil
			})
		}, "no space left on device"},
		"renames refused": {func(_ *testing.T, s *recording.Store, _ string) {
			s.FailRename(func(string, string) error { return syscall.EPERM })
		}, "operation not permitted"},
		"no recordings folder can be made": {func(t *testing.T, _ *recording.Store, root string) {
			require.NoError(t, os.WriteFile(filepath.Join(root, "recordings"), nil, 0o644))
		}, "recordings: no folder: a file"},
		"no lock": {func(t *testing.T, _ *recording.Store, root string) {
			require.NoError(t, os.WriteFile(filepath.Join(root, ".hsharness"), nil, 0o644))
		}, ".hsharness"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, root := open(t, recording.Config{})
			row.fail(t, s, root)
			err := s.Ready(t.Context(), s.Key(classify(`{}`)))
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			for _, file := range files(t, root) {
				assert.NotContains(t, file, "post-hscode", "nothing stays")
			}
			if name != "fine" && name != "no recordings folder can be made" {
				var unwritable *recording.UnwritableError
				require.ErrorAs(t, err, &unwritable)
				assert.ErrorContains(t, err, "so nothing is bought")
				require.ErrorAs(t, s.Writable(), &unwritable)
			}
		})
	}
}

// TestReadyReplacesTheRealFile: where a new file may be made and the old one not be
// replaced, as in a folder with a sticky bit that belongs to others, only that shows.
func TestReadyReplacesTheRealFile(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	k := put(t, s, classify(`{}`), answer(`1`))
	rec, err := s.Get(k)
	require.NoError(t, err)
	before, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	require.NoError(t, s.Ready(t.Context(), k))
	after, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	s.FailRename(func(from, to string) error {
		if to == rec.File {
			return syscall.EPERM
		}
		return os.Rename(from, to)
	})
	var unwritable *recording.UnwritableError
	require.ErrorAs(t, s.Ready(t.Context(), k), &unwritable)
	require.NoError(t, s.Ready(t.Context(), s.Key(classify(`"new"`))))
}

// TestWritableMakesNothing: doctor only looks.
func TestWritableMakesNothing(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	require.NoError(t, s.Writable())
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	assert.Empty(t, entries)

	put(t, s, classify(`{}`), answer(`1`))
	s.FailFill(func(f *os.File, _ []byte) error {
		if strings.Contains(f.Name(), "post-hscode") {
			return syscall.EACCES
		}
		return nil
	})
	err = s.Writable()
	var unwritable *recording.UnwritableError
	require.ErrorAs(t, err, &unwritable)
	assert.Equal(t, filepath.Join(root, "recordings", "post-hscode-classify"), unwritable.Folder)
	assert.Len(t, files(t, root), 1)
}

// TestSeveralLookWhetherTheyCanWrite: nobody takes another's attempt away.
func TestSeveralLookWhetherTheyCanWrite(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	put(t, s, classify(`{}`), answer(`1`))
	var all sync.WaitGroup
	for range 3 {
		other := reopen(t, root, recording.Config{})
		all.Go(func() {
			for range 20 {
				assert.NoError(t, other.Writable())
			}
		})
	}
	all.Wait()
	assert.Len(t, files(t, root), 1, "nothing is left of them")
}
