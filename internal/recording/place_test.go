package recording_test

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// full is a store whose recordings folder takes no more writes, while its
// emergency copies do.
func full(t *testing.T, cfg recording.Config) (*recording.Store, string) {
	t.Helper()
	s, root := open(t, cfg)
	s.FailFill(func(f *os.File, text []byte) error {
		if !strings.Contains(f.Name(), "emergency") {
			return syscall.ENOSPC
		}
		_, err := f.Write(text)
		return err
	})
	return s, root
}

// reopen is another process's store of the same folder, on a disk that is well.
func reopen(t *testing.T, root string, cfg recording.Config) *recording.Store {
	t.Helper()
	cfg.Dir = filepath.Join(root, "recordings")
	s, err := recording.Open(cfg)
	require.NoError(t, err)
	return s
}

// bodies are the answers of a recording, in order.
func bodies(rec *recording.Recording) []string {
	var all []string
	for _, take := range rec.Takes {
		all = append(all, string(take.Response.Body))
	}
	return all
}

// copied puts takes into emergency copies.
func copied(t *testing.T, s *recording.Store, k recording.Key, takes ...recording.Take) {
	t.Helper()
	for _, take := range takes {
		var failed *recording.WriteError
		err := s.Put(t.Context(), k, take)
		require.ErrorAs(t, err, &failed)
		require.NoError(t, failed.CopyErr)
	}
}

// zipped hides a text from redaction, which must say what it replaced.
func zipped(text string) string {
	return packed(text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func TestEmergencyCopiesAnswer(t *testing.T) {
	t.Parallel()
	s, root := full(t, recording.Config{})
	k, other := s.Key(classify(`"shirt"`)), s.Key(classify(`"bolt"`))
	copied(t, s, k, answer(`"1"`), status(503, `"2"`))
	for _, s := range []*recording.Store{s, reopen(t, root, recording.Config{})} {
		rec, take, err := s.Answer(k)
		require.NoError(t, err)
		assert.Equal(t, `"1"`, string(take.Response.Body))
		assert.Len(t, rec.Takes, 2)
		assert.Equal(t, recording.Emergency, s.Place(rec))
		_, err = s.Get(other)
		require.ErrorIs(t, err, recording.ErrMiss)
		copies, err := s.Copies()
		require.NoError(t, err)
		assert.Len(t, copies, 2)
		all, err := s.List()
		require.NoError(t, err)
		assert.Len(t, all, 2)
		_, differ, err := s.Nearest(classify(`"blouse"`))
		require.NoError(t, err)
		assert.Len(t, differ, 1)
	}
}

// TestPlacesAreOneRecording: the latest answer counts, wherever it is.
func TestPlacesAreOneRecording(t *testing.T) {
	t.Parallel()
	at := func(day int, body string) recording.Take {
		take := answer(body)
		take.RecordedAt = now.AddDate(0, 0, day)
		return take
	}
	cfg := recording.Config{Secrets: []recording.Secret{{Name: "s", Value: tricky}}}
	broken, root := full(t, cfg)
	s := reopen(t, root, cfg)
	k := s.Key(classify(`{}`))
	put(t, s, classify(`{}`), at(1, `"1"`), at(4, `"4"`))
	copied(t, broken, k, at(3, `"3"`), at(5, `"5"`))
	var aside *recording.QuarantineError
	require.ErrorAs(t, s.Put(t.Context(), k, at(2, zipped(tricky))), &aside)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, []string{`"1"`, zipped(tricky), `"3"`, `"4"`, `"5"`}, bodies(rec))
	assert.Equal(t, recording.Shared, s.Place(rec))

	// The next one goes where it belongs, and leaves the others alone.
	put(t, s, classify(`{}`), at(6, `"6"`))
	rec, err = s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 6)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(text), "recorded_at"))
	text, err = os.ReadFile(aside.File)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(text), "recorded_at"), "quarantine has what holds the secret, and nothing else")
}

func TestRecover(t *testing.T) {
	t.Parallel()
	broken, root := full(t, recording.Config{})
	s := reopen(t, root, recording.Config{})
	first := answer(`"first"`)
	first.RecordedAt = now.AddDate(0, 0, -1)
	k := put(t, s, classify(`{}`), first)
	copied(t, broken, k, answer(`"second"`))
	free := s.Key(classify(`"other"`))
	copied(t, broken, free, poll("PENDING"))
	copies, err := s.Copies()
	require.NoError(t, err)
	require.Len(t, copies, 2)
	if !strings.Contains(copies[0], k.Sum[:12]) {
		slices.Reverse(copies)
	}
	kept, err := os.ReadFile(copies[0])
	require.NoError(t, err)

	_, err = broken.Recover(t.Context(), copies[0])
	require.ErrorIs(t, err, syscall.ENOSPC)
	for _, file := range copies {
		rec, err := s.Recover(t.Context(), file)
		require.NoError(t, err)
		assert.Equal(t, recording.Shared, s.Place(rec))
	}
	left, err := s.Copies()
	require.NoError(t, err)
	assert.Empty(t, left)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, []string{`"first"`, `"second"`}, bodies(rec))
	require.Len(t, files(t, root), 2)

	// Somebody was stopped before the copy was removed, or has one of his own.
	for _, again := range []string{copies[0], filepath.Join(t.TempDir(), "copy.json")} {
		require.NoError(t, os.MkdirAll(filepath.Dir(again), 0o755))
		require.NoError(t, os.WriteFile(again, kept, 0o600))
		rec, err = s.Recover(t.Context(), again)
		require.NoError(t, err)
		assert.Len(t, rec.Takes, 2)
		_, err = os.Stat(again)
		assert.Equal(t, again == copies[0], errors.Is(err, os.ErrNotExist), "only what the store made is removed")
	}
	var damaged *recording.FileError
	torn := filepath.Join(root, "torn.json")
	require.NoError(t, os.WriteFile(torn, kept[:len(kept)/2], 0o600))
	_, err = s.Recover(t.Context(), torn)
	require.ErrorAs(t, err, &damaged)
}

