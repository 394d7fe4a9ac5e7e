package pace_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]pace.Rate{
		"20/1m": {Turns: 20, Per: time.Minute}, "25/1s": {Turns: 25, Per: time.Second},
		"99999/24h": {Turns: 99999, Per: 24 * time.Hour}, "1/90s": {Turns: 1, Per: 90 * time.Second},
	} {
		got, err := pace.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, text, got.String())
	}
	for _, text := range []string{"", "/", "20", "20/", "/1m", "0/1m", "-1/1m", "+1/1m", "020/1m", "20/m", "20/0s", "20/1", "20/01m", "20/1d", "20/1ms", "20/25h", "100000/1s", "20/100000s", "20/1m/1s", " 20/1m", "20/1m "} {
		_, err := pace.Parse(text)
		assert.ErrorContains(t, err, "is no rate, want "+pace.Wanted, text)
	}
}

// FuzzParse: what is taken is what the schema takes, and reads the same again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"20/1m", "25/1s", "99999/24h", "20/1d", "020/1m", ""} {
		f.Add(text)
	}
	form := regexp.MustCompile(pace.Form)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := pace.Parse(text)
		if err != nil {
			if form.MatchString(text) {
				per, _ := time.ParseDuration(text[len(regexp.MustCompile(`^[0-9]+/`).FindString(text)):])
				assert.Greater(t, per, 24*time.Hour, text)
			}
			return
		}
		assert.Regexp(t, form, text)
		assert.Positive(t, r.Margin())
		again, err := pace.Parse(r.String())
		require.NoError(t, err, r.String())
		assert.Equal(t, r, again)
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"30": 30 * time.Second, " 7 ": 7 * time.Second, "0": time.Second, "3600": time.Hour, "3601": time.Hour,
		"99999999999999999999": pace.LongestPause, "Sun, 29 Nov 2026 12:00:40 GMT": 40 * time.Second,
		"Sun, 29 Nov 2026 11:00:00 GMT": time.Second, "Sunday, 29-Nov-26 12:00:05 GMT": 5 * time.Second, "Sun Nov 29 12:00:06 2026": 6 * time.Second,
	} {
		got, ok := pace.RetryAfter(http.Header{"Retry-After": {text}}, now)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "+1", "1.5", "1s", "soon", "0x10", "30, 40", "2026-11-29T12:00:40Z"} {
		_, ok := pace.RetryAfter(http.Header{"Retry-After": {text}}, now)
		assert.False(t, ok, text)
	}
	_, ok := pace.RetryAfter(http.Header{"Retry-After": {"1", "2"}}, now)
	assert.False(t, ok, "two")
	_, ok = pace.RetryAfter(http.Header{}, now)
	assert.False(t, ok, "none")
	got, ok := pace.RetryAfter(http.Header{"Retry-After": {"Sun, 29 Nov 2026 12:00:40 GMT"}, "Date": {"Sun, 29 Nov 2026 12:00:30 GMT"}}, now)
	assert.True(t, ok)
	assert.Equal(t, 10*time.Second, got, "by the clock of the answer")
}

// FuzzRetryAfter: whatever it says, the pause has its bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"30", "0", "99999999999999999999", "Sun, 29 Nov 2026 12:00:40 GMT", "-1", ""} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, text, date string) {
		wait, ok := pace.RetryAfter(http.Header{"Retry-After": {text}, "Date": {date}}, time.Unix(0, 0))
		assert.Equal(t, ok, wait > 0)
		assert.LessOrEqual(t, wait, pace.LongestPause)
	})
}
