package hook_test

import (
	"context"
	"encoding/json"
	"errors"
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

// hooksOf are the hooks of a project file whose notify is this text, and what sends to them.
func hooksOf(t *testing.T, notify string, env map[string]string) ([]hook.Hook, *hook.Sender) {
	t.Helper()
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nnotify:\n"+notify), 0o600))
	getenv := func(name string) string { return env[name] }
	p, err := project.Read(file, false, getenv)
	require.NoError(t, err)
	return hook.Of(p, getenv), hook.NewSender(p, getenv)
}

// later is when no other process sends yet.
func later() time.Time { return time.Now().Add(time.Hour) }

var told = hook.Message{
	ID: "0123", Mark: "85%", Allowance: "sand <box> & *co*",
	At:       notice.Moment{Time: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Ledger: "L", Seq: 41, Granted: 1000, Spent: 850, Held: 5, Floor: 100},
	Standing: "45 of 1,000 units are left for ordinary runs.",
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
	const text = "hsharness, allowance sand <box> & *co*: 850 of 1,000 units are spent, 85% or more. 45 of 1,000 units are left for ordinary runs."
	for template, want := range map[string]string{
		"json": `{"format":1,"id":"0123","notice":"85%","rule":"","test":false,"text":` + quoted(text) + `,"allowance":"sand <box> & *co*",
			"ledger_id":"L","seq":41,"time":"2026-11-29T12:00:00Z","granted":1000,"spent":850,"held":5,"floor":100,"left":45}`,
		"slack": `{"text":"hsharness, allowance sand &lt;box&gt; &amp; *co*: 850 of 1,000 units are spent, 85% or more. 45 of 1,000 units are left for ordinary runs.",
			"blocks":[{"type":"section","text":{"type":"plain_text","emoji":false,"text":` + quoted(text) + `}},
			{"type":"context","elements":[{"type":"plain_text","emoji":false,"text":"notice 0123"}]}]}`,
		"teams": `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{
			"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":` + quoted(text) + `}]},
			{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"notice 0123","isSubtle":true,"size":"Small"}]}]}}]}`,
	} {
		hooks, sender := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\", template: "+template+" }\n", map[string]string{"HOOK": server.URL + "/x"})
		require.NoError(t, sender.Send(t.Context(), hooks[0], told, later()), template)
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

func TestTexts(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for want, m := range map[string]hook.Message{
		"hsharness, allowance s: nothing is left for ordinary runs: 90 of 100 units are spent. It stands so.":       {Mark: notice.Exhausted, At: notice.Moment{Granted: 100, Spent: 90, Floor: 10}},
		"hsharness, allowance s: the service answered that nothing is left. It stands so.":                          {Mark: notice.Exhausted, At: notice.Moment{Granted: 100, Spent: 40}},
		"[test] hsharness, allowance s: a run was refused by usable. It stands so.":                                 {Mark: notice.Blocked, Rule: "usable", Test: true, At: notice.Moment{Granted: 100, Spent: 40}},
		"hsharness, allowance s: 80 of 100 units are spent, 70% or more, as of 2026-11-29 12:00 UTC. It stands so.": {Mark: "70%", At: notice.Moment{Time: noon, Granted: 100, Spent: 80}, Sent: noon.Add(10 * time.Minute)},
		"hsharness, allowance s: 1,080 of 1,100 units are spent, 70% or more. It stands so.":                        {Mark: "70%", At: notice.Moment{Time: noon, Granted: 1100, Spent: 1080}, Sent: noon.Add(9 * time.Minute)},
	} {
		m.Allowance, m.Standing = "s", "It stands so."
		assert.Equal(t, want, m.Text())
	}
}

// What was for a hook that the project names no more is nobody's to send, and is told by
// no run.
func TestLate(t *testing.T) {
	t.Parallel()
	hooks := []hook.Hook{{Name: "a"}, {Name: "b"}}
	assert.Equal(t, []string{
		"the notice of 50% was not delivered in 3 tries (h can't be reached); it is tried again by the next run, or now: hsharness notify",
		"the notice of 70% was not delivered in 30 tries (h answered 404); it is not tried again",
	}, hook.Late(hooks, []notice.Notice{
		{Hook: "a", Mark: "50%", Tries: 3, Why: "h can't be reached"}, {Hook: "gone", Mark: "50%", Tries: 3, Why: "x"},
		{Hook: "b", Mark: "60%"}, {Hook: "b", Mark: "70%", Tries: 30, Why: "h answered 404"},
	}))
	assert.Equal(t, []string{`the notice of 50%\n was not delivered in 30 tries (h \x1b]0;x\x07\n::error::x); it is not tried again`},
		hook.Late(hooks, []notice.Notice{{Hook: "a", Mark: "50%\n", Tries: 30, Why: "h \x1b]0;x\a\n::error::x"}}), "others may write the ledger")
	unset := hook.Hook{Err: errors.New("HOOK is not set")}
	assert.Len(t, hook.Late([]hook.Hook{unset}, []notice.Notice{{Hook: "a", Mark: "50%", Tries: 3}}), 1, "nobody knows here whose it is")
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
		hooks, sender := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\" }\n", map[string]string{"HOOK": server.URL + "/s3cret/" + name})
		err := sender.Send(t.Context(), hooks[0], told, later())
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
	hooks, sender := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\" }\n", map[string]string{"HOOK": server.URL + "/s3cret/204"})
	require.EqualError(t, sender.Send(ended, hooks[0], told, later()), hooks[0].Host+" was not waited for")
}

