package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// scenarioFile is a scenario of a command, and then a request that is to have a status.
func scenarioFile(t *testing.T, dir, step, status string) string {
	t.Helper()
	text := `version: 1
name: one
steps:
  - id: step
    exec: { command: [sh, -c, '` + step + `'] }
  - id: classify
    request: POST /hscode/classify
    body: { description: mug, countryOfDestination: US }
    expect: { status: ` + status + ` }
`
	name := filepath.Join(dir, "one-"+status+".yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// code is the exit code of a command that ran.
func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return exitOK
}

// TestUnwritableReports: a report that can't be written is known before anything is
// bought or held, and a file that is there stays as it is.
func TestUnwritableReports(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	one := scenarioFile(t, s.dir, "true", "200")
	out, err := s.output(nil, "exec", "--mode", "record", "--max-spend", "1", "--", "classify")
	require.NoError(t, err, out)
	bought, file, started := s.served(), filepath.Join(s.dir, "file"), filepath.Join(s.dir, "started")
	require.NoError(t, os.WriteFile(file, []byte("kept"), 0o600))
	run := []string{"run", "--mode", "live", "--max-spend", "2", "--allow-exec", one}
	for _, row := range []struct {
		flag string
		args []string
	}{
		{"--junit", run}, {"--json", run}, {"--html", run},
		{"--bill", []string{"exec", "--mode", "live", "--max-spend", "2", "--bill", "NAME", "--", "classify"}},
		{"--bill", []string{"exec", "--", "hsharness", "exec", "--bill", "NAME", "--", "touch", started}},
		{"--bill", []string{"recordings", "verify", "--sample", "1", "--max-spend", "2"}},
		{"--html", []string{"report"}}, {"--md", []string{"report"}}, {"--json", []string{"report"}}, {"--csv", []string{"report"}},
	} {
		for _, name := range []string{filepath.Join(file, "x"), s.dir} {
			args := slices.Clone(row.args)
			if i := slices.Index(args, "NAME"); i >= 0 {
				args[i] = name
			} else {
				args = append(args, row.flag, name)
			}
			out, err := s.output(nil, args...)
			assert.Equal(t, exitUsage, code(err), "%s: %s", args, out)
			assert.Contains(t, out, "hsharness: "+row.flag+": ", "%s", args)
			assert.Equal(t, bought, s.served(), "%s", args)
			assert.Zero(t, s.status().Held, "%s", args)
		}
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(kept))
	assert.NoFileExists(t, started)
	out, err = s.output(nil, "run", "--json", "-", "--junit", "-", one)
	assert.Equal(t, exitUsage, code(err))
	assert.Contains(t, out, "--json and --junit both write to -")
	blocked := filepath.Join(s.dir, "new", "bill.json")
	out, err = s.output(nil, "exec", "--mode", "live", "--max-spend", "200", "--bill", blocked, "--", "classify")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.NoFileExists(t, blocked, "no bill is not an empty one")
	s.verify()
}

// A report takes the place of its like, and of nothing else: not of a scenario, the ledger or
// the project file, in any command. Nothing is bought, and each stays as it is.
func TestReportsReplaceTheirLike(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	s.write("scenarios/goods.yaml", goods(2, ""))
	s.write("titles.csv", goodsTable)
	s.write("rows.jsonl", "{\"title\":\"tea\"}\n")
	ledgers, err := filepath.Glob(filepath.Join(s.dir, "*", "*.db"))
	require.NoError(t, err)
	other, err := filepath.Glob(filepath.Join(s.dir, "*.db"))
	require.NoError(t, err)
	ledgers = append(ledgers, other...)
	require.NotEmpty(t, ledgers)
	kept := map[string]string{}
	for _, name := range append([]string{"scenarios/goods.yaml", "titles.csv", "rows.jsonl", "hsharness.yaml"}, ledgers...) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(s.dir, name)
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		kept[name] = string(text)
	}
	run := []string{"run", "--mode", "live", "--max-spend", "2"}
	serve := []string{"serve", "--identity-addr", "nowhere"} // it ends, whatever it does to the file
	for _, args := range [][]string{
		append(run, "--junit"), append(run, "--json"), append(run, "--html"), append(run, "--score"),
		{"report", "--html"}, {"report", "--md"}, {"report", "--json"}, {"report", "--csv"}, {"quota", "export"},
		append(serve, "--ready-file"), append(serve, "--env-file"), append(serve, "--tls", "--tls-ca"),
		{"gateway", "--mode", "record", "--ready-file"}, {"gateway", "--mode", "record", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--tls", "--tls-ca"},
		{"gateway", "keys", "add", "shop", "--cap", "1", "--keys"}, {"gateway", "keys", "add", "shop", "--cap", "1", "--out"},
	} {
		for name := range kept {
			out, err := s.output(nil, append(slices.Clone(args), name)...)
			assert.Equal(t, exitUsage, code(err), "%s %s: %s", args, name, out)
			if !slices.Contains([]string{"--env-file", "--keys", "--out"}, args[len(args)-1]) { // these say it in their own words
				assert.Contains(t, out, "not written over", "%s %s", args, name)
			}
		}
	}
	out, err := s.output([]string{logFile + "=" + ledgers[0]}, "run", "--mode", "live", "--max-spend", "2")
	assert.Equal(t, exitUsage, code(err), out)
	out, err = s.output(nil, "exec", "--mode", "live", "--max-spend", "2", "--bill", "titles.csv", "--", "classify")
	assert.Equal(t, exitUsage, code(err), out)
	for name, text := range kept {
		now, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, text, string(now), name)
	}
	assert.Zero(t, s.served())
	for range 2 { // each is written over itself
		for _, args := range [][]string{{"run", "--junit", "o.xml", "--json", "o.json", "--html", "o.html", "--score", "o.csv"}, {"report", "--html", "r.html", "--json", "r.json", "--csv", "r.csv", "--md", "r.md"}, {"report", "--by", "branch", "--csv", "r.csv"}, {"quota", "export", "e.jsonl"}, {"exec", "--bill", "bill.json", "--", "true"}} {
			out, err := s.output(nil, args...)
			require.NoError(t, err, "%s: %s", args, out)
		}
	}
	s.verify()
}

