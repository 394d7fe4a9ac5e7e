package hook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/hook"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
)

// hooksOf are the hooks of a project file whose notify is this text.
func hooksOf(t *testing.T, notify string, env map[string]string) []hook.Hook {
	t.Helper()
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nnotify:\n"+notify), 0o600))
	p, err := project.Read(file, false, func(name string) string { return env[name] })
	require.NoError(t, err)
	return hook.Of(p, func(name string) string { return env[name] })
}

var told = hook.Message{
	ID: "0123", Mark: "85%", Allowance: "sand <box> & *co*",
	At: notice.Moment{Time: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Ledger: "L", Seq: 41, Granted: 1000, Spent: 850, Held: 5, Floor: 100},
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	bodies := make(chan map[string]any, 1)
	keys := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		assert.Equal(t, http.MethodPost, r.Method)
		bodies <- body
		keys <- r.Header.Get("Idempotency-Key")
	}))
	defer server.Close()
	const text = "hsharness, allowance sand <box> & *co*: 850 of 1000 units are spent, 85% or more; 45 left above a floor of 100, 5 held by runs."
	for template, want := range map[string]string{
		"json": `{"format":1,"id":"0123","notice":"85%","rule":"","test":false,"text":` + quoted(text) + `,"allowance":"sand <box> & *co*",
			"ledger_id":"L","seq":41,"time":"2026-11-29T12:00:00Z","granted":1000,"spent":850,"held":5,"floor":100,"left":45}`,
		"slack": `{"text":"hsharness, allowance sand &lt;box&gt; &amp; *co*: 850 of 1000 units are spent, 85% or more; 45 left above a floor of 100, 5 held by runs.",
			"blocks":[{"type":"section","text":{"type":"plain_text","emoji":false,"text":` + quoted(text) + `}},
			{"type":"context","elements":[{"type":"plain_text","emoji":false,"text":"notice 0123"}]}]}`,
		"teams": `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{
			"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":` + quoted(text) + `}]},
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"notice 0123","isSubtle":true,"size":"Small"}]}]}}]}`,
	} {
		hooks := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\", template: "+template+" }\n", map[string]string{"HOOK": server.URL + "/x"})
		require.NoError(t, hook.NewSender(noEnv).Send(t.Context(), hooks[0], told), template)
		got, err := json.Marshal(<-bodies)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got), template)
		assert.Equal(t, "0123", <-keys)
	}
}

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

func noEnv(string) string { return "" }

func TestTexts(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]hook.Message{
		"hsharness, allowance s: nothing is left for ordinary runs: 90 of 100 units are spent; 0 left above a floor of 10.": {Mark: notice.Exhausted, Allowance: "s", At: notice.Moment{Granted: 100, Spent: 90, Floor: 10}},
		"hsharness, allowance s: the service answered that nothing is left; 60 left.":                                       {Mark: notice.Exhausted, Allowance: "s", At: notice.Moment{Granted: 100, Spent: 40}},
		"[test] hsharness, allowance s: a run was refused by usable; 60 left.":                                              {Mark: notice.Blocked, Rule: "usable", Allowance: "s", Test: true, At: notice.Moment{Granted: 100, Spent: 40}},
	} {
		assert.Equal(t, want, m.Text())
	}
}

// What was for a hook that the project names no more is nobody's to send, and is told by
// no run.
func TestLate(t *testing.T) {
	t.Parallel()
	hooks := []notice.Hook{{Name: "a"}, {Name: "b"}}
	assert.Equal(t, []string{
		"the notice of 50% was not delivered in 3 tries (h can't be reached); it is tried again by the next run, or now: hsharness notify",
		"the notice of 70% was not delivered in 30 tries (h answered 404); it is not tried again",
	}, hook.Late(hooks, []notice.Notice{
		{Hook: "a", Mark: "50%", Tries: 3, Why: "h can't be reached"}, {Hook: "gone", Mark: "50%", Tries: 3, Why: "x"},
		{Hook: "b", Mark: "60%"}, {Hook: "b", Mark: "70%", Tries: 30, Why: "h answered 404"},
	}))
}

// TestWhatAHookAnswers: what becomes of it is said by host, status and reason, and the URL
// is in no error, whatever happens.
func TestWhatAHookAnswers(t *testing.T) {
	t.Parallel()
	followed := false
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/s3cret/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch filepath.Base(r.URL.Path) {
		case "204":
			w.WriteHeader(204)
		case "302":
			http.Redirect(w, r, "/followed", http.StatusFound)
		case "307":
			http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
		case "429":
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(429)
		case "503":
			w.Header().Set("Retry-After", time.Now().Add(48*time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(503)
		case "cut":
			panic(http.ErrAbortHandler)
		}
	})
	mux.HandleFunc("/followed", func(http.ResponseWriter, *http.Request) { followed = true })
	for name, want := range map[string]struct {
		why   string
		retry time.Duration
	}{
		"204": {}, "302": {"answered 302, a redirect, which is not followed", 0}, "307": {"answered 307, a redirect, which is not followed", 0},
		"429": {"answered 429", 17 * time.Second}, "503": {"answered 503", time.Hour}, "cut": {"can't be reached", 0},
	} {
		hooks := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\" }\n", map[string]string{"HOOK": server.URL + "/s3cret/" + name})
		err := hook.NewSender(noEnv).Send(t.Context(), hooks[0], told)
		if want.why == "" {
			require.NoError(t, err)
			continue
		}
		var failed *hook.Error
		require.ErrorAs(t, err, &failed, name)
		assert.Equal(t, hook.Error{Host: hooks[0].Host, Why: want.why, RetryAfter: want.retry}, *failed)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, hooks[0], hooks[0]), "s3cret")
	}
	assert.False(t, followed)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	hooks := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\" }\n", map[string]string{"HOOK": server.URL + "/s3cret/204"})
	err := hook.NewSender(noEnv).Send(ended, hooks[0], told)
	require.EqualError(t, err, hooks[0].Host+" was not waited for")
}

func TestHooksThatCantBeTold(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PLAIN": "http://hooks.example/s3cret", "REAL": "https://identity.avalara.com/s3cret", "GOOD": "https://hooks.example:8443/s3cret"}
	hooks := hooksOf(t, `  - { at: [85%], url: "${UNSET}" }
  - { at: [85%], url: "${PLAIN}", template: slack }
  - { at: [85%], url: "${REAL}" }
  - { at: [85%], url: "${GOOD}" }
`, env)
	require.EqualError(t, hooks[0].Err, "UNSET is not set, and notify[0].url is made of it")
	require.EqualError(t, hooks[1].Err, "notify[1].url: it must begin with https://, except on loopback")
	var production *notice.ProductionError
	require.ErrorAs(t, hooks[2].Err, &production)
	require.NoError(t, hooks[3].Err)
	assert.Equal(t, "hooks.example:8443", hooks[3].Host)
	for _, h := range hooks[:3] {
		require.ErrorIs(t, hook.NewSender(noEnv).Send(t.Context(), h, told), h.Err)
		assert.NotContains(t, fmt.Sprintf("%v %+v", h, h.Err), "s3cret")
	}
	other := hooksOf(t, "  - { at: [50%], url: \"${GOOD}\" }\n", map[string]string{"GOOD": "https://elsewhere.example/new"})
	assert.Equal(t, hooks[3].Name, other[0].Name, "another value of a variable is the same hook")
	assert.NotEqual(t, hooks[0].Name, other[0].Name)
}
