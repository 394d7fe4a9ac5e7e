package guard_test

import (
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
)

// TestTransportReadsNamesOfHeadersAsAServerDoes: one in small letters goes to the sandbox
// like any other, so its answer is in that language and answers nobody else.
func TestTransportReadsNamesOfHeadersAsAServerDoes(t *testing.T) {
	l := newLive(t, liveConfig{Recordings: filepath.Join(t.TempDir(), "recordings"), Mode: guard.Record, API: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+r.Header.Get("Accept-Language")+`"`)
	}})
	for _, language := range []string{"de", ""} {
		r := l.outgoing(t.Context(), http.MethodPost, hints, `{}`)
		if language != "" {
			r.Header["accept-language"] = []string{language} //nolint:canonicalheader // as some programs do
		}
		resp, err := l.client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, `"`+language+`"`, string(body))
	}
	assert.Equal(t, 2, l.spent())
}
