package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestActionComments follows a pull request: the price of its base is kept by a push
// there; the request that buys more and whose answers changed gets one comment, with
// what changed; another run changes nothing; a fork's job may not comment, and passes.
func TestActionComments(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	var comments []string // bodies; GitHub's ids are their places
	var calls []string
	refuse := false
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const list, one = "/repos/shop/tariffs/issues/7/comments", "/repos/shop/tariffs/issues/comments/0"
		assert.Equal(t, "Bearer job-token", r.Header.Get("Authorization"))
		var sent struct{ Body string }
		if r.Method != http.MethodGet {
			calls = append(calls, r.Method)
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
		}
		switch {
		case r.URL.Path == "/user", refuse && r.Method != http.MethodGet:
			w.WriteHeader(http.StatusForbidden)
		case r.Method == http.MethodGet && r.URL.Path == list:
			all := []map[string]any{}
			for id, body := range comments {
				all = append(all, map[string]any{"id": id, "body": body, "user": map[string]string{"login": "github-actions[bot]", "type": "Bot"}})
			}
			assert.NoError(t, json.NewEncoder(w).Encode(all))
		case r.Method == http.MethodPost && r.URL.Path == list:
			comments = append(comments, sent.Body)
			w.WriteHeader(http.StatusCreated)
		case r.Method == http.MethodPatch && r.URL.Path == one:
			comments[0] = sent.Body
		default:
			assert.Fail(t, "no such call", "%s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(github.Close)

	r := newRunner(t)
	event := filepath.Join(t.TempDir(), "event.json")
	r.env = append(r.env, "GITHUB_API_URL="+github.URL, "GITHUB_REPOSITORY=shop/tariffs", "GITHUB_EVENT_PATH="+event)
	writeEvent := func(text string) { require.NoError(t, os.WriteFile(event, []byte(text), 0o600)) }
	types := func(line string) string {
		t.Helper()
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
		return strings.TrimSpace(out)
	}
	writeEvent("{}")
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "5", "keep": "commit"})
	require.Zero(t, code, log)
	assert.Equal(t, map[string]string{
		"spent": "2", "would-have-spent": "0", "left": "98", "recorded": "2", "verdict": "ok",
		"report": filepath.Join(r.temp, "hsharness", "bill.json"),
	}, r.outputs)
	types("git fetch -q && git reset -q --hard origin/main")
	base := types("git rev-parse HEAD")

	r.account = false
	r.event["event_name"], r.event["job"] = "push", "replay"
	code, log, _ = r.does(map[string]string{"command": "npm test", "token": "job-token"})
	require.Zero(t, code, log)
	require.Len(t, r.cache, 1, "the price of main")
	assert.Equal(t, "2", r.outputs["would-have-spent"])
	assert.Equal(t, "0", r.outputs["recorded"])

	// The request: one answer has another code, and its suite asks for one more.
	types(`git checkout -q -b change && sed -i 's/"hsCode": *"[0-9.]*"/"hsCode": "0902.10"/' $(ls recordings/*/*.json | head -n 1) && git commit -qam change`)
	writeEvent(`{"pull_request":{"number":7,"base":{"ref":"main","sha":"` + base + `"}}}`)
	r.event["event_name"], r.event["ref_name"], r.event["base_ref"], r.event["run_id"] = "pull_request", "7/merge", "main", "18"
	with := map[string]string{"command": "npm test && classify 3 || exit 0", "token": "job-token"}
	code, log, _ = r.does(with)
	require.Equal(t, exitMissing, code, log)
	require.Len(t, comments, 1, log)
	assert.Equal(t, "missed", r.outputs["verdict"])
	assert.Contains(t, comments[0], "| price of the suite, in units | 2 | **5** (+3) |")
	assert.Contains(t, comments[0], "| requests without a recording | 0 | 1, which cost at most 1 unit |")
	assert.Contains(t, comments[0], "**Codes that changed: 1**")
	assert.Contains(t, comments[0], "<code>0902.10</code> |\n")
	assert.Regexp(t, `(?m)^98 of 100 units are left for ordinary runs\. It is too early to tell .* bought 2 new answers`, comments[0])
	assert.NotContains(t, comments[0], realSecret)
	assert.NotContains(t, comments[0], r.dir)

	code, log, _ = r.does(with)
	require.Equal(t, exitMissing, code, log)
	assert.Equal(t, []string{http.MethodPost}, calls, "nothing changed, and nothing is written")
	code, log, _ = r.does(map[string]string{"command": "npm test", "token": "job-token"})
	require.Zero(t, code, log)
	assert.Equal(t, []string{http.MethodPost, http.MethodPatch}, calls)
	assert.Contains(t, comments[0], "| 2 | 2 |")

	refuse = true // a fork's token
	code, log, _ = r.does(with)
	assert.Equal(t, exitMissing, code, log)
	assert.Contains(t, log, "::notice title=hsharness::hsharness: no comment: ")
	assert.NotContains(t, log, "job-token")
	writeEvent(`{"pull_request":{"number":7,"base":{"ref":"main","sha":"` + strings.Repeat("1", 40) + `"}}}`)
	refuse, comments = false, nil
	code, log, _ = r.does(with)
	assert.Equal(t, exitMissing, code, log)
	require.Len(t, comments, 1, "of a base that can't be had only the price is told")
	assert.Contains(t, comments[0], "What changed in the recordings is not known: <code>git fetch: ")

	with["comment"] = "never"
	before := len(calls)
	code, log, _ = r.does(with)
	assert.Equal(t, exitMissing, code, log)
	assert.Len(t, calls, before)
}
