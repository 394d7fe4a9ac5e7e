package guard_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/guard"
)

// TestQuarantinedTakeOfASharedRecordingIsNotHandedOver: the recording is where it
// belongs, and what was bought last stands beside it in quarantine.
func TestQuarantinedTakeOfASharedRecordingIsNotHandedOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	body := `{"hsCode":"1"}`
	api := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	assert.Equal(t, http.StatusOK, newLive(t, liveConfig{Recordings: dir, API: api}).post(hints).Code)
	body = base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(realSecret))))
	newLive(t, liveConfig{Recordings: dir, API: api}).post(hints)

	for _, mode := range []guard.Mode{guard.Replay, guard.Record} {
		l := newLive(t, liveConfig{Recordings: dir, Mode: mode, API: api})
		rec := l.post(hints)
		assert.NotContains(t, rec.Body.String(), body, mode)
		assert.Equal(t, string(guard.Policy), rec.Header().Get(guard.VerdictHeader), mode)
		assert.Zero(t, l.spent(), mode)
	}
}
