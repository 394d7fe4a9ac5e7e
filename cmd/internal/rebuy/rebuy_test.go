package rebuy

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// A request that would not be the recorded one, or that may not be sent at all,
// is never bought again.
func TestPossible(t *testing.T) {
	for _, row := range []struct {
		name, environment, path, body string
		cost                          int
		want                          bool
	}{
		{"bought", "sandbox", "/hscode/classify", `{"description":"bolt"}`, 1, true},
		{"free", "sandbox", "/hscode/classify", `{"description":"bolt"}`, 0, false},
		{"production", "production", "/hscode/classify", `{"description":"bolt"}`, 1, false},
		{"secret in the body", "sandbox", "/hscode/classify", `{"description":"license-key-1"}`, 1, false},
		{"secret in the path", "sandbox", "/hscode/license-key-1", `{}`, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, err := recording.Open(recording.Config{
				Dir: filepath.Join(t.TempDir(), "recordings"), Secrets: []recording.Secret{{Name: "client_secret", Value: "license-key-1"}},
			})
			require.NoError(t, err)
			header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer abc"}}
			k := store.Key(recording.Request{
				Environment: row.environment, API: "current", Operation: "x", Method: http.MethodPost, Path: row.path, Header: header, Body: []byte(row.body),
			})
			require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: row.cost, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
			r, err := store.Get(k)
			require.NoError(t, err)
			assert.Equal(t, row.want, Possible(store, r))

			r.Takes[len(r.Takes)-1].Request.Body = []byte(`{"description":"another"}`)
			assert.False(t, Possible(store, r), "the request is not that of the key")
		})
	}
}
