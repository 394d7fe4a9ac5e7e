//go:build unix

package recording_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestWhatIsThereIsNoMiss puts in the place of a recording what can't be read as one.
// Nothing of it may look as if nothing was recorded: it would be bought again.
func TestWhatIsThereIsNoMiss(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		put  func(file string) error
		want string
	}{
		"a dangling link": {func(file string) error { return os.Symlink("nowhere", file) }, "a link that leads nowhere"},
		"a link to itself": {func(file string) error {
			return os.Symlink(filepath.Base(file), file)
		}, "too many levels of symbolic links"},
		"a link to a folder": {func(file string) error { return os.Symlink(".", file) }, "a folder"},
		"a folder":           {func(file string) error { return os.Mkdir(file, 0o755) }, "a folder"},
		"a FIFO":             {func(file string) error { return unix.Mkfifo(file, 0o644) }, "no regular file"},
		"a link to a device": {func(file string) error { return os.Symlink("/dev/zero", file) }, "no regular file"},
		"a huge file": {func(file string) error {
			return os.WriteFile(file, nil, 0o644)
		}, "it has 1099511627776 bytes"},
		"an empty file": {func(file string) error { return os.WriteFile(file, nil, 0o644) }, "unexpected end"},
		"a dangling folder": {func(file string) error {
			return replace(filepath.Dir(file), func(dir string) error { return os.Symlink("nowhere", dir) })
		}, "post-hscode-classify: no folder: a link that leads nowhere"},
		"a file for a folder": {func(file string) error {
			return replace(filepath.Dir(file), func(dir string) error { return os.WriteFile(dir, nil, 0o644) })
		}, "post-hscode-classify: no folder: a file"},
		"a FIFO for a folder": {func(file string) error {
			return replace(filepath.Dir(file), func(dir string) error { return unix.Mkfifo(dir, 0o644) })
		}, "post-hscode-classify: no folder: a file"},
		"a link to a device for a folder": {func(file string) error {
			return replace(filepath.Dir(file), func(dir string) error { return os.Symlink("/dev/zero", dir) })
		}, "post-hscode-classify: no folder: a file"},
		"a dangling root": {func(file string) error {
			return replace(filepath.Dir(filepath.Dir(file)), func(dir string) error { return os.Symlink("nowhere", dir) })
		}, "recordings: no folder: a link that leads nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, recording.Config{})
			k := put(t, s, classify(`{}`), answer(`1`))
			rec, err := s.Get(k)
			require.NoError(t, err)
			require.NoError(t, os.Remove(rec.File))
			require.NoError(t, row.put(rec.File))
			if name == "a huge file" {
				require.NoError(t, os.Truncate(rec.File, 1<<40))
			}
			var damaged *recording.FileError
			for call, err := range map[string]error{
				"Get": second(s.Get(k)), "Ready": s.Ready(t.Context(), k), "List": second(s.List()),
			} {
				if call == "List" && name == "a file for a folder" {
					continue // notes of any kind may be among the folders
				}
				require.ErrorAs(t, err, &damaged, call)
				require.NotErrorIs(t, err, recording.ErrMiss, call)
				assert.ErrorContains(t, err, row.want, call)
			}
		})
	}
}

// TestWhatNobodyWroteIsDamaged: a file that answers, or is looked for, in another way
// than it was written is told.
func TestWhatNobodyWroteIsDamaged(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	rec, err := s.Get(put(t, s, classify(`{}`), answer(`1`)))
	require.NoError(t, err)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	for _, cost := range []string{"-1", "1000000000001", "9223372036854775807"} {
		require.NoError(t, os.WriteFile(rec.File, bytes.Replace(text, []byte(`"cost": 1`), []byte(`"cost": `+cost), 1), 0o644))
		_, err = s.List()
		assert.ErrorContains(t, err, "take 1 has the cost "+cost)
	}
	capitals := strings.TrimSuffix(rec.File, "json") + "JSON"
	require.NoError(t, os.Remove(rec.File))
	require.NoError(t, os.WriteFile(capitals, text, 0o644))
	_, err = s.List()
	var damaged *recording.FileError
	require.ErrorAs(t, err, &damaged)
	assert.Equal(t, capitals, damaged.File, "it answers nobody under that name")
}

