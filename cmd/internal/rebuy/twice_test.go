package rebuy

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestNothingIsBoughtForARecordingThatIsGone: it was chosen, and removed or damaged before its
// turn. There is nobody here to buy from.
func TestNothingIsBoughtForARecordingThatIsGone(t *testing.T) {
	t.Parallel()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	k := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "x", Method: http.MethodPost, Path: "/x", Body: []byte(`{}`)})
	require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
	read, err := store.Get(k)
	require.NoError(t, err)
	var failed *FailedError
	require.NoError(t, os.WriteFile(read.File, []byte("{"), 0o600))
	_, err = Asker{}.Ask(t.Context(), store, read, nil)
	require.ErrorAs(t, err, &failed)
	require.NoError(t, os.Remove(read.File))
	_, err = Asker{}.Ask(t.Context(), store, read, nil)
	require.ErrorAs(t, err, &failed)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// TestTwoVerifiesBuyOnce: what another verification bought since a recording was read is
// compared, and not bought again: there is nobody here to buy from. Of several answers the
// one that is another one counts, whoever bought it.
func TestTwoVerifiesBuyOnce(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		came    []string
		drifted bool
		answers string
	}{
		"the same":             {[]string{`{"hsCode":"6109.10"}`}, false, `{"hsCode":"6109.10"}`},
		"another":              {[]string{`{"hsCode":"620342"}`}, true, `{"hsCode":"610910"}`},
		"another and the same": {[]string{`{"hsCode":"620342"}`, `{"hsCode":"610910"}`}, true, `{"hsCode":"610910"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
			require.NoError(t, err)
			k := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "x", Method: http.MethodPost, Path: "/x", Body: []byte(`{}`)})
			put := func(body string) {
				require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: 1, Entry: body, Response: recording.Message{Status: 200, Body: []byte(body)}}))
			}
			put(`{"hsCode":"610910"}`)
			read, err := store.Get(k)
			require.NoError(t, err)
			store.Withhold()
			for _, body := range row.came {
				put(body)
			}
			c, err := Asker{}.Ask(t.Context(), store, read, nil)
			require.NoError(t, err)
			assert.Equal(t, row.drifted, c.Drifted())
			assert.Equal(t, row.drifted, c.Pending)
			_, take, err := store.Answer(k)
			require.NoError(t, err)
			assert.Equal(t, row.answers, string(take.Response.Body))
		})
	}
}
