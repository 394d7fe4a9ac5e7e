package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

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

// TestTheMockAnswersForNoEvidence: what was asked and paid for is not what was never
// bought, whatever the service said to it.
func TestTheMockAnswersForNoEvidence(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{Mode: guard.Record, Recordings: dir, API: text(503, "")})
	l.do(l.request(http.MethodPost, hints, asked))
	l = newLive(t, liveConfig{Mode: guard.Replay, Recordings: dir, Mock: text(200, answer)})
	l.refused(l.do(l.request(http.MethodPost, hints, asked)), guard.Missed)
	rec := l.do(l.request(http.MethodPost, hints, `{"another":"one"}`))
	assert.Equal(t, answer, rec.Body.String())
	assert.Equal(t, string(guard.Unbought), rec.Header().Get(guard.VerdictHeader))
	assert.Equal(t, guard.Tally{Requests: 2, Refused: 1, Missed: 1, MissedUnits: 1, Mocked: 1, Unbought: 1, UnboughtUnits: 1, Price: 1}, l.guard.Tally())

	_, err := guard.New(guard.Config{Mode: guard.Replay, Cassette: &guard.Cassette{Mock: true}})
	require.ErrorContains(t, err, "needs one")
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
