package main

import (
	"bufio"
	"encoding/json"
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

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// fence is a fenced block of a page: its language and its text.
var fence = regexp.MustCompile("(?ms)^```([a-z]*)\\n(.*?)^```$")

// span is a command in the running text or in a table.
var span = regexp.MustCompile("`((?:HSHARNESS_[A-Z_]+=\\S+ )?hsharness [^`]+)`")

// page is what a page of the documentation tells its reader to write and type.
type page struct {
	yaml, golang []string
	typed        []string // the lines of its sh blocks, in order
	commands     []string // those, then the commands in its text
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
		case "go":
			p.golang = append(p.golang, m[2])
		case "sh":
			p.typed = append(p.typed, strings.Split(strings.TrimSpace(m[2]), "\n")...)
		}
	}
	p.commands = slices.Clone(p.typed)
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
	t       *testing.T
	exports string // what was exported so far, as one shell would keep it
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{sandbox: newSandbox(t, 1000), t: t}
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
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, project.Name), []byte(with), 0o600))
}

// types runs a line in the shell and returns its exit code.
func (r *reader) types(line string) (code int, out string) {
	r.t.Helper()
	if strings.HasPrefix(line, "export ") {
		r.exports += line + "\n"
	}
	cmd := exec.Command("sh", "-c", r.exports+line)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=",
		"XDG_STATE_HOME="+r.dir, "HSHARNESS_SANDBOX_CLIENT_ID=real-id", "HSHARNESS_SANDBOX_CLIENT_SECRET="+realSecret, "REAL_SECRET="+realSecret, "NEW_LEDGER=sqlite:new/ledger.db",
		"GOFLAGS=-mod=mod", "GOWORK=off",
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com", "GIT_EDITOR=true")
	text, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // it is the command's own
		return exit.ExitCode(), string(text)
	}
	require.NoError(r.t, err)
	return 0, string(text)
}

func TestGuardPageAsWritten(t *testing.T) {
	t.Parallel()
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

func TestRunningPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/running.md")
	r := newReader(t)
	require.NoError(t, os.Remove(filepath.Join(r.dir, project.Name)), "the page needs no project")
	for _, line := range p.commands {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	for _, name := range []string{"junit.xml", "report.html", "run.jsonl"} {
		assert.FileExists(t, filepath.Join(r.dir, name))
	}
}

func TestRecordingsPageAsWritten(t *testing.T) {
	t.Parallel()
	if !installed(t, "git") {
		return
	}
	p := readPage(t, "docs/recordings.md")
	r := newReader(t)
	code, out := r.types("git init -q . && hsharness quota init --granted 1000")
	require.Zero(t, code, out)
	key, planted := "", false
	for _, line := range p.commands {
		if planted && strings.HasPrefix(line, "git diff") { // the others are what they were again
			code, out := r.types("hsharness recordings refresh recordings/*/*.json --max-spend 100")
			require.Zero(t, code, out)
		}
		if key == "" && strings.Contains(line, "KEY") {
			files, err := filepath.Glob(filepath.Join(r.dir, "recordings", "*", "*.json"))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			key = strings.TrimSuffix(filepath.Base(files[0]), ".json")
			// diff compares takes, so there have to be two.
			code, out := r.types("hsharness recordings refresh " + key + " --max-spend 1")
			require.Zero(t, code, out)
		}
		if strings.HasPrefix(line, "hsharness recordings pu") { // pull and push, which quota/postgres types where they can share
			code, out := r.types(line)
			assert.Equal(t, exitUsage, code, "%s\n%s", line, out)
			assert.Contains(t, out, "nothing is shared: say recordings: { share: ledger }")
			continue
		}
		line = strings.Replace(line, "git commit", "git commit -q -m recordings", 1)         // no editor here
		const changes = `sed -i 's/"hsCode": *"[0-9.]*"/"hsCode": "0902.10"/' recordings/*/` // as if the sandbox answered otherwise now
		want := 0
		switch line {
		case "hsharness recordings accept KEY":
			code, out := r.types(changes + key + ".json && hsharness recordings verify --sample 100 --max-spend 100")
			require.Equal(t, exitFailed, code, out)
		case "hsharness recordings verify --sample 1 --max-spend 1":
			code, out := r.types(changes + "*.json")
			require.Zero(t, code, out)
			want = exitFailed
		}
		code, out := r.types(strings.ReplaceAll(line, "KEY", key))
		assert.Equal(t, want, code, "%s\n%s", line, out)
		if want != 0 {
			assert.Contains(t, out, "the classification changed: ")
			planted = true
		}
	}
	assert.EqualValues(t, r.served(), r.status().Spent)
	for _, text := range p.yaml {
		require.NoError(t, readText(t, "version: 1\n"+text))
	}
	for _, word := range []string{"ls", "show", "diff", "scan", "prune", "verify", "accept", "refresh"} {
		assert.True(t, slices.ContainsFunc(p.commands, func(c string) bool { return strings.HasPrefix(c, "hsharness recordings "+word) }), word)
	}
	r.verify()
}

func TestLedgerPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/ledger.md")
	r := newReader(t)
	for _, line := range p.commands {
		code, out := r.types(strings.NewReplacer("observed N", "observed 37", "note WHY", "note x").Replace(line))
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	code, out := r.types(`hsharness quota status --require 863 --ledger "$NEW_LEDGER"`)
	assert.Zero(t, code, out)
}

// module makes the reader's folder a Go module that takes hsharness, and what it
// needs, from here: nothing has to be fetched.
func (r *reader) module() {
	r.t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(r.t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(r.t, err)
	_, needs, ok := strings.Cut(string(mod), "\n")
	require.True(r.t, ok)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(r.t, err)
	text := "module example.com/shop\n\nrequire github.com/hsharness/hsharness v0.0.0\n\nreplace github.com/hsharness/hsharness => " + root + "\n" + needs
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, "go.mod"), []byte(text), 0o600))
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, "go.sum"), sum, 0o600))
}

