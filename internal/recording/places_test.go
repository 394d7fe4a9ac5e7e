package recording_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// below is a body with n values below one long name, the values made by a format.
func below(name, n int, format string) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(format, i)
	}
	return `{"` + strings.Repeat("n", name) + `":[` + strings.Join(values, ",") + `]}`
}

// TestPlacesOfManySecrets: a body of a megabyte named the place of each of thousands of
// tokens in it, each as long as the name above them: gigabytes in memory, and in the file.
func TestPlacesOfManySecrets(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	body := below(100_000, 2000, `"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.%d"`)
	k := put(t, s, classify(body), answer(body))
	rec, err := s.Get(k)
	require.NoError(t, err)
	info, err := os.Stat(rec.File)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(5<<20))
	told := rec.Takes[0].Redactions
	assert.Len(t, told, 2000, "a thousand of each body")
	assert.Len(t, told[0], len("request.json.")+999+len("…"), "its beginning")
	assert.True(t, strings.HasPrefix(told[1999], "response.json.nnn"))
	assert.NotContains(t, string(rec.Takes[0].Response.Body), "eyJ", "all are taken out")
}

// TestNearestBelowALongName: what a request has at each place was kept with the name above
// it, of the request and of each recording.
func TestNearestBelowALongName(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	s, _ := open(t, recording.Config{})
	put(t, s, classify(below(200_000, 1000, "%d")), answer(`1`))
	put(t, s, classify(`{"description":"espresso machine"}`), answer(`1`))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, diff, err := s.Nearest(classify(below(200_000, 1000, "9%d")))
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	require.Len(t, diff, 1)
	assert.Equal(t, "body", diff[0].Path)
}
