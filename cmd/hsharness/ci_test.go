package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// installed tells whether programs are there. A machine with Go alone lacks some,
// and says that the test did not run; CI has all.
func installed(t *testing.T, programs ...string) bool {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			require.Empty(t, os.Getenv("CI"), "%s is not installed", name)
			t.Logf("NOT RUN: %s is not installed", name)
			return false
		}
	}
	return true
}

// TestGitLabJobs runs the scripts of the template's jobs as GitLab's shell does.
func TestGitLabJobs(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	text, err := os.ReadFile("../../ci/gitlab.yml")
	require.NoError(t, err)
	type job struct {
		Image, Extends string
		Variables      map[string]string
		BeforeScript   []string `yaml:"before_script"`
		Script         []string
		Rules          []map[string]any
		ResourceGroup  string `yaml:"resource_group"`
		Artifacts      *struct {
			When, Name string
			Paths      []string
		}
	}
	var jobs map[string]job
	require.NoError(t, yaml.UnmarshalWithOptions(text, &jobs, yaml.Strict()))
	base := jobs[".hsharness"]
	require.NotEmpty(t, base.Variables)

	r := newRunner(t)
	run := func(name string, variables ...string) (int, string) {
		t.Helper()
		j := jobs[name]
		require.Equal(t, ".hsharness", j.Extends, name)
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(j.Script, "\n"))
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "CI=true", "GITLAB_CI=true", "CI_JOB_NAME="+strings.TrimPrefix(name, ".hsharness-"), "CI_PIPELINE_SOURCE=web",
			"CI_COMMIT_REF_NAME=main", "CI_JOB_STARTED_AT=2026-01-01T00:00:00Z", "XDG_STATE_HOME="+r.dir, "REAL_SECRET="+realSecret,
			"PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		for name, value := range base.Variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, variables...)
		out, _ := cmd.CombinedOutput() // its code says it
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, out := run(".hsharness-record", "SUITE=npm test", "MAX_SPEND=4")
	require.Zero(t, code, out)
	assert.EqualValues(t, 2, r.served())
	code, out = run(".hsharness-replay", "SUITE=npm test")
	require.Zero(t, code, out)
	assert.Contains(t, out, "replayed 2")
	code, out = run(".hsharness-verify", "SAMPLE=1", "REQUIRE=50")
	require.Zero(t, code, out)
	assert.EqualValues(t, 3, r.served())
	code, out = run(".hsharness-verify")
	assert.Equal(t, exitBlocked, code, "97 are left, 100 required: %s", out)
	code, out = run(".hsharness-replay")
	require.Zero(t, code, out)
	assert.EqualValues(t, 3, r.served())
	assert.NotNil(t, jobs[".hsharness-record"].Artifacts, "what was bought is kept")
	assert.NotNil(t, jobs[".hsharness-verify"].Artifacts)
}

// TestCIPage writes the table of inputs, and types what the page says.
func TestCIPage(t *testing.T) {
	t.Parallel()
	const name, begin, end = "../../docs/ci.md", "<!-- inputs: made from action.yml by TestCIPage -->\n", "<!-- end of inputs -->\n"
	var rows strings.Builder
	rows.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, input := range inputsInOrder(t) {
		fallback := ""
		if d := readAction(t).Inputs[input].Default; *d != "" {
			fallback = "`" + *d + "`"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", input, fallback, readAction(t).Inputs[input].Description)
	}
	generatedPart(t, name, begin, end, rows.String())

	if !installed(t, "git") {
		return
	}
	p := readPage(t, "docs/ci.md")
	require.Len(t, p.yaml, 1)
	require.NoError(t, readText(t, "version: 1\n"+p.yaml[0]))
	r := newReader(t)
	code, out := r.types("git init -q . && hsharness quota init --granted 100 && hsharness exec --mode record --max-spend 2 -- npm test")
	require.Zero(t, code, out)
	for _, line := range p.typed {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 4, r.served(), "two are bought, and two again: there are no more to sample")
}

func inputsInOrder(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a struct{ Inputs yaml.MapSlice }
	require.NoError(t, yaml.Unmarshal(text, &a))
	var names []string
	for _, item := range a.Inputs {
		names = append(names, item.Key.(string))
	}
	return names
}
