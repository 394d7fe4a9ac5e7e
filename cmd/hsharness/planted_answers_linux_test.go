package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// harmless asserts that nothing that was printed commands a terminal or a CI system.
func harmless(t *testing.T, of, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, `{"run":`) { // JSON has its own escapes
			continue
		}
		assert.False(t, harm.MatchString(line), "%s: %q", of, line)
	}
}

// TestPlantedAnswersAreHarmless: what an upstream answers is printed no more freely than
// what files say, in the guard's log, in its errors and in the bill.
func TestPlantedAnswersAreHarmless(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	const quiet = "classify 1 >/dev/null 2>&1" // the command's own words are its own
	for name, hook := range map[string]func(w http.ResponseWriter){
		"refused": func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden); _, _ = w.Write([]byte(planted)) },
		"failed": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "x\x1b[2J")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"error":"` + planted + `"}`))
		},
		"answered": func(w http.ResponseWriter) { _, _ = w.Write([]byte(planted)) },
		"no HTTP": func(w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_, _ = conn.Write([]byte("HTTP/1.1 " + strings.ReplaceAll(planted, "\n", " ") + "\r\n\r\n"))
				_ = conn.Close()
			}
		},
		"a header that is none": func(w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n" + strings.ReplaceAll(planted, "\n", " ") + ": \x1b[2J\r\n\r\n"))
				_ = conn.Close()
			}
		},
	} {
		s.on(func(w http.ResponseWriter, _ int64) bool { hook(w); return true })
		for _, args := range [][]string{{"exec", "--suite", planted}, {"exec", "--bill", "-"}} {
			out, err := s.command(append(args, "--verbose", "--mode", "live", "--max-spend", "2", "--", "sh", "-c", quiet)...).CombinedOutput()
			if err != nil {
				assert.Contains(t, string(out), "hsharness: ", name)
			}
			assert.Contains(t, string(out), "level=", "%s: the guard's log is there", name)
			harmless(t, name, string(out))
		}
	}
	assert.Positive(t, s.asked.Load())
}

// TestPlantedTokensAreHarmless: a token is whatever its service says.
func TestPlantedTokensAreHarmless(t *testing.T) {
	t.Parallel()
	quoted := func(text string) string {
		data, err := json.Marshal(text)
		require.NoError(t, err)
		return string(data)
	}
	part := base64.RawURLEncoding.EncodeToString([]byte("{\"a\":\"\u202e\u009b31m ##[error]x\"}"))
	answer, status := "", http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	env := map[string]string{"HSHARNESS_TOKEN_URL": server.URL + "/connect/token", "HSHARNESS_CLIENT_ID": "a", "HSHARNESS_CLIENT_SECRET": "b"}
	for _, row := range []struct {
		status int
		answer string
		code   int
	}{
		{http.StatusOK, `{"token_type":"Bearer","access_token":` + quoted(part+"."+part+"."+strings.ReplaceAll(planted, ".", "")) + `}`, exitOK},
		{http.StatusOK, `{"token_type":"Bearer","access_token":` + quoted(planted) + `}`, exitUpstream},
		{http.StatusBadRequest, `{"error":` + quoted(planted) + `,"error_description":` + quoted(planted) + `}`, exitUpstream},
		{http.StatusOK, planted, exitUpstream},
	} {
		answer, status = row.answer, row.status
		code, stdout, stderr := execute(t, env, "token")
		assert.Equal(t, row.code, code, stdout+stderr)
		harmless(t, row.answer, stdout+stderr)
	}
}
