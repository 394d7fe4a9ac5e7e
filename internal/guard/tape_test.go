package guard_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
)

// files lists the recordings in a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return all
}

const (
	asked  = `{"description":"cotton t-shirt","countryOfDestination":"US","weight":1.50}`
	answer = `{"hsCode":"6109100000"}`
)

// recorded is a folder with one bought answer in it.
func recorded(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(200, answer)})
	rec := l.do(l.request(http.MethodPost, hints, asked))
	require.Equal(t, 200, rec.Code)
	require.Equal(t, answer, rec.Body.String())
	require.Equal(t, guard.Tally{Requests: 1, Bought: 1, Price: 1, Paid: 1}, l.guard.Tally())
	require.Len(t, files(t, dir), 1)
	return dir
}

func TestRecordedAnswerIsNeverBoughtTwice(t *testing.T) {
	dir := recorded(t)
	same := map[string]func(r *http.Request) string{
		"the same again": func(*http.Request) string { return asked },
		"another key order": func(*http.Request) string {
			return `{"weight":1.50,"countryOfDestination":"US","description":"cotton t-shirt"}`
		},
		"white space":          func(*http.Request) string { return strings.ReplaceAll(asked, ",", " ,\n ") },
		"another number form":  func(*http.Request) string { return strings.ReplaceAll(asked, "1.50", "1.5e0") },
		"an escaped character": func(*http.Request) string { return strings.ReplaceAll(asked, "cotton", `\u0063otton`) },
		"header noise": func(r *http.Request) string {
			r.Header.Set("User-Agent", "another")
			r.Header.Set("Traceparent", "00-1")
			r.Header.Set("Date", "now")
			return asked
		},
	}
	for _, mode := range []guard.Mode{guard.Record, guard.Replay} {
		l := newLive(t, liveConfig{Mode: mode, Recordings: dir, API: text(500, "not asked")})
		for name, change := range same {
			r := l.request(http.MethodPost, hints, "")
			body := change(r)
			r.Body = io.NopCloser(strings.NewReader(body))
			rec := l.do(r)
			assert.Equal(t, 200, rec.Code, "%s in mode %s: %s", name, mode, rec.Body)
			assert.Equal(t, answer, rec.Body.String(), name)
		}
		assert.Equal(t, guard.Tally{Requests: len(same), Replayed: len(same), Price: len(same)}, l.guard.Tally())
		assert.Zero(t, l.counted.Load())
		assert.Zero(t, l.tokens.Load(), "not even a token")
		assert.Zero(t, l.spent())
	}
}

func TestOtherRequestIsAMissWithItsPrice(t *testing.T) {
	dir := recorded(t)
	for name, body := range map[string]string{
		"a value":        strings.ReplaceAll(asked, "cotton", "wool"),
		"a case":         strings.ReplaceAll(asked, "cotton", "Cotton"),
		"a field":        strings.ReplaceAll(asked, "weight", "mass"),
		"a type":         strings.ReplaceAll(asked, "1.50", `"1.50"`),
		"one more field": strings.ReplaceAll(asked, "{", `{"sku":1,`),
		"no body":        "",
	} {
		l := newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir})
		rec := l.do(l.request(http.MethodPost, hints, body))
		l.refused(rec, guard.Missed)
		assert.Contains(t, rec.Body.String(), `"units":1`, name)
		assert.Contains(t, rec.Body.String(), `"command":"repeat with --mode record --max-spend 1"`)
		assert.Contains(t, rec.Body.String(), "nearest: ")
		assert.Equal(t, guard.Tally{Requests: 1, Refused: 1, Missed: 1}, l.guard.Tally())
		code, reason := l.guard.Exit()
		assert.Equal(t, 3, code)
		assert.Contains(t, reason, "buying it costs 1")
		assert.Zero(t, l.counted.Load())
	}
}

func TestMissOfProductionOffersNoPurchase(t *testing.T) {
	l := newLive(t, liveConfig{Mode: guard.Replay, Recordings: t.TempDir()})
	rec := httptest.NewRecorder()
	l.guard.Handler(avalara.Production, avalara.Current).ServeHTTP(rec, l.request(http.MethodPost, hints, asked))
	l.refused(rec, guard.Missed)
	assert.Contains(t, rec.Body.String(), "production is never called")
	assert.NotContains(t, rec.Body.String(), "record --max-spend")
	assert.Contains(t, rec.Body.String(), `"command":"repeat with --mode offline"`)
}

