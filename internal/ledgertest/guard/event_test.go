package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// events reads the lines of a JSON log, without the times.
func events(t *testing.T, log *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for dec := json.NewDecoder(log); dec.More(); {
		var e map[string]any
		require.NoError(t, dec.Decode(&e))
		assert.Contains(t, e, "took")
		delete(e, "took")
		delete(e, "time")
		all = append(all, e)
	}
	return all
}

func TestLogHasOneEventARequest(t *testing.T) {
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "recordings")
	l := newLive(t, liveConfig{
		Mode: guard.Record, Recordings: dir, Max: 1, API: text(200, answer), Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	r := l.request(http.MethodPost, hints+"?secret=of-mine", asked)
	r.Header.Set(guard.TestHeader, "TestShirt")
	require.Equal(t, 200, l.do(r).Code)
	require.Equal(t, 200, l.do(l.request(http.MethodPost, hints+"?secret=of-mine", asked)).Code)
	l.refused(l.post(hints), guard.Blocked)
	bad := l.request(http.MethodPost, hints, asked)
	bad.Header.Set("Authorization", "Bearer "+dummyToken(t, avalara.ScopeHSCode, l.now.Add(-2*time.Hour)))
	require.Equal(t, 401, l.do(bad).Code)
	l.refused(l.post("/unheard/of"), guard.Policy)

	for _, private := range []string{"secret=of-mine", "t-shirt", "6109100000", "Bearer", "real-1", realSecret} {
		assert.NotContains(t, log.String(), private)
	}
	got := events(t, &log)
	require.Len(t, got, 5)
	key, _ := got[0]["key"].(string)
	require.Len(t, key, 64)
	about := func(level, verdict string, units float64, more map[string]any) map[string]any {
		e := map[string]any{
			"level": level, "msg": "request", "verdict": verdict, "units": units, "environment": "sandbox", "api": "current",
			"method": "POST", "path": hints,
		}
		for k, v := range more {
			e[k] = v
		}
		return e
	}
	assert.Equal(t, about("INFO", "bought", 1, map[string]any{"status": 200.0, "key": key, "entry": "s1", "test": "TestShirt"}), got[0])
	assert.Equal(t, about("INFO", "replayed", 1, map[string]any{"status": 200.0, "key": key}), got[1])
	assert.Equal(t, about("WARN", "blocked", 1, map[string]any{"key": got[2]["key"]}), got[2])
	assert.NotEqual(t, key, got[2]["key"])
	assert.Equal(t, about("WARN", "unauthorized", 0, map[string]any{"status": 401.0}), got[3])
	assert.Equal(t, about("WARN", "policy", 0, map[string]any{"path": "/unheard/of"}), got[4])

	// The ledger knows the recording that a unit bought, for its reports.
	l.end()
	for e, err := range l.store.Entries(context.Background(), 0) {
		require.NoError(t, err)
		if e.Kind == quota.KindSpend {
			assert.Equal(t, key, e.RequestKey)
		}
	}
}
