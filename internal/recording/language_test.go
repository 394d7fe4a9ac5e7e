package recording_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// in is the same request in a language.
func in(values ...string) recording.Request {
	r := classify(`{"description":"shirt"}`)
	r.Header["Accept-Language"] = values
	return r
}

func TestLanguagesAreApart(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	plain := s.Key(classify(`{"description":"shirt"}`)).Sum
	seen := map[string]string{}
	for i, group := range [][][]string{
		{nil, {""}, {"*"}, {" * "}, {"*;q=0.5"}, {",", " "}},
		{{"en"}, {"EN"}, {" en ;q=1.0"}, {"en;q=1"}, {"en,"}},
		{{"fr"}},
		{{"fr-CA"}, {"fr-ca"}},
		{{"en, fr;q=0.5"}, {"fr;q=0.50 ,en"}, {"en", "fr; q=.5"}, {"fr;q=0.5", "en"}},
		{{"en;q=0.5, fr"}},
		{{"en, fr"}},
		{{"fr, en"}},
		{{"en, *;q=0.5"}},
		{{"en, *;q=0"}},
		{{"en;q=high"}},
		{{"en;level=1"}},
		{{"en;q=2"}},
	} {
		sum := s.Key(in(group[0]...)).Sum
		assert.Empty(t, seen[sum], "%q", group[0])
		seen[sum] = fmt.Sprintf("the key of %q", group[0])
		for _, same := range group {
			assert.Equal(t, sum, s.Key(in(same...)).Sum, "%q and %q", group[0], same)
		}
		assert.Equal(t, i == 0, sum == plain, "%q: recordings from before have the key without a language", group[0])
	}
}

// TestFrenchIsNotAnsweredInEnglish: each language has a recording of its own.
func TestFrenchIsNotAnsweredInEnglish(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{Headers: []string{"X-Country"}})
	german := in("de")
	german.Header.Set("X-Country", "AT")
	requests := map[string]recording.Request{`"any"`: in(), `"en"`: in("en"), `"de"`: in("de"), `"de-AT"`: german}
	for want, r := range requests {
		_, err := s.Get(s.Key(r))
		require.ErrorIs(t, err, recording.ErrMiss, want)
		put(t, s, r, answer(want))
	}
	for want, r := range requests {
		rec, err := s.Get(s.Key(r))
		require.NoError(t, err)
		assert.Equal(t, want, string(rec.Latest().Response.Body))
	}
	_, err := s.Get(s.Key(in("fr")))
	require.ErrorIs(t, err, recording.ErrMiss)
	assert.Len(t, files(t, root), 4)

	_, differ, err := s.Nearest(in("fr"))
	require.NoError(t, err)
	require.Len(t, differ, 1)
	assert.Equal(t, "headers.Accept-Language", differ[0].Path)
	assert.Equal(t, "fr", differ[0].Asked)
}

// older makes the file of a key one of a version that did not count headers.
func older(t *testing.T, s *recording.Store, k recording.Key) {
	t.Helper()
	rec, err := s.Get(k)
	require.NoError(t, err)
	text, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	from, to := bytes.Index(text, []byte(`  "key_headers"`)), bytes.Index(text, []byte(`  "takes"`))
	require.Positive(t, from)
	require.NoError(t, os.WriteFile(rec.File, append(text[:from:from], text[to:]...), 0o644))
}

// TestRecordingsFromBeforeAnswer: what a recording was asked with in a language that
// did not count yet is not known, and it was paid for.
func TestRecordingsFromBeforeAnswer(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{Headers: []string{"X-Country", "X-Tenant"}})
	k := put(t, s, in(), answer(`"from before"`))
	older(t, s, k)
	french := in("fr;q=0.5, de-AT")
	french.Header.Set("X-Country", "FR")
	for _, r := range []recording.Request{in(), in("*"), in("en"), french} {
		rec, err := s.Get(s.Key(r))
		require.NoError(t, err)
		assert.Equal(t, k.Sum, rec.Key)
	}

	// One that knows is better.
	put(t, s, french, answer(`"français"`))
	rec, err := s.Get(s.Key(french))
	require.NoError(t, err)
	assert.Equal(t, `"français"`, string(rec.Latest().Response.Body))
	require.Len(t, files(t, root), 2, "nothing is added to the old one")
	rec, err = s.Get(k)
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 1)

	// What failed in a language hides no answer that was paid for.
	put(t, s, in("es"), status(503, `"más tarde"`))
	rec, err = s.Get(s.Key(in("es")))
	require.NoError(t, err)
	assert.Equal(t, `"from before"`, string(rec.Latest().Response.Body))

	// Bought again, it is known what it was asked with: no language.
	put(t, s, in(), status(503, `"later"`))
	_, err = s.Get(s.Key(in("en")))
	require.NoError(t, err, "the answer is still the old one")
	put(t, s, in(), answer(`"now"`))
	_, err = s.Get(s.Key(in("en")))
	require.ErrorIs(t, err, recording.ErrMiss)
}

// TestOldAnswerInAnotherLanguage: where the old answer says its language, that counts.
func TestOldAnswerInAnotherLanguage(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	take := answer(`"shirt"`)
	take.Response.Header = http.Header{"Content-Language": {"en-US, de"}}
	older(t, s, put(t, s, in(), take))
	for wanted, want := range map[string]bool{
		"": true, "en": true, "EN-gb, fr": true, "de-AT": true, "fr, *;q=0.1": true,
		"fr": false, "fr, en;q=0": false, "fr, *;q=0": false,
	} {
		_, err := s.Get(s.Key(in(wanted)))
		assert.Equal(t, want, err == nil, "%s: %v", wanted, err)
	}
}

// TestManyHeaders bounds the search for recordings from before.
func TestManyHeaders(t *testing.T) {
	t.Parallel()
	var names []string
	r := in("de")
	for i := range 40 {
		names = append(names, fmt.Sprintf("X-%d", i))
		r.Header.Set(names[i], "x")
	}
	s, _ := open(t, recording.Config{Headers: names})
	_, err := s.Get(s.Key(r))
	require.ErrorIs(t, err, recording.ErrMiss)
	older(t, s, put(t, s, in(), answer(`1`)))
	_, err = s.Get(s.Key(r))
	require.NoError(t, err)
}
