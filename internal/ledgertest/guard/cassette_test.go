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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
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
		assert.Equal(t, guard.Tally{Requests: 1, Refused: 1, Missed: 1, MissedUnits: 1}, l.guard.Tally())
		verdict, reason := l.guard.Verdict()
		assert.Equal(t, guard.Missed, verdict)
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
	second.refused(second.do(second.request(http.MethodPost, hints, asked).WithContext(ctx)), guard.Cancelled)

	var rec *httptest.ResponseRecorder
	group.Go(func() { rec = second.do(second.request(http.MethodPost, hints, asked)) })
	close(release)
	group.Wait()
	assert.Equal(t, answer, rec.Body.String())
	assert.Zero(t, second.counted.Load())
	assert.Zero(t, second.spent())
}
