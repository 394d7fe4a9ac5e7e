package guard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
)

// TestNothingIsBoughtThatCouldNotBeRecorded: the folder is tried before the purchase.
func TestNothingIsBoughtThatCouldNotBeRecorded(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(parent string) error{
		"a file for the folder":     func(parent string) error { return os.WriteFile(filepath.Join(parent, "recordings"), nil, 0o600) },
		"a link that leads nowhere": func(parent string) error { return os.Symlink("nowhere/at/all", filepath.Join(parent, "recordings")) },
		"a file for the locks":      func(parent string) error { return os.WriteFile(filepath.Join(parent, ".hsharness"), nil, 0o600) },
		"a file for an operation": func(parent string) error {
			return operation(parent, func(dir string) error { return os.WriteFile(dir, nil, 0o600) })
		},
		"a dangling link for an operation": func(parent string) error {
			return operation(parent, func(dir string) error { return os.Symlink("nowhere", dir) })
		},
	} {
		for _, mode := range []guard.Mode{guard.Record, guard.Live} {
			t.Run(fmt.Sprint(name, " ", mode), func(t *testing.T) {
				t.Parallel()
				parent := t.TempDir()
				require.NoError(t, spoil(parent))
				for range 3 {
					l := newLive(t, liveConfig{Mode: mode, Recordings: filepath.Join(parent, "recordings"), API: text(200, answer)})
					for range 5 {
						rec := l.do(l.request(http.MethodPost, hints, asked))
						assert.Equal(t, http.StatusFailedDependency, rec.Code)
						assert.Contains(t, []string{string(guard.RecordingFailed), string(guard.RecordingDamaged)}, rec.Header().Get(guard.VerdictHeader))
						assert.Contains(t, rec.Body.String(), `"command":"hsharness `)
						if !strings.Contains(name, "operation") {
							l.do(l.request(http.MethodGet, managedGet, "")) // nor what is free
						}
					}
					verdict, _ := l.guard.Verdict()
					assert.NotEmpty(t, verdict)
					assert.Zero(t, l.counted.Load())
					assert.Zero(t, l.spent())
				}
			})
		}
	}
}

// operation puts something in the place of the folder of hints.
func operation(parent string, put func(dir string) error) error {
	dir := filepath.Join(parent, "recordings", "post-hscode")
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	return put(dir)
}

// TestAnswerThatCannotBeRecordedIsNotLost: the folder goes away while the answer is on
// its way. The client gets what was paid for, a copy of it answers from then on, and
// nothing more is bought in the run.
func TestAnswerThatCannotBeRecordedIsNotLost(t *testing.T) {
	t.Parallel()
	for _, mode := range []guard.Mode{guard.Record, guard.Live} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "recordings")
		l := newLive(t, liveConfig{Mode: mode, Recordings: dir, API: func(w http.ResponseWriter, _ *http.Request) {
			assert.NoError(t, os.RemoveAll(dir))
			assert.NoError(t, os.WriteFile(dir, nil, 0o600), "a file where the folder should be")
			_, _ = io.WriteString(w, answer)
		}})
		rec := l.do(l.request(http.MethodPost, hints, asked))
		assert.Equal(t, answer, rec.Body.String(), "the client gets what was paid for")
		verdict, reason := l.guard.Verdict()
		assert.Equal(t, guard.RecordingFailed, verdict)
		assert.Contains(t, reason, "emergency copy at ")
		copies := files(t, filepath.Join(parent, ".hsharness", "emergency"))
		kept := 0
		for _, name := range copies {
			if !strings.HasSuffix(name, ".json") {
				continue
			}
			kept++
			info, err := os.Stat(name)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.Contains(t, string(data), "6109100000")
		}
		assert.Equal(t, 1, kept)

		// The folder is well again, but who knows for how long.
		require.NoError(t, os.Remove(dir))
		refused := l.do(l.request(http.MethodPost, hints, `{"description":"another"}`))
		l.refused(refused, guard.RecordingFailed)
		assert.Contains(t, refused.Body.String(), "nothing more is bought in it")
		assert.Contains(t, refused.Body.String(), `"command":"hsharness doctor"`)
		if mode == guard.Record {
			assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String())
		}
		assert.EqualValues(t, 1, l.counted.Load())
		assert.Equal(t, 1, l.spent())

		for _, next := range []guard.Mode{guard.Record, guard.Replay} {
			require.NoError(t, os.WriteFile(dir, nil, 0o600))
			l = newLive(t, liveConfig{Mode: next, Recordings: dir})
			assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String(), "the next run knows it too")
			assert.Zero(t, l.counted.Load())
			require.NoError(t, os.Remove(dir))
		}
	}
}

// TestFailedWriteStopsEveryClient: the cassettes of a run's clients are one run's.
func TestFailedWriteStopsEveryClient(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	store, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(t, err)
	cassette := guard.NewCassette(store, 0)
	first := newLive(t, liveConfig{Mode: guard.Record, Cassette: cassette.Own(), API: func(w http.ResponseWriter, _ *http.Request) {
		assert.NoError(t, os.RemoveAll(dir))
		assert.NoError(t, os.WriteFile(dir, nil, 0o600))
		_, _ = io.WriteString(w, answer)
	}})
	second := newLive(t, liveConfig{Mode: guard.Record, Cassette: cassette.Own()})
	assert.Equal(t, answer, first.do(first.request(http.MethodPost, hints, asked)).Body.String())
	require.NoError(t, os.Remove(dir))
	second.refused(second.do(second.request(http.MethodPost, hints, `{"description":"another"}`)), guard.RecordingFailed)
	assert.Zero(t, second.counted.Load())
}

