package session_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/session"
)

// What was never bought fails a replay, unless it is told otherwise: in CI by the project
// file alone.
func TestOnMiss(t *testing.T) {
	t.Parallel()
	const mock = real + "recordings: { on_miss: mock }\n"
	ci := map[string]string{"CI": "true"}
	for name, row := range map[string]struct {
		text    string
		typed   string
		environ map[string]string
		mode    guard.Mode
		status  int // 0 is a session that can't be opened
		said    string
	}{
		"nothing is said":      {real, "", nil, guard.Replay, 424, ""},
		"the file":             {mock, "", nil, guard.Replay, 200, ""},
		"what is typed":        {real, "mock", nil, guard.Replay, 200, ""},
		"typed against it":     {mock, "fail", nil, guard.Replay, 424, ""},
		"CI":                   {real, "", ci, guard.Replay, 424, ""},
		"CI, the file":         {mock, "", ci, guard.Replay, 200, ""},
		"CI, typed":            {real, "mock", ci, guard.Replay, 0, ""},
		"CI, both":             {mock, "mock", ci, guard.Replay, 200, ""},
		"CI, typed against it": {mock, "fail", ci, guard.Replay, 424, ""},
		"CI is off":            {real, "mock", map[string]string{"CI": "false"}, guard.Replay, 200, ""},
		"offline":              {real, "mock", nil, guard.Offline, 200, "what was never bought comes from the mock in mode replay, and this run is offline"},
		"the file, offline":    {mock, "", nil, guard.Offline, 200, ""},
	} {
		p, getenv := read(t, row.text, row.environ)
		var said []string
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: row.mode, By: "--mode"}}, OnMiss: row.typed,
			Warn: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		})
		if row.status == 0 {
			var refused *session.CIMissError
			require.ErrorAs(t, err, &refused, name)
			assert.Equal(t, p.File, refused.File)
			continue
		}
		require.NoError(t, err, name)
		st, err := s.Services(row.mode, nil)
		require.NoError(t, err, name)
		token, err := st.Token(t.Context(), avalara.Sandbox, avalara.HostOf(avalara.Sandbox, avalara.Current).Scopes[0])
		require.NoError(t, err, name)
		base, err := st.APIURL(avalara.Sandbox, avalara.Current)
		require.NoError(t, err, name)
		r, err := http.NewRequest(http.MethodPost, base+"/hscode/classify", bytes.NewBufferString(`{"description":"wool scarf","countryOfDestination":"US"}`))
		require.NoError(t, err, name)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err, name)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, row.status, resp.StatusCode, name)
		assert.Equal(t, row.said, strings.Join(said, "\n"), name)
		require.NoError(t, st.Close())
		s.Close()
	}
}