// TestAnotherEncodingIsDamaged: an editor saved a recording as Latin-1, or a disk lost a
// bit of it. Its body is never handed out as an empty one, or with other letters.
func TestAnotherEncodingIsDamaged(t *testing.T) {
	t.Parallel()
	for name, found := range map[string]recording.Take{
		"body":   answer(`{"text": "café"}`),
		"header": {Cost: 1, Response: recording.Message{Status: 200, Header: http.Header{"X-Note": {"café"}}, Body: []byte(`1`)}},
	} {
		s, _ := open(t, recording.Config{})
		k := put(t, s, classify(`{}`), found)
		rec, err := s.Get(k)
		require.NoError(t, err, name)
		text, err := os.ReadFile(rec.File)
		require.NoError(t, err, name)
		require.NoError(t, os.WriteFile(rec.File, bytes.ReplaceAll(text, []byte("é"), []byte("\xe9")), 0o644))
		_, _, err = s.Answer(k)
		var damaged *recording.FileError
		require.ErrorAs(t, err, &damaged, name)
		assert.ErrorContains(t, err, "it is no UTF-8", name)
		assert.Equal(t, 1+bytes.Count(text[:bytes.Index(text, []byte("é"))], []byte("\n")), damaged.Line, name)
	}
}

// TestDamageIsNoMissBesideEvidence: what is damaged may hold the answer that another
// place has not.
func TestDamageIsNoMissBesideEvidence(t *testing.T) {
	t.Parallel()
	broken, root := full(t, recording.Config{})
	s := reopen(t, root, recording.Config{})
	k := put(t, s, classify(`{}`), answer(`1`))
	copied(t, broken, k, status(503, `"later"`))
	rec, err := s.Get(k)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rec.File, []byte("{"), 0o644))
	var damaged *recording.FileError
	_, _, err = s.Answer(k)
	require.ErrorAs(t, err, &damaged)
}

func second[T any](_ T, err error) error { return err }

// replace removes a folder and puts something in its place.
func replace(dir string, put func(dir string) error) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return put(dir)
}

// TestLinksAreFollowed: who keeps recordings elsewhere may.
func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	for _, level := range []int{0, 1, 2} { // file, folder, root
		s, root := open(t, recording.Config{})
		k := put(t, s, classify(`{}`), answer(`1`))
		rec, err := s.Get(k)
		require.NoError(t, err)
		moved := rec.File
		for range level {
			moved = filepath.Dir(moved)
		}
		require.NoError(t, os.Rename(moved, filepath.Join(root, "elsewhere")))
		require.NoError(t, os.Symlink(filepath.Join(root, "elsewhere"), moved))
		_, err = s.Get(k)
		require.NoError(t, err)
		all, err := s.List()
		require.NoError(t, err)
		assert.Len(t, all, 1)
		put(t, s, classify(`{}`), answer(`2`))
	}
}

// TestSwappedAnswersAreNoticed: a file under another recording's name, and a take in
// another recording's file.
func TestSwappedAnswersAreNoticed(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	keys := []recording.Key{put(t, s, classify(`"shirt"`), answer(`"6109"`)), put(t, s, classify(`"bolt"`), answer(`"7318"`))}
	var names, texts []string
	for _, k := range keys {
		rec, err := s.Get(k)
		require.NoError(t, err)
		text, err := os.ReadFile(rec.File)
		require.NoError(t, err)
		names, texts = append(names, rec.File), append(texts, string(text))
	}
	write := func(shirt, bolt string) {
		require.NoError(t, os.WriteFile(names[0], []byte(shirt), 0o644))
		require.NoError(t, os.WriteFile(names[1], []byte(bolt), 0o644))
	}
	takes := func(text string) (head, takes string) {
		i := strings.Index(text, `"takes"`)
		return text[:i], text[i:]
	}
	refused := func(want string) {
		t.Helper()
		var damaged *recording.FileError
		for _, k := range keys {
			_, err := s.Get(k)
			require.ErrorAs(t, err, &damaged)
			assert.ErrorContains(t, err, want)
		}
		all, err := s.List()
		require.ErrorAs(t, err, &damaged)
		assert.Empty(t, all)
	}
	write(texts[1], texts[0])
	refused("damaged recording: under another name: it has the answers of ")

	shirt, shirtTakes := takes(texts[0])
	bolt, boltTakes := takes(texts[1])
	write(shirt+boltTakes, bolt+shirtTakes)
	refused("take 1 answers another request: its key is ")

	write(texts[0], texts[1])
	for _, k := range keys {
		_, err := s.Get(k)
		require.NoError(t, err)
	}
}
