package recording_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestWithheldTakeAnswersNothing buys an answer again to compare it: the one before
// goes on answering, over other stores too, until the new one is accepted.
func TestWithheldTakeAnswersNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	open := func() *recording.Store {
		s, err := recording.Open(recording.Config{Dir: dir})
		require.NoError(t, err)
		return s
	}
	request := recording.Request{Environment: "sandbox", API: "current", Operation: "POST /x", Method: http.MethodPost, Path: "/x", Body: []byte(`{"a":1}`)}
	put := func(s *recording.Store, status int, body string) {
		t.Helper()
		require.NoError(t, s.Put(t.Context(), s.Key(request), recording.Take{
			Cost: 1, Entry: body, Response: recording.Message{Status: status, Body: []byte(body)},
		}))
	}
	answers := func(want string) *recording.Recording {
		t.Helper()
		s := open()
		rec, take, err := s.Answer(s.Key(request))
		require.NoError(t, err)
		assert.Equal(t, want, string(take.Response.Body))
		return rec
	}
	put(open(), 200, `"one"`)
	rec := answers(`"one"`)
	require.ErrorIs(t, open().Accept(t.Context(), rec), recording.ErrNothingPending)

	verifying := open()
	verifying.Withhold()
	put(verifying, 200, `"two"`)
	put(verifying, 200, `"three"`)
	put(verifying, 503, `"busy"`) // is no answer, and never will be
	rec = answers(`"one"`)
	require.Len(t, rec.Takes, 4)
	assert.Equal(t, `"three"`, string(rec.Waiting().Response.Body))

	accepting := open()
	require.NoError(t, accepting.Accept(t.Context(), rec))
	rec = answers(`"three"`)
	assert.Nil(t, rec.Waiting())
	var states []recording.State
	for i := range rec.Takes {
		states = append(states, rec.Takes[i].Standing())
	}
	assert.Equal(t, []recording.State{recording.Answer, recording.Evidence, recording.Answer, recording.Evidence}, states)
	assert.Equal(t, 4, rec.Paid(), "what was paid for is kept")
	assert.Equal(t, []string{rec.File}, accepting.Written().Shared)
	require.ErrorIs(t, open().Accept(t.Context(), rec), recording.ErrNothingPending)
	put(verifying, 200, `"four"`)
	put(open(), 200, `"five"`) // bought on purpose
	assert.Nil(t, answers(`"five"`).Waiting(), "an answer followed")
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(text), "pending"))
	assert.Equal(t, 2, strings.Count(string(text), `"evidence"`))
}

// TestAcceptTakesWhatWasSeen: another verification may have bought another answer since
// somebody looked, or found the one before equal.
func TestAcceptTakesWhatWasSeen(t *testing.T) {
	t.Parallel()
	s, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	k := s.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "POST /x", Method: http.MethodPost, Path: "/x", Body: []byte(`{}`)})
	put := func(body string) {
		require.NoError(t, s.Put(t.Context(), k, recording.Take{Cost: 1, Entry: body, Response: recording.Message{Status: 200, Body: []byte(body)}}))
	}
	put(`"one"`)
	s.Withhold()
	put(`"seen"`)
	seen, err := s.Get(k)
	require.NoError(t, err)
	put(`"unseen"`)
	require.NoError(t, s.Accept(t.Context(), seen))
	rec, take, err := s.Answer(k)
	require.NoError(t, err)
	assert.Equal(t, `"seen"`, string(take.Response.Body))
	require.NotNil(t, rec.Waiting(), "the other goes on waiting")
	assert.Equal(t, `"unseen"`, string(rec.Waiting().Response.Body))
	require.ErrorIs(t, s.Accept(t.Context(), seen), recording.ErrNothingPending, "it was accepted already")
}
