package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module is one that the binary links, and linked a package of ours that calls it and
// little else.
const (
	module = "golang.org/x/sys"
	linked = "../../internal/files"
)

var today = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// newDatabase is a small database in a file: one vulnerability of a module.
func newDatabase(t *testing.T, of string, modified time.Time) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vulndb.zip")
	require.NoError(t, os.WriteFile(file, packedDatabase(t, of, modified), 0o600))
	return file
}

func packedDatabase(t *testing.T, of string, modified time.Time) []byte {
	t.Helper()
	const id = "GO-2026-9999"
	at := modified.Format(time.RFC3339)
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for name, content := range map[string]any{
		"index/db.json":      map[string]any{"modified": at},
		"index/modules.json": []any{map[string]any{"path": of, "vulns": []any{map[string]any{"id": id, "modified": at}}}},
		"ID/" + id + ".json": map[string]any{
			"schema_version": "1.3.1", "id": id, "modified": at, "published": at,
			"summary": "Made up for a test", "details": "Made up.",
			"affected": []any{map[string]any{
				"package":            map[string]any{"name": of, "ecosystem": "Go"},
				"ranges":             []any{map[string]any{"type": "SEMVER", "events": []any{map[string]any{"introduced": "0"}}}},
				"ecosystem_specific": map[string]any{"imports": []any{map[string]any{"path": of + "/unix"}}},
			}},
			"database_specific": map[string]any{"url": "https://pkg.go.dev/vuln/" + id, "review_status": "REVIEWED"},
		},
	} {
		f, err := w.Create(name)
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(f).Encode(content))
	}
	require.NoError(t, w.Close())
	return packed.Bytes()
}

// looked is what a run said. It looks by the real govulncheck, the one that make vuln has.
func looked(t *testing.T, change func(*settings)) (string, error) {
	t.Helper()
	tool := exec.Command("go", "tool", "-modfile=tools/go.mod", "-n", "govulncheck")
	tool.Dir, tool.Env = "../..", append(os.Environ(), "GOWORK=off")
	program, err := tool.Output()
	require.NoError(t, err)
	var out bytes.Buffer
	s := settings{
		program: strings.TrimSpace(string(program)), cache: t.TempDir(), oldest: 14 * 24 * time.Hour,
		from: "http://127.0.0.1:1/vulndb.zip", packages: []string{linked}, now: today, out: &out,
	}
	change(&s)
	err = s.run()
	return out.String(), err
}

func TestAKnownVulnerabilityIsFound(t *testing.T) {
	t.Parallel()
	out, err := looked(t, func(s *settings) { s.db = newDatabase(t, module, today.AddDate(0, 0, -3)) })
	require.Error(t, err)
	assert.Contains(t, out, "the database is of 2026-11-17, 3 days old")
	assert.Contains(t, out, "GO-2026-9999")
	assert.Contains(t, out, "Module: "+module)

	out, err = looked(t, func(s *settings) { s.db = newDatabase(t, "example.com/linked/by/nobody", today.AddDate(0, 0, -3)) })
	require.NoError(t, err, out)
	assert.Contains(t, out, "No vulnerabilities found")
}

func TestAnOldDatabase(t *testing.T) {
	t.Parallel()
	old := newDatabase(t, "example.com/linked/by/nobody", today.AddDate(0, 0, -15))
	out, err := looked(t, func(s *settings) { s.db, s.required = old, true })
	assert.EqualError(t, err, old+" is 15 days old, and a release wants one of at most 14")
	assert.NotContains(t, out, "No vulnerabilities found")

	out, err = looked(t, func(s *settings) { s.db = old })
	require.NoError(t, err, "no release is built")
	assert.Contains(t, out, "15 days old")

	out, err = looked(t, func(s *settings) { s.db, s.required, s.oldest = old, true, 15*24*time.Hour })
	require.NoError(t, err, out)
}

func TestNoDatabase(t *testing.T) {
	t.Parallel()
	out, err := looked(t, func(*settings) {})
	require.NoError(t, err)
	assert.Contains(t, out, "was not fetched")
	assert.Contains(t, out, "NOT CHECKED")

	_, err = looked(t, func(s *settings) { s.required = true })
	assert.ErrorContains(t, err, "no database")

	_, err = looked(t, func(s *settings) { s.db = "gone.zip" })
	assert.ErrorContains(t, err, "gone.zip", "one that is named has to be there")
	_, err = looked(t, func(s *settings) { s.db = "main.go" })
	assert.ErrorContains(t, err, "main.go is no database of vulnerabilities")
}

// TestTheDatabaseIsKept: the one that was fetched last is read where there is no network,
// and what is no database takes its place never.
func TestTheDatabaseIsKept(t *testing.T) {
	t.Parallel()
	answer := packedDatabase(t, module, today)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	t.Cleanup(server.Close)
	cache := t.TempDir()
	out, err := looked(t, func(s *settings) { s.from, s.cache = server.URL, cache })
	require.Error(t, err)
	assert.Contains(t, out, "GO-2026-9999")

	answer = []byte("a page that asks who you are")
	out, err = looked(t, func(s *settings) { s.from, s.cache = server.URL, cache })
	require.Error(t, err)
	assert.Contains(t, out, "is no database of vulnerabilities")
	assert.Contains(t, out, "GO-2026-9999")

	server.Close()
	out, err = looked(t, func(s *settings) { s.from, s.cache = server.URL, cache })
	require.Error(t, err)
	assert.Contains(t, out, "was not fetched")
	assert.Contains(t, out, "GO-2026-9999")
	entries, err := os.ReadDir(cache)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no part is left behind")
}