// serves starts the services of a line until they are ready, and interrupts them.
func (r *reader) serves(line string) {
	r.t.Helper()
	args := append(strings.Fields(line)[1:], "--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0")
	cmd := r.command(args...)
	out, err := cmd.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, cmd.Start())
	ready, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(r.t, err)
	assert.True(r.t, json.Valid([]byte(ready)), ready)
	require.NoError(r.t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // 130, as an interrupted program has it
	assert.Equal(r.t, 130, cmd.ProcessState.ExitCode(), line)
}

func TestStartPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/start.md")
	r := newReader(t)
	r.module()
	require.Len(t, p.golang, 1)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "shop_test.go"), []byte(p.golang[0]), 0o600))
	for _, line := range p.typed {
		switch {
		case line == "make install": // make firstminute types it
		case strings.HasPrefix(line, "hsharness serve "):
			r.serves(line)
		default:
			code, out := r.types(line)
			assert.Zero(t, code, "%s\n%s", line, out)
		}
	}
	assert.EqualValues(t, 2, r.served(), "the suite is bought once")
	code, out := r.types("hsharness quota status --require 862")
	assert.Equal(t, exitBlocked, code, out)
}

func TestOperationsPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/operations.md")
	r := newReader(t)
	code, out := r.types("hsharness quota init --granted 1000 --spent-before 37 && hsharness exec --mode live --max-spend 2 -- npm test")
	require.Zero(t, code, out)
	for _, line := range p.typed {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	status := r.status()
	assert.EqualValues(t, 137, status.Spent)
	assert.EqualValues(t, 1500, status.Granted)
}

// Every link of a page to another file leads to one, and every link to a heading
// to one.
func TestDocsLinks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	seen := 0
	for _, name := range append(pages, topPages()...) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
			file, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			seen++
			target := filepath.Join(filepath.Dir(name), filepath.FromSlash(file))
			if file == "" {
				target = name
			}
			if _, err := os.Stat(target); !assert.NoError(t, err, "%s: %s", name, m[1]) {
				continue
			}
			if heading != "" {
				text, err := os.ReadFile(target)
				require.NoError(t, err)
				assert.Contains(t, anchors(string(text)), heading, "%s: %s", name, m[1])
			}
		}
	}
	assert.Greater(t, seen, 20, "no page was read")
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unkept  = regexp.MustCompile(`[^\pL\pN _-]`)
)

// anchors are the headings of a page as links name them.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(unkept.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

func TestReportPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/report.md")
	r := newReader(t)
	other, err := sqlite.Init(t.Context(), sqlite.Config{Path: filepath.Join(r.dir, "..", "customs", ".hsharness", "ledger.db")}, quota.InitSpec{Granted: 10})
	require.NoError(t, err)
	require.NoError(t, other.Close())
	for _, line := range p.commands {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	for _, name := range []string{"report.html", "report.md", "tests.csv", "report.json"} {
		assert.FileExists(t, filepath.Join(r.dir, name))
	}
}