func TestMissShowsWhatDiffers(t *testing.T) {
	dir := recorded(t)
	l := newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir})
	client := &http.Client{Transport: l.guard.Transport(avalara.Sandbox, avalara.Current)}
	r := l.request(http.MethodPost, hints, strings.ReplaceAll(asked, "cotton", "wool"))
	r.RequestURI = ""
	r.URL.Scheme, r.URL.Host = "http", "sandbox.test"
	_, err := client.Do(r)
	var miss *guard.MissError
	require.ErrorAs(t, err, &miss)
	require.Len(t, miss.Differences, 1)
	assert.Equal(t, "/description", miss.Differences[0].Path)
	assert.Equal(t, `"cotton t-shirt"`, miss.Differences[0].Recorded)
	assert.Equal(t, `"wool t-shirt"`, miss.Differences[0].Asked)
}

func TestAPIsAndEnvironmentsNeverAnswerForEachOther(t *testing.T) {
	dir := recorded(t)
	l := newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir})
	for _, f := range []struct {
		env avalara.Environment
		api avalara.API
	}{{avalara.Sandbox, avalara.Legacy}, {avalara.Sandbox, avalara.Managed}, {avalara.Production, avalara.Current}} {
		r := httptest.NewRequest(http.MethodPost, hints, strings.NewReader(asked))
		r.Header.Set("Authorization", "Bearer "+dummyToken(t, avalara.HostOf(f.env, f.api).Scopes[0], l.now))
		rec := httptest.NewRecorder()
		l.guard.Handler(f.env, f.api).ServeHTTP(rec, r)
		l.refused(rec, guard.Missed)
	}
}

func TestManyAskersBuyOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(200, answer)})
	var group sync.WaitGroup
	var wrong atomic.Int64
	for range 64 {
		group.Go(func() {
			if rec := l.do(l.request(http.MethodPost, hints, asked)); rec.Body.String() != answer {
				wrong.Add(1)
			}
		})
	}
	group.Wait()
	assert.Zero(t, wrong.Load())
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Equal(t, 1, l.spent())
	assert.Equal(t, guard.Tally{Requests: 64, Replayed: 63, Bought: 1, Price: 64, Paid: 1}, l.guard.Tally())
}

func TestAnswerIsOnDiskBeforeItIsSettledAndHandedOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	var atSettle int
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: func(w http.ResponseWriter, _ *http.Request) {
		assert.Empty(t, files(t, dir), "nothing to record yet")
		_, _ = io.WriteString(w, answer)
	}, Meter: func(m guard.Meter) guard.Meter {
		return settling{m, func() { atSettle = len(files(t, dir)) }}
	}})
	l.do(l.request(http.MethodPost, hints, asked))
	assert.Equal(t, 1, atSettle)
}

// settling is a Meter that tells when it is asked to settle.
type settling struct {
	guard.Meter
	told func()
}

func (s settling) Settle(settlement quota.Settlement) error {
	s.told()
	return s.Meter.Settle(settlement)
}

func TestLiveBuysAgainAndKeepsEachTake(t *testing.T) {
	dir := recorded(t)
	l := newLive(t, liveConfig{Mode: guard.Live, Recordings: dir, API: text(200, `{"hsCode":"6109909090"}`)})
	l.do(l.request(http.MethodPost, hints, asked))
	assert.EqualValues(t, 1, l.counted.Load())
	assert.Len(t, files(t, dir), 1)

	later := newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir})
	rec := later.do(later.request(http.MethodPost, hints, asked))
	assert.Equal(t, `{"hsCode":"6109909090"}`, rec.Body.String(), "the latest take answers")
}

// TestPassingFailureIsKeptAndAskedAgain: what fails today is not what the service
// says to a request. It was paid for, so it is kept; a later run asks again.
func TestPassingFailureIsKeptAndAskedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 402, 403, 407, 408, 429, 500, 502, 503, 504, 302} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "recordings")
			run := func(mode guard.Mode, status int) (*httptest.ResponseRecorder, *live) {
				l := newLive(t, liveConfig{Mode: mode, Recordings: dir, API: text(status, answer)})
				return l.do(l.request(http.MethodPost, hints, asked)), l
			}
			rec, l := run(guard.Record, status)
			assert.Equal(t, status, rec.Code)
			assert.Zero(t, l.guard.Tally().Again)
			require.Len(t, files(t, dir), 1)
			data, err := os.ReadFile(files(t, dir)[0])
			require.NoError(t, err)
			assert.EqualValues(t, l.counted.Load(), strings.Count(string(data), `"state": "evidence"`), "each one that was counted is kept")

			rec, l = run(guard.Replay, 200)
			l.refused(rec, guard.Missed)
			assert.Contains(t, rec.Body.String(), fmt.Sprintf("was %d, which is kept in ", status))
			assert.Contains(t, rec.Body.String(), "buying it costs 1")

			rec, l = run(guard.Record, 200)
			assert.Equal(t, 200, rec.Code)
			assert.EqualValues(t, 1, l.counted.Load())
			assert.Equal(t, guard.Tally{Requests: 1, Bought: 1, Again: 1, Price: 1, Paid: 1}, l.guard.Tally())

			for _, mode := range []guard.Mode{guard.Record, guard.Replay} {
				rec, l = run(mode, 500)
				assert.Equal(t, answer, rec.Body.String())
				assert.Zero(t, l.counted.Load())
			}
			assert.Len(t, files(t, dir), 1, "evidence and answer are takes of one recording")
		})
	}
}

