package recording_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestStoreKeepsNothingOfWhatItBuysAgain: a gateway in mode live buys the same for days,
// and asks no recording: each take is in the file, and none stays in memory.
func TestStoreKeepsNothingOfWhatItBuysAgain(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	for i := range 60 {
		k := s.Key(classify(fmt.Sprintf(`{"a":%d}`, i%3)))
		require.NoError(t, s.Ready(t.Context(), k))
		require.NoError(t, s.Put(t.Context(), k, answer(fmt.Sprint(i))))
	}
	files, bytes := s.Cached()
	assert.Zero(t, files)
	assert.Zero(t, bytes)
	rec, err := s.Get(s.Key(classify(`{"a":2}`)))
	require.NoError(t, err)
	assert.Len(t, rec.Takes, 20, "nothing that was paid for is lost")
	assert.Equal(t, "59", string(rec.Answer().Response.Body))
	files, bytes = s.Cached()
	assert.Equal(t, 1, files, "what is asked for is kept")
	info, err := os.Stat(rec.File)
	require.NoError(t, err)
	assert.Equal(t, info.Size(), bytes)
}

// TestCacheHasALimitOfBytes: a few long recordings count as many short ones, and what is
// not kept answers all the same.
func TestCacheHasALimitOfBytes(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	const most = 320 << 10
	s.LimitCache(most)
	long := `"` + strings.Repeat("x", 30<<10) + `"`
	for round := range 2 {
		for i := range 14 {
			k := s.Key(classify(fmt.Sprintf(`{"a":%d}`, i)))
			if round == 0 {
				require.NoError(t, s.Put(t.Context(), k, answer(long)))
			}
			for range 2 {
				rec, err := s.Get(k)
				require.NoError(t, err)
				require.Equal(t, long, string(rec.Answer().Response.Body))
			}
			files, bytes := s.Cached()
			require.Positive(t, files)
			require.LessOrEqual(t, bytes, int64(most))
			require.GreaterOrEqual(t, bytes, int64(files)*30<<10)
		}
	}
}

// TestFullFileIsSaidBeforeItIsPaidFor: all takes of a request are in one file, which can't
// grow for ever. What would not fit is not bought, and the way out that is told works.
func TestFullFileIsSaidBeforeItIsPaidFor(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	s.LimitFiles(100_000)
	k := s.Key(classify(`{"a":1}`))
	require.NoError(t, s.Ready(t.Context(), k))
	require.NoError(t, s.Put(t.Context(), k, answer(`"`+strings.Repeat("x", 50_000)+`"`)))
	rec, err := s.Get(k)
	require.NoError(t, err)

	err = s.Ready(t.Context(), k)
	var unwritable *recording.UnwritableError
	require.ErrorAs(t, err, &unwritable)
	require.ErrorContains(t, err, "so nothing is bought")
	require.ErrorContains(t, err, "100000 at most can be read again: call it otherwise, such as "+rec.File+".full")
	require.NoError(t, s.Put(t.Context(), k, answer("2")), "what was bought all the same is kept while it fits")

	require.NoError(t, os.Rename(rec.File, rec.File+".full"))
	require.NoError(t, s.Ready(t.Context(), k))
	require.NoError(t, s.Put(t.Context(), k, answer("3")))
	rec, err = s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, "3", string(rec.Answer().Response.Body))
	assert.Len(t, rec.Takes, 1)
}
