package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fence is a fenced block of a page: its language and its text.
var fence = regexp.MustCompile("(?ms)^```([a-z]*)\\n(.*?)^```$")

// span is a command in the running text or in a table.
var span = regexp.MustCompile("`((?:HSHARNESS_[A-Z_]+=\\S+ )?hsharness [^`]+)`")

// page is what a page of the documentation tells its reader to write and type.
type page struct {
	yaml     []string
	commands []string // those of blocks, in order, then those of the text
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	require.NoError(t, err)
	var p page
	text := string(data)
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		switch m[1] {
		case "yaml":
			p.yaml = append(p.yaml, m[2])
		case "sh":
			p.commands = append(p.commands, strings.Split(strings.TrimSpace(m[2]), "\n")...)
		}
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		p.commands = append(p.commands, m[1])
	}
	require.NotEmpty(t, p.commands, "%s tells nobody to type anything", name)
	return p
}

// reader is somebody who types what a page says, with a sandbox that counts
// behind it and a suite of two requests as npm test.
type reader struct {
	*sandbox
	t *testing.T
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{newSandbox(t, 1000), t}
	require.NoError(t, os.RemoveAll(filepath.Join(r.dir, ".hsharness")), "a page begins with nothing")
	bin := filepath.Join(r.dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\nexec classify 2\n"), 0o755))
	return r
}

// writes puts a page's project file in place, with the URLs of the reader's
// sandbox in it.
func (r *reader) writes(yaml string) {
	r.t.Helper()
	urls := r.server.Endpoints.Sandbox
	with := strings.Replace(yaml, "  sandbox:\n", fmt.Sprintf("  sandbox:\n    identity_url: %q\n    api_url: %q\n", urls.Identity, urls.API), 1)
	require.NotEqual(r.t, yaml, with, "a project file of a page names its sandbox")
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, projectFile), []byte(with), 0o600))
}

// types runs a line in the shell and returns its exit code.
func (r *reader) types(line string) (code int, out string) {
	r.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=",
		"XDG_STATE_HOME="+r.dir, "HSHARNESS_SANDBOX_CLIENT_ID=real-id", "HSHARNESS_SANDBOX_CLIENT_SECRET="+realSecret, "REAL_SECRET="+realSecret, "NEW_LEDGER=sqlite:new/ledger.db",
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com", "GIT_EDITOR=true")
	text, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // it is the command's own
		return exit.ExitCode(), string(text)
	}
	require.NoError(r.t, err)
	return 0, string(text)
}

func TestGuardPageAsWritten(t *testing.T) {
	p := readPage(t, "docs/guard.md")
	r := newReader(t)
	require.Len(t, p.yaml, 1)
	r.writes(p.yaml[0])
	for _, line := range p.commands {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 2, r.served(), "the suite is bought once")
	assert.EqualValues(t, 39, r.status().Spent)
	r.verify()
}

func TestRecordingsPageAsWritten(t *testing.T) {
	p := readPage(t, "docs/recordings.md")
	r := newReader(t)
	code, out := r.types("git init -q . && hsharness quota init --granted 1000")
	require.Zero(t, code, out)
	key := ""
	for _, line := range p.commands {
		if key == "" && strings.Contains(line, "KEY") {
			files, err := filepath.Glob(filepath.Join(r.dir, "recordings", "*", "*.json"))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			key = strings.TrimSuffix(filepath.Base(files[0]), ".json")
			// diff compares takes, so there have to be two.
			code, out := r.types("hsharness recordings refresh " + key + " --max-spend 1")
			require.Zero(t, code, out)
		}
		line = strings.Replace(line, "git commit", "git commit -q -m recordings", 1) // no editor here
		code, out := r.types(strings.ReplaceAll(line, "KEY", key))
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, r.served(), r.status().Spent)
	for _, word := range []string{"ls", "show", "diff", "scan", "prune", "verify", "refresh"} {
		assert.True(t, slices.ContainsFunc(p.commands, func(c string) bool { return strings.HasPrefix(c, "hsharness recordings "+word) }), word)
	}
	r.verify()
}

func TestLedgerPageAsWritten(t *testing.T) {
	p := readPage(t, "docs/ledger.md")
	r := newReader(t)
	for _, line := range p.commands {
		code, out := r.types(strings.NewReplacer("observed N", "observed 37", "note WHY", "note x").Replace(line))
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	code, out := r.types(`hsharness quota status --require 863 --ledger "$NEW_LEDGER"`)
	assert.Zero(t, code, out)
}