// TestSeveralRecoverOneFile: whoever waits for the lock meanwhile says that it is gone.
func TestSeveralRecoverOneFile(t *testing.T) {
	t.Parallel()
	broken, root := full(t, recording.Config{})
	s := reopen(t, root, recording.Config{})
	k := s.Key(classify(`{}`))
	copied(t, broken, k, answer(`"bought"`))
	copies, err := s.Copies()
	require.NoError(t, err)
	unlock, err := s.LockWrite(t.Context(), k)
	require.NoError(t, err)
	recovered := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := s.Recover(t.Context(), copies[0])
			recovered <- err
		}()
	}
	require.Eventually(t, func() bool { return s.WaitingForWriter(k) == 2 }, 10*time.Second, time.Millisecond)
	unlock()
	one, other := <-recovered, <-recovered
	if one != nil { // who was told that it had gone was the first to say so
		one, other = other, one
	}
	require.NoError(t, one)
	require.ErrorIs(t, other, recording.ErrGone)
	_, err = s.Recover(t.Context(), copies[0])
	assert.ErrorIs(t, err, recording.ErrGone)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 1)
}

// TestRecoverKeepsWhatCameMeanwhile: while who recovers a quarantined file waits for its
// lock, another process adds what it bought. That was paid for.
func TestRecoverKeepsWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	cfg := recording.Config{Secrets: []recording.Secret{{Name: "s", Value: tricky}}}
	s, root := open(t, cfg)
	k := s.Key(classify(`{}`))
	var aside *recording.QuarantineError
	first, second := answer(zipped(tricky)), answer(zipped(tricky))
	second.Entry = "another spend"
	require.ErrorAs(t, s.Put(t.Context(), k, first), &aside)
	one, err := os.ReadFile(aside.File)
	require.NoError(t, err)
	require.ErrorAs(t, s.Put(t.Context(), k, second), &aside)
	two, err := os.ReadFile(aside.File)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(aside.File, one, 0o600))

	// By somebody to whom the secret is none any more, so that all of it comes home.
	s = reopen(t, root, recording.Config{})
	unlock, err := s.LockWrite(t.Context(), k)
	require.NoError(t, err)
	recovered := make(chan error, 1)
	go func() {
		_, err := s.Recover(t.Context(), aside.File)
		recovered <- err
	}()
	require.Eventually(t, func() bool { return s.WaitingForWriter(k) == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, os.WriteFile(aside.File, two, 0o600))
	unlock()
	require.NoError(t, <-recovered)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 2)
}

// TestRecoverKeepsSecretsAside: a copy that was made before its secret was known goes
// to quarantine, and comes home when it holds none any more.
func TestRecoverKeepsSecretsAside(t *testing.T) {
	t.Parallel()
	broken, root := full(t, recording.Config{})
	k := broken.Key(classify(`{}`))
	copied(t, broken, k, answer(zipped(tricky)))
	s := reopen(t, root, recording.Config{Secrets: []recording.Secret{{Name: "s", Value: tricky}}})
	copies, err := s.Copies()
	require.NoError(t, err)
	var aside *recording.QuarantineError
	_, err = s.Recover(t.Context(), copies[0])
	require.ErrorAs(t, err, &aside)
	_, err = s.Recover(t.Context(), aside.File)
	require.ErrorAs(t, err, &aside, "it stays there")
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 1)
	assert.Equal(t, recording.Quarantine, s.Place(rec))
	left, err := s.Copies()
	require.NoError(t, err)
	assert.Empty(t, left)

	s = reopen(t, root, recording.Config{})
	rec, err = s.Recover(t.Context(), aside.File)
	require.NoError(t, err)
	assert.Equal(t, recording.Shared, s.Place(rec))
	assert.Len(t, files(t, root), 1)
}

// TestCopiesOfEarlierVersions have no folders, and the operation in their names.
func TestCopiesOfEarlierVersions(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := put(t, s, classify(`{}`), answer(`1`))
	old := filepath.Join(root, ".hsharness", "emergency", "post-hscode-classify-"+k.Sum[:12]+"-1234567.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(old), 0o700))
	require.NoError(t, os.Rename(filepath.Join(root, "recordings", "post-hscode-classify", k.Sum[:12]+".json"), old))
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, old, rec.File)
	rec, err = s.Recover(t.Context(), old)
	require.NoError(t, err)
	assert.Equal(t, "post-hscode-classify", filepath.Base(filepath.Dir(rec.File)))
}
