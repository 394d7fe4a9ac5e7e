package typed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2026-05-03": time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), "0001-01-01": time.Time{}.Add(1), "0001-01-01T01:00:00+01:00": time.Time{}.Add(1), "30d": now.AddDate(0, 0, -30), "12h": now.Add(-12 * time.Hour),
	} {
		got, err := Since("--until", text, now)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"yesterday", "-1d", "30", "2026-13-01", "12"} {
		_, err := Since("--until", text, now)
		assert.ErrorContains(t, err, "--until", text)
	}
}

func TestOlderThan(t *testing.T) {
	t.Parallel()
	age, err := OlderThan("180d")
	require.NoError(t, err)
	assert.Equal(t, 180*24*time.Hour, age)
	for _, text := range []string{"old", "-1d", "1"} {
		assert.Error(t, CheckAge(text), text)
	}
}
