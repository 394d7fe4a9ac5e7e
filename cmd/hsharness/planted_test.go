package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// planted is a name that tries everything a printed name can do.
const planted = "x\n::error::planted\r\n \u00a0::set-env name=A::b\x1b[2J\u009b31m\u202egnp\u2066\u2028\x7f ##[error]y ##vso[task.z]"

// harm is what nothing that is printed may have: control characters, marks of
// direction, and what a CI system takes for a command.
var harm = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]|(?m:^\s*::)|##\w*\[`)

// annotation is a line of our own that GitHub is to take for a command.
var annotation = regexp.MustCompile(`(?m)^::error file=[^\n:]*,line=\d+,col=\d+,title=[^\n:]*::[^\n]*\n`)

// TestPlantedNamesAreHarmless plants such a name in every field that others write,
// and runs each command that prints them.
func TestPlantedNamesAreHarmless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		return file
	}
	quoted := func(text string) string {
		data, err := json.Marshal(text)
		require.NoError(t, err)
		return string(data)
	}
	name := quoted(planted)
	file, folder := "scenarios/planted.yaml", "recordings"
	if runtime.GOOS != "windows" {
		file, folder = "scenarios/::error::p\x1b[2J\u202e.yaml", "x\n::error::p\x1b[2J\u202e ##[error]y"
	}
	config := write("hsharness.yaml", "version: 1\nenvironments: { sandbox: { identity_url: http://127.0.0.1:1, api_url: http://127.0.0.1:1, client_id: me } }\nrecordings: { dir: "+quoted(folder)+" }\n")
	write(file, fmt.Sprintf(`version: 1
name: %[1]s
tags: [planted]
matrix: { country: [%[1]s] }
steps:
  - id: first
    request: POST /hscode/classify
    headers: { X-Planted: planted }
    body: { description: %[1]s, countryOfDestination: "{{ matrix.country }}" }
    expect: { status: 299, json: { /planted: %[1]s } }
`, name))
	write("bad/bad.yaml", fmt.Sprintf("version: 1\nname: bad\n%s: 1\nsteps: %s\n", name, name))

	header := `{"format":1,"ledger_id":"L","account":"00000000000000000000000000000000000000000000000000000000000000aa","allowance":"sandbox","created":"2026-05-01T00:00:00Z","seq":8}`
	const at = `"time":"2026-05-01T00:00:01Z","allowance":"sandbox"`
	journal := write("ledger.jsonl", strings.Join([]string{
		header,
		`{"seq":1,` + at + `,"kind":"grant","units":1000,"id":"init","floor":10,"note":` + name + `}`,
		`{"seq":2,` + at + `,"run":"r","kind":"begin","units":0,"spec":{"id":"r","max":5,"mode":` + name + `,"suite":` + name + `,"branch":` + name + `,"actor":` + name + `,"event":` + name + `,"job_url":` + name + `,"process":{"host":` + name + `}}}`,
		`{"seq":3,` + at + `,"run":"r","kind":"hold","units":5}`,
		`{"seq":4,` + at + `,"run":"r","kind":"spend","units":1,"id":"s","operation":` + name + `,"test":` + name + `}`,
		`{"seq":5,` + at + `,"run":"r","kind":"settle","units":1,"id":"s","outcome":"answered","status":200}`,
		`{"seq":6,` + at + `,"run":"r","kind":"release","units":4}`,
		`{"seq":7,` + at + `,"run":"r","kind":"end","units":0}`,
		`{"seq":8,` + at + `,"kind":"grant","units":7,"id":"g","floor":10,"note":` + name + `}`,
	}, "\n")+"\n")

	store, err := recording.Open(recording.Config{Dir: filepath.Join(dir, folder)})
	require.NoError(t, err)
	k := store.Key(recording.Request{
		Environment: planted, API: planted, Operation: "POST /hscode/classify", Method: http.MethodPost, Path: "/" + planted, Query: planted,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte(planted),
	})
	for _, answer := range []string{planted, planted + "2"} {
		require.NoError(t, store.Put(t.Context(), k, recording.Take{
			RecordedAt: time.Now().Add(-time.Hour), Cost: 1, Entry: planted,
			Response: recording.Message{Status: 200, Header: http.Header{"X-Planted": {planted}}, Body: []byte(answer)},
		}))
	}
	recorded, err := fs.Glob(os.DirFS(filepath.Join(dir, folder)), "*/*.json")
	require.NoError(t, err)
	require.Len(t, recorded, 1)
	recorded[0] = filepath.Join(dir, folder, filepath.FromSlash(recorded[0]))
	keys := write("keys.yaml", fmt.Sprintf("version: 1\nkeys: [ { name: shop, suite: %s, cap: 5, sha256: \"%064d\" } ]\n", name, 1))

	summary, junit := filepath.Join(dir, "summary.md"), filepath.Join(dir, "junit.xml")
	ci := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
	scenarios := filepath.Join(dir, "scenarios")
	for _, row := range []struct {
		args []string
		says string // that the name was printed
	}{
		{[]string{"run", "--verbose", "--summary", "--junit", junit, scenarios}, `x\n::error::planted\r\n`},
		{[]string{"plan", scenarios}, `x\n::error`},
		{[]string{"lint", scenarios, filepath.Join(dir, "bad")}, `planted`},
		{[]string{"run", "--tags", planted, scenarios}, `planted`},
		{[]string{"quota", "import", journal}, `imported 8 entries`},
		{[]string{"quota", "runs"}, `x\n::error::planted`},
		{[]string{"quota", "history"}, `x\n::error::planted`},
		{[]string{"quota", "status"}, `allowance`},
		{[]string{"quota", "verify"}, ``},
		{[]string{"report"}, `planted`},
		{[]string{"report", "--by", "branch", "--md", "-"}, `planted`},
		{[]string{"recordings", "ls"}, `x\n::error::planted`},
		{[]string{"recordings", "show", recorded[0]}, `x\n::error::planted`},
		{[]string{"recordings", "diff", recorded[0]}, `planted`},
		{[]string{"recordings", "show", planted}, `planted`},
		{[]string{"recordings", "scan"}, ``},
		{[]string{"gateway", "keys", "ls", "--keys", keys}, `x\n::error::planted`},
		{[]string{"gateway", "keys", "revoke", planted, "--keys", keys}, `planted`},
		{[]string{"doctor"}, ``},
		{[]string{planted}, `planted`},
		{[]string{"run", "--mode", "replay", scenarios}, `planted`},
		{[]string{"exec", "--mode", "replay", "--suite", planted, "--bill", filepath.Join(dir, planted), "--", "classify", planted}, ``},
		{[]string{"exec", "--suite", planted, "--", planted}, `planted`},
		{[]string{"recordings", "collect", "--since", "2020-01-01T00:00:00Z", filepath.Join(dir, "bought")}, `collected`},
		{[]string{"recordings", "collect", "--bill", planted, filepath.Join(dir, "bought")}, `planted`},
		{[]string{"recordings", "recover", recorded[0]}, ``},
		{[]string{"recordings", "recover", planted}, `planted`},
		{[]string{"recordings", "prune", "--older-than", "1m"}, `x\n::error::p`},
		{[]string{"recordings", "prune", "--older-than", planted}, `planted`},
		{[]string{"quota", "reconcile", "--observed", "1", "--note", planted}, ``},
		{[]string{"quota", "copy", "--to", "sqlite:" + filepath.Join(dir, folder, "l.db")}, `copied `},
		{[]string{"quota", "status"}, `l.db`},
	} {
		_, stdout, stderr := execute(t, ci, append([]string{"--config", config}, row.args...)...)
		out := stdout + stderr
		assert.Contains(t, out, row.says, "%q", row.args)
		rest := annotation.ReplaceAllString(out, "")
		for line := range strings.Lines(rest) {
			assert.False(t, harm.MatchString(line), "%q: %q", row.args, line)
		}
		if row.args[0] == "run" && len(row.args) > 4 {
			assert.Less(t, len(rest), len(out), "there are annotations")
			assert.NotRegexp(t, `[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{202e}]`, out)
		}
	}
	for _, file := range []string{summary, junit} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(text), "planted", file)
		assert.False(t, harm.Match(text), "%s: %q", file, harm.Find(text))
	}
	text, err := os.Open(junit)
	require.NoError(t, err)
	defer func() { _ = text.Close() }()
	for d := xml.NewDecoder(text); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
}
