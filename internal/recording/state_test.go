package recording_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// status is a take of cost 1 with the given status.
func status(n int, body string) recording.Take {
	take := answer(body)
	take.Response.Status = n
	return take
}

func TestWhichStatusesAreAnswers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		setting       []string
		answers, none []int
	}{
		"default": {nil, []int{200, 201, 204, 299, 400, 404, 405, 409, 410, 422, 451, 499},
			[]int{0, 99, 100, 101, 300, 301, 304, 401, 402, 403, 407, 408, 429, 500, 502, 503, 504, 599, 600, 999}},
		"a class and a status": {[]string{"2xx", "404"}, []int{200, 299, 404}, []int{199, 300, 400, 403, 405, 500}},
		"what the user says":   {[]string{"429", "5xx"}, []int{429, 500, 599}, []int{200, 428, 600}},
	} {
		s, _ := open(t, recording.Config{Answers: row.setting})
		for want, all := range map[bool][]int{true: row.answers, false: row.none} {
			for _, n := range all {
				assert.Equal(t, want, s.AnswerStatus(n), "%s: %d", name, n)
			}
		}
	}
	for _, wrong := range []string{"", "2", "20", "2x", "x00", "2XX", "600", "6xx", "0xx", "099", "200 ", "-200", "2000", "20x"} {
		_, err := recording.Open(recording.Config{Dir: t.TempDir(), Answers: []string{wrong}})
		assert.ErrorContains(t, err, "is no status such as 404 or 2xx", wrong)
	}
	_, err := recording.Open(recording.Config{Dir: t.TempDir(), Answers: []string{}})
	assert.ErrorContains(t, err, "answers is empty")
}

// TestEvidenceNeverAnswers: a passing failure is kept and asked again, before and
// after an answer.
func TestEvidenceNeverAnswers(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{NeverAnswer: func(n int, body []byte) bool { return n == 400 && bytes.Contains(body, []byte("1715")) }})
	r := classify(`{}`)
	k := put(t, s, r, status(503, `"later"`), status(400, `{"number":1715}`))
	_, _, err := s.Answer(k)
	require.ErrorIs(t, err, recording.ErrMiss)
	var evidence *recording.EvidenceError
	require.ErrorAs(t, err, &evidence)
	assert.Len(t, evidence.Recording.Takes, 2)
	assert.Contains(t, err.Error(), "what came on 2026-03-01 12:00 UTC was 400, which is kept and is no answer")
	_, _, err = s.Serve(new(recording.Cursor), k)
	require.ErrorIs(t, err, recording.ErrMiss)
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Nil(t, rec.Answer())

	put(t, s, r, answer(`"good"`), status(429, `"too many"`))
	rec, take, err := s.Answer(k)
	require.NoError(t, err)
	assert.Equal(t, `"good"`, string(take.Response.Body))
	assert.Len(t, rec.Takes, 4, "each one was paid for, and is kept")
	_, take, err = s.Serve(new(recording.Cursor), k)
	require.NoError(t, err)
	assert.Equal(t, `"good"`, string(take.Response.Body), "and what came after it does not hide the answer")
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(text), `"state": "evidence"`))
	assert.NotContains(t, string(text), `"state": "answer"`)
	assert.Len(t, files(t, root), 1)
}

// TestPolls: what failed in between is not told.
func TestPolls(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	r := classify(`"poll"`)
	failed := poll("FAILED")
	failed.Response.Status = 503
	k := put(t, s, r, poll("PENDING"), failed, poll("PENDING"), failed, poll("CLASSIFIED"))
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 3, "each kind of answer is compared with the last of its own")
	var run recording.Cursor
	for _, want := range []string{"PENDING", "CLASSIFIED", "CLASSIFIED"} {
		_, take, err := s.Serve(&run, k)
		require.NoError(t, err)
		assert.Contains(t, string(take.Response.Body), want)
	}
}

// TestOldRecordingsAreJudged: earlier versions wrote every status down as an answer,
// and a setting that changes counts for what is there.
func TestOldRecordingsAreJudged(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{Answers: []string{"2xx", "503"}})
	k := put(t, s, classify(`{}`), answer(`"good"`), status(503, `"later"`))
	rec, take, err := s.Answer(k)
	require.NoError(t, err)
	assert.Equal(t, 503, take.Response.Status)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "state", "as it was written before there were any")

	read := func(text string, answers ...string) *recording.Take {
		require.NoError(t, os.WriteFile(rec.File, []byte(text), 0o644))
		other, err := recording.Open(recording.Config{Dir: filepath.Join(root, "recordings"), Answers: answers})
		require.NoError(t, err)
		_, take, err := other.Answer(k)
		require.NoError(t, err)
		return take
	}
	assert.Equal(t, 200, read(string(text)).Response.Status)
	assert.Equal(t, 503, read(string(text), "503").Response.Status)

	// What a file says counts more than the setting.
	at := strings.LastIndex(string(text), `"recorded_at"`)
	says := func(state string) string { return string(text[:at]) + `"state": "` + state + `", ` + string(text[at:]) }
	assert.Equal(t, 503, read(says("answer")).Response.Status)
	assert.Equal(t, 200, read(says("evidence"), "2xx", "503").Response.Status)
	assert.Equal(t, 200, read(says("pending"), "2xx", "503").Response.Status)
}
