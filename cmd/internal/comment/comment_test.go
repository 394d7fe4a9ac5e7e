package comment

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
)

func open(t *testing.T, dir string) *recording.Store {
	t.Helper()
	s, err := recording.Open(recording.Config{Dir: dir})
	require.NoError(t, err)
	return s
}

// bought writes an answer to a description down.
func bought(t *testing.T, s *recording.Store, description, answer string) {
	t.Helper()
	k := s.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: "POST", Path: "/hscode/classify",
		Body: []byte(`{"description":"` + description + `","countryOfDestination":"US"}`),
	})
	require.NoError(t, s.Put(context.Background(), k, recording.Take{
		Cost: 1, Entry: description + answer, Response: recording.Message{Status: 200, Body: []byte(answer)},
	}))
}

// What has no end, such as what is said of recordings that can't be read, keeps no comment from
// being taken.
func TestCommentIsTaken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("recordings/a.json: <|> can't be read; ", 10_000)
	text := Costs{NoChanges: long, Base: long, After: &report.Bill{Verdict: "failed", Reason: long}, Left: "some"}.Text()
	assert.Less(t, len(text), 65_536)
	assert.Equal(t, 4, strings.Count(text, "</code>"), "%s", text)
	assert.Contains(t, text, "…</code>")
	assert.Contains(t, text, "\nsome\n")
}

// TestText is the whole comment, word for word.
func TestText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	was, is := open(t, filepath.Join(dir, "was", "recordings")), open(t, filepath.Join(dir, "is", "recordings"))
	for _, s := range []*recording.Store{was, is} {
		bought(t, s, "tea", `{"hsCode":"0902.10"}`)
	}
	bought(t, was, "t-shirt", `{"hsCode":"6109.10","alternatives":[{"code":"6109.90","p":0.1}],"id":"1"}`)
	bought(t, is, "t-shirt", `{"hsCode":"6203.42","alternatives":[{"code":"6109.90","p":0.2}],"id":"2"}`)
	bought(t, was, "cup", `{"hsCode":"6912.00","confidence":0.5}`)
	bought(t, is, "cup", `{"hsCode":"6912.00","confidence":0.6}`)
	bought(t, was, "old", `{"hsCode":"0902.10"}`)
	bought(t, is, "new", `{"hsCode":"0902.10"}`)
	changes, err := Compare(was, is)
	require.NoError(t, err)
	c := Costs{
		Name: "test/replay", Base: "main", Changes: changes, Left: "Units left for ordinary runs: 32 of 100.",
		Before: &report.Bill{WouldHaveSpent: 40, Verdict: "ok"},
		After:  &report.Bill{WouldHaveSpent: 40, Missed: 2, MissedUnits: 3, Verdict: "missed", Reason: "no recording: 2\n  nearest: /home/runner/a.json"},
	}
	first, rest, _ := strings.Cut(c.Text(), "\n")
	assert.Regexp(t, `^<!-- hsharness test/replay [0-9a-f]{64} -->$`, first)
	file := changes.Codes[0].File
	assert.Equal(t, `### hsharness: what this change costs

| | <code>main</code> | this change |
|---|--:|--:|
| price of the suite, in units | 40 | **43** (+3) |
| requests without a recording | 0 | 2, which cost at most 3 units |

**Codes that changed: 1**

| request | recording | was | is |
|---|---|---|---|
| <code>US · t-shirt</code> | <code>`+strings.ReplaceAll(file, "_", "&#95;")+`</code> | <code>6109.10</code> | <code>6203.42</code> |

New answers: 1. Removed: 1. Answers that differ in something else: 1.

The run ended with the verdict <code>missed</code>: <code>no recording: 2</code>

Units left for ordinary runs: 32 of 100.
`, rest)
	assert.FileExists(t, filepath.Join(is.Dir(), filepath.FromSlash(file)))
}

// TestUnknownBefore says what is not known, and makes nothing up.
func TestUnknownBefore(t *testing.T) {
	t.Parallel()
	c := Costs{Name: "a", After: &report.Bill{WouldHaveSpent: 3, Spent: 1, Verdict: "ok"}, NoChanges: "git fetch: no such commit"}
	text := c.Text()
	assert.Contains(t, text, "| price of the suite, in units | not known | 4 |")
	assert.Contains(t, text, "| units bought by this run | | 1 |")
	assert.Contains(t, text, "What changed in the recordings is not known: <code>git fetch: no such commit</code>")
	assert.False(t, c.settled())
}

// TestPlantedTexts plants what others may write where it would end a cell or the mark,
// mention somebody, or be a command of the system.
func TestPlantedTexts(t *testing.T) {
	t.Parallel()
	evil := "--><img src=x>|`@all`\n/close\n#1 **b** [a](https://evil.example) \x1b[31m \u202e"
	c := Costs{
		Name: evil, Base: evil, NoChanges: evil,
		After: &report.Bill{Verdict: evil, Reason: evil},
	}
	full := c
	full.Changes = &Changes{Codes: []Code{{Request: evil, File: evil, Was: evil, Is: evil}}}
	for _, text := range []string{c.Text(), full.Text()} {
		first, rest, _ := strings.Cut(text, "\n")
		assert.Equal(t, 1, strings.Count(first, "-->"))
		assert.Equal(t, 1, strings.Count(first, ">"))
		for line := range strings.Lines(rest) {
			assert.NotRegexp(t, `^\s*/`, line, "a command of GitLab")
			outside := codeSpan.ReplaceAllString(line, "")
			assert.NotRegexp(t, `@|<|evil`, outside, "of others is in code alone")
		}
		assert.NotContains(t, rest, "<img")
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\u202e")
		for _, span := range codeSpan.FindAllString(rest, -1) {
			assert.NotRegexp(t, "[|`*_\\[\\n]", span)
		}
	}
}

// TestManyCodes lists some, and counts all.
func TestManyCodes(t *testing.T) {
	t.Parallel()
	c := Costs{After: &report.Bill{Verdict: "ok"}, Changes: &Changes{Codes: make([]Code, 400)}}
	text := c.Text()
	assert.Contains(t, text, "Codes that changed: 400")
	assert.Contains(t, text, "and 375 more.")
	assert.Less(t, len(text), 60_000, "GitHub takes 65,536 letters")
}

// TestAnotherStatusIsAChange, also where both answers have the same text.
func TestAnotherStatusIsAChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	was, is := open(t, filepath.Join(dir, "was", "recordings")), open(t, filepath.Join(dir, "is", "recordings"))
	for status, s := range map[int]*recording.Store{200: was, 400: is} {
		k := s.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "POST /x", Method: "POST", Path: "/x"})
		require.NoError(t, s.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: status, Body: []byte(`{}`)}}))
	}
	changes, err := Compare(was, is)
	require.NoError(t, err)
	assert.Equal(t, &Changes{Other: 1}, changes)
}

// TestDamagedRecording is no change that could be told.
func TestDamagedRecording(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	was, is := open(t, filepath.Join(dir, "was", "recordings")), open(t, filepath.Join(dir, "is", "recordings"))
	bought(t, is, "tea", `{"hsCode":"0902.10"}`)
	require.NoError(t, os.WriteFile(is.Written().Shared[0], []byte("{"), 0o600))
	_, err := Compare(was, is)
	assert.Error(t, err)
}
