package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/clients"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// TestManyTestsUnderOneExec runs two packages of parallel tests with faults,
// clocks and ExpectSpend(1) at the same time, in each mode. The sandbox's own
// count is the judge.
func TestManyTestsUnderOneExec(t *testing.T) {
	t.Parallel()
	const tests = 30
	s := newSandbox(t, 100)
	folder, err := filepath.Abs("testdata/suites")
	require.NoError(t, err)
	// Built once, so that only the tests are behind the guard.
	bin := t.TempDir()
	for _, suite := range []string{"shoes", "shirts"} {
		cmd := exec.Command("go", "test", "-c", "-ldflags", "-s -w", "-o", filepath.Join(bin, suite), "./"+suite)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run := func(mode ...string) report.Bill {
		t.Helper()
		args := append([]string{"exec", "--bill", "bill.json"}, mode...)
		args = append(args, "--", "sh", "-c", `"$1" -test.count=1 & a=$!; "$2" -test.count=1 -test.shuffle=on & b=$!; wait $a && wait $b`, "sh", filepath.Join(bin, "shoes"), filepath.Join(bin, "shirts"))
		out, err := s.command(args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		data, err := os.ReadFile(filepath.Join(s.dir, "bill.json"))
		require.NoError(t, err)
		var b report.Bill
		require.NoError(t, json.Unmarshal(data, &b))
		assert.Equal(t, 2*tests, b.Requests)
		return b
	}
	assert.Equal(t, tests, run().Mocked)
	assert.Zero(t, s.served())
	for range 2 { // the second time nothing is missing
		run("--mode", "record", "--max-spend", "40")
		assert.Equal(t, int64(tests), s.served())
	}
	assert.Equal(t, tests, run("--mode", "replay").Replayed)
	assert.Equal(t, int64(tests), s.served())
	s.verify()

	out, err := s.command("report", "--by", "test").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "TestEachAlone/14", "each spend carries its test's name, and no request had to")
}

// TestControlPageAsWritten runs what docs/control.md shows, behind an exec.
func TestControlPageAsWritten(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "control.md"))
	require.NoError(t, err)
	dir := t.TempDir()
	shown := map[string]string{}
	for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
		shown[m[1]] += m[2]
	}
	require.Len(t, shown, 4)
	require.NotEmpty(t, readPage(t, "docs/control.md").typed)
	for language, program := range map[string]string{"sh": "sh", "python": "python3", "js": "node"} {
		if _, err := exec.LookPath(program); err != nil {
			require.Empty(t, os.Getenv("CI"), "%s is not installed", program)
			t.Logf("NOT RUN: %s is not installed", program)
			continue
		}
		file := filepath.Join(dir, language)
		text := shown[language]
		if language == "sh" {
			text = "set -e\n" + text
		}
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		if program == "node" {
			require.NoError(t, os.Rename(file, file+".cjs"))
			file += ".cjs"
		}
		cmd := exec.Command("hsharness", "exec", "--", program, file)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CI=")
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s: %s", language, out)
	}
	file := filepath.Join(dir, "clients.yaml")
	require.NoError(t, os.WriteFile(file, []byte(shown["yaml"]), 0o600))
	_, _, err = clients.Read(file)
	require.NoError(t, err)
	// Every call is shown.
	s, err := services.New(services.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	base, err := s.ControlURL()
	require.NoError(t, err)
	resp, err := http.Get(base)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var list struct{ Calls []services.Call }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
	require.NotEmpty(t, list.Calls)
	for _, call := range list.Calls {
		path, _, _ := strings.Cut(call.Path, "{")
		assert.Contains(t, shown["sh"], "HSHARNESS_CONTROL_URL"+path, "%s %s", call.Method, call.Path)
	}
}