func TestHooksThatCantBeTold(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PLAIN": "http://hooks.example/s3cret", "REAL": "https://identity.avalara.com/s3cret", "GOOD": "https://hooks.example:8443/s3cret"}
	hooks, sender := hooksOf(t, `  - { at: [85%], url: "${UNSET}" }
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
		require.ErrorIs(t, sender.Send(t.Context(), h, told, later()), h.Err)
		assert.NotContains(t, fmt.Sprintf("%v %+v", h, h.Err), "s3cret")
	}
}

// TestNoted: a hook is who has the URL, however it is written, and in whichever project.
func TestNoted(t *testing.T) {
	t.Parallel()
	of := func(notify string, env map[string]string) []notice.Hook {
		hooks, _ := hooksOf(t, notify, env)
		return hook.Noted(hooks)
	}
	const asHook = "  - { at: [50%, 70%], url: \"${HOOK}\" }\n"
	one := of(asHook, map[string]string{"HOOK": "https://hooks.example/s3cret"})
	require.Len(t, one, 1)
	assert.Regexp(t, "^json-[0-9a-f]{12}$", one[0].Name)
	assert.Equal(t, one, of("  - { at: [50%, 70%], url: \"https://hooks.example/${WHICH}\" }\n", map[string]string{"WHICH": "s3cret"}))
	assert.NotEqual(t, one[0].Name, of(asHook, map[string]string{"HOOK": "https://hooks.example/other"})[0].Name,
		"two projects that write the same variable tell two channels")
	is := func(url string) string { return of(asHook, map[string]string{"HOOK": url})[0].Name }
	for _, same := range []string{"https://HOOKS.example/s3cret", "https://hooks.example:443/s3cret", "https://hooks.example./s3cret", "https://hooks.example/s3cret#team"} {
		assert.Equal(t, one[0].Name, is(same), same)
	}
	for _, other := range []string{"https://hooks.example/s3cret/", "https://hooks.example/S3cret", "https://hooks.example/s3cret?team", "https://hooks.example:8443/s3cret"} {
		assert.NotEqual(t, one[0].Name, is(other), other)
	}
	assert.Equal(t, is("https://hooks.example"), is("https://hooks.example/"))
	assert.Empty(t, of(asHook, map[string]string{"HOOK": "https://me:s3cret@hooks.example/"}), "a credential has no place in it")
	assert.Empty(t, of(asHook, nil), "nobody can be told where the variable is not set")
	twice := of(asHook+"  - { at: [70%, blocked], url: \"${SAME}\" }\n",
		map[string]string{"HOOK": "https://hooks.example/s3cret", "SAME": "https://hooks.example/s3cret"})
	assert.Equal(t, []notice.Hook{{Name: one[0].Name, At: []notice.Mark{"50%", "70%", notice.Blocked}}}, twice)
}

// TestNoSecretIsTold: whatever a name or a rule holds, and whichever template sends it.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		bodies <- string(body)
	}))
	defer server.Close()
	const key = "a-licence-key-4711"
	url := server.URL + "/services/T0/B0/s3cret-of-the-hook"
	env := map[string]string{"HOOK": url, "HSHARNESS_SANDBOX_CLIENT_SECRET": key}
	for _, template := range []string{"json", "slack", "teams"} {
		hooks, sender := hooksOf(t, "  - { at: [blocked], url: \"${HOOK}\", template: "+template+" }\n"+
			"environments: { sandbox: { client_id: id, client_secret: \"${HSHARNESS_SANDBOX_CLIENT_SECRET}\" } }\n", env)
		require.NoError(t, sender.Send(t.Context(), hooks[0], hook.Message{
			ID: "1", Mark: notice.Blocked, Allowance: "of " + key, Rule: "budgets of " + url, Standing: "Left: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
		}, later()))
		body := <-bodies
		assert.Contains(t, body, "a run was refused by budgets of")
		for _, secret := range []string{key, "s3cret-of-the-hook", "eyJhbGci"} {
			assert.NotContains(t, body, secret, template)
		}
	}
}

// TestTooLate: who was stopped until another may send a message does not send it.
func TestTooLate(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil { // what ends before its length is no message
			asked <- struct{}{}
		}
	}))
	defer server.Close()
	hooks, sender := hooksOf(t, "  - { at: [85%], url: \"${HOOK}\" }\n", map[string]string{"HOOK": server.URL})
	require.EqualError(t, sender.Send(t.Context(), hooks[0], told, time.Now().Add(-time.Second)), hooks[0].Host+" was not asked: another may send it by now")
	assert.Empty(t, asked)
}