// TestReportsLostAtTheEnd: what can no more be written takes neither the result nor the
// exit code with it.
func TestReportsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	gone := "rm -rf reports && touch reports" // a folder that was there at the start
	for own, status := range map[int]string{exitUsage: "200", exitFailed: "404"} {
		require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "reports")))
		args := []string{"run", "--allow-exec", "--junit", "reports/j.xml", "--json", "kept/run.json", scenarioFile(t, s.dir, gone, status)}
		out, err := s.output(nil, args...)
		assert.Equal(t, own, code(err), out)
		assert.Contains(t, out, "hsharness: --junit: ")
		assert.Contains(t, out, "1 scenario, ")
		data, err := os.ReadFile(filepath.Join(s.dir, "kept", "run.json"))
		require.NoError(t, err, "the other report")
		assert.Contains(t, string(data), `"exit":`)
	}
	for _, row := range []struct{ command, own int }{{0, exitUsage}, {1, 1}, {41, 41}} {
		require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "reports")))
		out, err := s.output(nil, "exec", "--bill", "reports/bill.json", "--", "sh", "-c", gone+" && classify; exit "+strconv.Itoa(row.command))
		assert.Equal(t, row.own, code(err), out)
		assert.Contains(t, out, "hsharness: --bill: ")
		assert.Contains(t, out, "hsharness: spent 0 · would have spent 1", "the bill is printed instead")
	}
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "reports")))
	out, err := s.output(nil, "exec", "--bill", "reports/bill.json", "--", "rm", "-r", "reports")
	require.NoError(t, err, "the folder is made again: %s", out)
	assert.FileExists(t, filepath.Join(s.dir, "reports", "bill.json"))
}

// TestReportsOnStandardOutput: they are there alone.
func TestReportsOnStandardOutput(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	one := scenarioFile(t, s.dir, "true", "200")
	for _, row := range []struct {
		args  []string
		wants func(text []byte) error
	}{
		{[]string{"run", "--allow-exec", "--junit", "-", one}, func(text []byte) error { return xml.Unmarshal(text, new(struct{ XMLName xml.Name })) }},
		{[]string{"run", "--allow-exec", "--format", "json", "--junit", "-", one}, func(text []byte) error { return xml.Unmarshal(text, new(struct{ XMLName xml.Name })) }},
		{[]string{"exec", "--bill", "-", "--", "sh", "-c", "classify >&2"}, func(text []byte) error { return json.Unmarshal(text, new(report.Bill)) }},
		{[]string{"report", "--json", "-"}, func(text []byte) error { return json.Unmarshal(text, new(map[string]any)) }},
	} {
		cmd := s.command(row.args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, stderr.String())
		assert.NoError(t, row.wants(out), "%s: %s", row.args, out)
		if row.args[0] != "exec" {
			assert.NotEmpty(t, stderr.String(), "what is printed besides")
		}
	}
	assert.NoFileExists(t, filepath.Join(s.dir, "-"))
}

// TestNobodyReads: the exit code is the test's own, whether somebody reads the result
// or not; and a command is ended by its own broken pipe as ever.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	for _, row := range []struct {
		own  int
		args []string
	}{
		{exitOK, []string{"run", "--allow-exec", scenarioFile(t, s.dir, "true", "200")}},
		{exitFailed, []string{"run", "--allow-exec", scenarioFile(t, s.dir, "true", "404")}},
		{exitOK, []string{"exec", "--", "sh", "-c", "classify >/dev/null"}},
		{5, []string{"exec", "--", "sh", "-c", "exit 5"}},
		{exitOK, []string{"exec", "--bill", "-", "--", "sh", "-c", "classify >/dev/null"}},
		{128 + int(syscall.SIGPIPE), []string{"exec", "--", "cat", "/dev/zero"}},
	} {
		read, write, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, read.Close())
		cmd := s.command(row.args...)
		cmd.Stdout, cmd.Stderr = write, write
		err = cmd.Run()
		require.NoError(t, write.Close())
		assert.Equal(t, row.own, code(err), "%s: %v", row.args, err)
	}
}

// Of several reports that can't be written at the end each has a line, and what to do.
func TestReportsThatAreLostHaveALineEach(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	one := scenarioFile(t, s.dir, "mkdir one.xml one.json", "200")
	out, err := s.output(nil, "run", "--allow-exec", "--junit", "one.xml", "--json", "one.json", one)
	assert.Equal(t, exitUsage, code(err), out)
	assert.Contains(t, out, "hsharness: --json: one.json is a folder, and a file is wanted: name another one\n--junit: one.xml is a folder,")
}