// TestFailedWriteStopsTheSecondSend: a refused token is no reason to buy once more what
// could not be kept.
func TestFailedWriteStopsTheSecondSend(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: func(w http.ResponseWriter, _ *http.Request) {
		assert.NoError(t, os.RemoveAll(dir))
		assert.NoError(t, os.WriteFile(dir, nil, 0o600))
		w.WriteHeader(http.StatusUnauthorized)
	}})
	assert.Equal(t, http.StatusUnauthorized, l.do(l.request(http.MethodPost, hints, asked)).Code)
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 1, l.spent())
}

func TestRealSecretsAreInNoRecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJjbGllbnRfaWQiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl"
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Echo", "Bearer "+jwt)
		_, _ = fmt.Fprintf(w, `{"license":%q,"token":%q}`, realSecret, jwt)
	}})
	l.do(l.request(http.MethodPost, hints, asked))
	recordings := files(t, dir)
	require.Len(t, recordings, 1)
	data, err := os.ReadFile(recordings[0])
	require.NoError(t, err)
	assert.NotContains(t, string(data), realSecret)
	assert.NotContains(t, string(data), jwt, "nor a token")
	assert.Contains(t, string(data), "{{secret:client_secret#")
}

func TestDamagedRecordingIsNotBoughtAgain(t *testing.T) {
	dir := recorded(t)
	require.NoError(t, os.WriteFile(files(t, dir)[0], []byte("<<<<<<< ours\n"), 0o600))
	for _, mode := range []guard.Mode{guard.Record, guard.Replay} {
		l := newLive(t, liveConfig{Mode: mode, Recordings: dir, API: text(200, answer)})
		l.refused(l.do(l.request(http.MethodPost, hints, asked)), guard.RecordingDamaged)
		verdict, _ := l.guard.Verdict()
		assert.Equal(t, guard.RecordingDamaged, verdict)
		assert.Zero(t, l.counted.Load())
	}
}

// TestRecordingThatVanishesIsNotBoughtAgain: something empties the folder while the
// run goes on. Each question would be bought as often as it is asked.
func TestRecordingThatVanishesIsNotBoughtAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(200, answer)})
	assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String())
	require.NoError(t, os.RemoveAll(dir))
	for _, body := range []string{asked, `{"description":"another"}`, asked} {
		refused := l.do(l.request(http.MethodPost, hints, body))
		l.refused(refused, guard.RecordingFailed)
		assert.Contains(t, refused.Body.String(), "something removes the recordings")
	}
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 1, l.spent())

	next := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(200, answer)})
	assert.Equal(t, answer, next.do(next.request(http.MethodPost, hints, asked)).Body.String(), "another run may have been told to buy it again")
	assert.Equal(t, 1, next.spent())
}

// TestServerTriesTheRecordingsAgain: its run has no end, so it buys again once they
// can be written.
func TestServerTriesTheRecordingsAgain(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]time.Duration{"at once": time.Nanosecond, "after a pause": time.Hour} {
		dir := filepath.Join(t.TempDir(), "recordings")
		store, err := recording.Open(recording.Config{Dir: dir})
		require.NoError(t, err)
		broken := true
		l := newLive(t, liveConfig{Mode: guard.Record, Cassette: guard.NewCassette(store, 0).RetryingAfter(pause), API: func(w http.ResponseWriter, _ *http.Request) {
			if broken {
				assert.NoError(t, os.RemoveAll(dir))
				assert.NoError(t, os.WriteFile(dir, nil, 0o600))
			}
			_, _ = io.WriteString(w, answer)
		}})
		assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String())
		another := func() *httptest.ResponseRecorder {
			return l.do(l.request(http.MethodPost, hints, `{"description":"another"}`))
		}
		assert.Equal(t, http.StatusFailedDependency, another().Code, "the folder is not well yet")
		assert.EqualValues(t, 1, l.counted.Load(), name)
		require.NoError(t, os.Remove(dir))
		broken = false
		rec := another()
		if pause > time.Second {
			l.refused(rec, guard.RecordingFailed)
			assert.Contains(t, rec.Body.String(), "nothing is bought until "+time.Now().Add(pause).UTC().Format("2006-01-02T"))
			continue
		}
		assert.Equal(t, answer, rec.Body.String())
		assert.EqualValues(t, 2, l.counted.Load())
	}
}

// TestRecordingFromTheFutureIsStale: it would stay young for ever.
func TestRecordingFromTheFutureIsStale(t *testing.T) {
	t.Parallel()
	dir := recorded(t)
	name := files(t, dir)[0]
	was, err := os.ReadFile(name)
	require.NoError(t, err)
	store, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(t, err)
	for ahead, stale := range map[time.Duration]int{-2 * time.Hour: 1, 0: 0, time.Hour: 0, 25 * time.Hour: 1, 90 * 365 * 24 * time.Hour: 1} {
		dated := regexp.MustCompile(`"recorded_at": "[^"]*"`).ReplaceAll(was, []byte(fmt.Sprintf(`"recorded_at": %q`, time.Now().Add(ahead).Format(time.RFC3339Nano))))
		require.NoError(t, os.WriteFile(name, dated, 0o600))
		l := newLive(t, liveConfig{Mode: guard.Replay, Cassette: guard.NewCassette(store, time.Hour)})
		assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String())
		assert.Equal(t, stale, l.guard.Tally().Stale, "%s ahead", ahead)
	}
}
