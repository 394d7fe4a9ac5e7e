package harness_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// TestInsideExecWhoseGuardGoesAwayATestFails has a client that swallows its errors, so
// that nobody but the harness can notice.
func TestInsideExecWhoseGuardGoesAwayATestFails(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, rec *recorder) (h *harness.Harness, end func()){
		"a test": func(_ *testing.T, rec *recorder) (*harness.Harness, func()) {
			return harness.Start(rec, harness.Options{}), rec.end
		},
		"no test": func(t *testing.T, rec *recorder) (*harness.Harness, func()) {
			h, err := harness.New(harness.Options{})
			require.NoError(t, err)
			return h, func() {
				if err := h.Close(); err != nil {
					rec.Errorf("%v", err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			outer, rec := inside(t), &recorder{TB: t}
			h, end := start(t, rec)
			_, err := classify(h.Client(), h.APIURL(), "laptop")
			require.NoError(t, err)
			require.NoError(t, outer.Close())
			_, err = classify(h.Client(), h.APIURL(), "shirt")
			require.Error(t, err, "which the client swallows")
			end()
			require.Len(t, rec.errors, 1)
			assert.Contains(t, rec.errors[0], "harness: what became of this test's requests can't be asked: the guard around this process is gone (")
			assert.Contains(t, rec.errors[0], "start again: hsharness exec -- ")
			assert.Empty(t, rec.fatal)
		})
	}
}

// standIn is a guard that leaves one call without an answer, or without the rest of it.
func standIn(t *testing.T, leaves, answer string) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method+" "+r.URL.Path != leaves {
			mux.ServeHTTP(w, r)
			return
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			_, _ = fmt.Fprint(connection, answer) // what is not read is not missed
			assert.NoError(t, connection.Close())
		}
	}))
	t.Cleanup(server.Close)
	says := func(pattern string, status int, body any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			assert.NoError(t, json.NewEncoder(w).Encode(body))
		})
	}
	says("POST /clients", http.StatusCreated, services.ClientAnswer{ID: "c", Endpoints: services.Endpoints{ControlURL: server.URL}})
	says("POST /clock", http.StatusOK, services.Time{})
	says("GET /tally", http.StatusOK, guard.Tally{})
	says("GET /verdict", http.StatusOK, services.Outcome{})
	says("DELETE /clients/c", http.StatusOK, services.Ended{})
	t.Setenv("HSHARNESS_CONTROL_URL", server.URL)
}

// TestInsideExecAGuardMayGoOnceAllIsKnown: of one that went before, at whatever moment, a
// test can't tell what it refused.
func TestInsideExecAGuardMayGoOnceAllIsKnown(t *testing.T) {
	const part = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
	for _, c := range []struct {
		leaves, answer string
		fails          bool
	}{
		{"GET /tally", "", true},
		{"GET /tally", part, true},
		{"GET /verdict", "", true},
		{"GET /verdict", part, true},
		{"DELETE /clients/c", "", false},
		{"DELETE /clients/c", part, false},
		{"nothing", "", false},
	} {
		t.Run(c.leaves+" "+c.answer, func(t *testing.T) {
			standIn(t, c.leaves, c.answer)
			rec := &recorder{TB: t}
			harness.Start(rec, harness.Options{})
			rec.end()
			if !c.fails {
				assert.Empty(t, rec.errors)
				return
			}
			require.Len(t, rec.errors, 1)
			assert.Contains(t, rec.errors[0], "the guard around this process is gone (")
			assert.Contains(t, rec.errors[0], "start again: hsharness exec -- ")
		})
	}
}

// TestScenarioInsideExecWhoseGuardGoesAwayFails where the guard was asked for its counts
// still.
func TestScenarioInsideExecWhoseGuardGoesAwayFails(t *testing.T) {
	standIn(t, "GET /verdict", "")
	file := filepath.Join(t.TempDir(), "later.yaml")
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nname: an hour later\nsteps:\n  - clock: 1h\n"), 0o600))
	rec := &parent{fatalRecorder: fatalRecorder{recorder{TB: t}}}
	harness.Scenario(rec, harness.Options{}, file)
	require.Len(t, rec.subtests, 1)
	require.Len(t, rec.subtests[0].errors, 1, rec.subtests[0].fatal)
	assert.Contains(t, rec.subtests[0].errors[0], "the guard around this process is gone (")
}