// TestAnswersAreNeverAskedAgain: the others are what the service says.
func TestAnswersAreNeverAskedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 204, 400, 404, 409, 422} {
		dir := filepath.Join(t.TempDir(), "recordings")
		for want := range []int{1, 0} {
			l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(status, "")})
			assert.Equal(t, status, l.do(l.request(http.MethodPost, hints, asked)).Code)
			assert.EqualValues(t, 1-want, l.counted.Load(), status)
		}
	}
}

// TestExhaustedIsNoAnswer: whatever its status, the message that nothing is left says
// nothing about the request.
func TestExhaustedIsNoAnswer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(400, `{"error":{"details":[{"number":1715}]}}`)})
	l.do(l.request(http.MethodPost, hints, asked))
	l = newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(200, answer)})
	assert.Equal(t, answer, l.do(l.request(http.MethodPost, hints, asked)).Body.String())
	assert.Equal(t, 1, l.guard.Tally().Again)
}

func TestFreeAnswersAreAskedForAndToldInOrder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	var polls atomic.Int64
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: func(w http.ResponseWriter, _ *http.Request) {
		status := "PENDING"
		if polls.Add(1) > 2 {
			status = "CLASSIFIED"
		}
		_, _ = fmt.Fprintf(w, `{"status":%q}`, status)
	}})
	managed := func(l *live) string {
		rec := httptest.NewRecorder()
		l.guard.Handler(avalara.Sandbox, avalara.Managed).ServeHTTP(rec, l.request(http.MethodGet, managedGet, ""))
		return rec.Body.String()
	}
	for range 3 {
		managed(l)
	}
	assert.EqualValues(t, 3, l.counted.Load(), "each one is asked for")
	assert.Zero(t, l.spent())

	replay := newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir})
	var got []string
	for range 3 {
		got = append(got, managed(replay))
	}
	assert.Equal(t, []string{`{"status":"PENDING"}`, `{"status":"CLASSIFIED"}`, `{"status":"CLASSIFIED"}`}, got)
}

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
					code, _ := l.guard.Exit()
					assert.NotZero(t, code)
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
		code, reason := l.guard.Exit()
		assert.Equal(t, 1, code)
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

// TestFailedWriteStopsEveryClient: the tapes of a run's clients are one run's.
func TestFailedWriteStopsEveryClient(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	store, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(t, err)
	tape := guard.NewTape(store, 0)
	first := newLive(t, liveConfig{Mode: guard.Record, Tape: tape.Own(), API: func(w http.ResponseWriter, _ *http.Request) {
		assert.NoError(t, os.RemoveAll(dir))
		assert.NoError(t, os.WriteFile(dir, nil, 0o600))
		_, _ = io.WriteString(w, answer)
	}})
	second := newLive(t, liveConfig{Mode: guard.Record, Tape: tape.Own()})
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
		code, _ := l.guard.Exit()
		assert.Equal(t, 2, code)
		assert.Zero(t, l.counted.Load())
	}
}

func TestSecondAskerWaitsForTheFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	arrived, release := make(chan struct{}), make(chan struct{})
	api := func(w http.ResponseWriter, _ *http.Request) {
		close(arrived) // a second request would panic
		<-release
		_, _ = io.WriteString(w, answer)
	}
	first := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: api})
	second := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: api}) // as of another process
	var group sync.WaitGroup
	group.Go(func() { first.do(first.request(http.MethodPost, hints, asked)) })
	<-arrived

	// One who gives up has bought nothing.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	second.refused(second.do(second.request(http.MethodPost, hints, asked).WithContext(ctx)), guard.RecordingFailed)

	var rec *httptest.ResponseRecorder
	group.Go(func() { rec = second.do(second.request(http.MethodPost, hints, asked)) })
	close(release)
	group.Wait()
	assert.Equal(t, answer, rec.Body.String())
	assert.Zero(t, second.counted.Load())
	assert.Zero(t, second.spent())
}
