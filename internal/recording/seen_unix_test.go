//go:build !windows

package recording_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestWhatOthersChangeIsSeen: what is in memory answers only while the disk has the same.
// Each change is made behind the back of a store that has just answered.
func TestWhatOthersChangeIsSeen(t *testing.T) {
	t.Parallel()
	const was, is = `"aaaa"`, `"bbbb"`
	changed := func(t *testing.T, file string) []byte {
		t.Helper()
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return bytes.Replace(text, []byte(was), []byte(is), 1)
	}
	for name, change := range map[string]func(t *testing.T, root, file string){
		"written over, as long and as old as it was": func(t *testing.T, _, file string) {
			t.Helper()
			info, err := os.Stat(file)
			require.NoError(t, err)
			text := changed(t, file)
			// The clock of some disks ticks a hundred times a second.
			for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); {
				require.NoError(t, os.WriteFile(file, text, 0o644))
				require.NoError(t, os.Chtimes(file, time.Time{}, info.ModTime()))
			}
		},
		"replaced": func(t *testing.T, _, file string) {
			t.Helper()
			require.NoError(t, os.WriteFile(file+".new", changed(t, file), 0o644))
			require.NoError(t, os.Rename(file+".new", file))
		},
		"a link to another": func(t *testing.T, root, file string) {
			t.Helper()
			other := filepath.Join(root, "other.json")
			require.NoError(t, os.WriteFile(other, changed(t, file), 0o644))
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Symlink(other, file))
		},
		"the project moved, and another in its place": func(t *testing.T, root, file string) {
			t.Helper()
			text := changed(t, file)
			require.NoError(t, os.Rename(root, root+".old"))
			t.Cleanup(func() { assert.NoError(t, os.RemoveAll(root+".old")) })
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, text, 0o644))
		},
		"a later answer in a copy, where no copies were": func(t *testing.T, root, file string) {
			t.Helper()
			copied := filepath.Join(root, ".hsharness", "emergency", "post-hscode-classify", filepath.Base(file))
			require.NoError(t, os.MkdirAll(filepath.Dir(copied), 0o700))
			text := bytes.Replace(changed(t, file), []byte("2026-03-01"), []byte("2026-03-02"), 1)
			require.NoError(t, os.WriteFile(copied, text, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, root := open(t, recording.Config{})
			k := put(t, s, classify(`{}`), answer(was))
			_, take, err := s.Answer(k)
			require.NoError(t, err)
			require.Equal(t, was, string(take.Response.Body))
			rec, err := s.Get(k)
			require.NoError(t, err)
			change(t, root, rec.File)
			_, take, err = s.Answer(k)
			require.NoError(t, err)
			assert.Equal(t, is, string(take.Response.Body))
		})
	}
	t.Run("removed", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t, recording.Config{})
		k := put(t, s, classify(`{}`), answer(was))
		rec, err := s.Get(k)
		require.NoError(t, err)
		require.NoError(t, os.Remove(rec.File))
		_, err = s.Get(k)
		require.ErrorIs(t, err, recording.ErrMiss)
	})
}
