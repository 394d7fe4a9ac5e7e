package rebuy

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
)

// TestAcceptOfACopy: a take that waits in an emergency copy is brought home first, and
// nothing is accepted meanwhile.
func TestAcceptOfACopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(dir, "recordings")})
	require.NoError(t, err)
	put := func(body string) {
		k := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "x", Method: http.MethodPost, Path: "/x", Body: []byte(body)})
		require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
	}
	store.Withhold()
	put(`{"a":1}`)
	home := store.Written().Shared[0]
	put(`{"a":2}`)
	copied := filepath.Join(dir, ".hsharness", "emergency", "x", filepath.Base(home))
	require.NoError(t, os.MkdirAll(filepath.Dir(copied), 0o700))
	require.NoError(t, os.Rename(home, copied))

	all, err := store.List()
	require.NoError(t, err)
	require.Len(t, all, 2)
	accepted, err := Accept(t.Context(), store, all, true, nil)
	assert.Contains(t, hint.Text(err), "bring it home first: hsharness recordings recover")
	assert.Empty(t, accepted)

	_, err = store.Recover(t.Context(), copied)
	require.NoError(t, err)
	all, err = store.List()
	require.NoError(t, err)
	accepted, err = Accept(t.Context(), store, all, true, nil)
	require.NoError(t, err)
	assert.Len(t, accepted, 2)
	_, err = Accept(t.Context(), store, all[:1], false, nil)
	assert.ErrorIs(t, err, recording.ErrNothingPending, "another accepted it meanwhile")
}
