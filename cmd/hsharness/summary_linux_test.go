package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestActionSummary: what a suite printed breaks no summary: no fence, no line of
// megabytes, no escape code, no half of a character.
func TestActionSummary(t *testing.T) {
	t.Parallel()
	if !installed(t, "bash", "iconv") {
		return
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	temp := t.TempDir()
	summary := filepath.Join(temp, "summary")
	write := func(log string) string {
		require.NoError(t, os.WriteFile(filepath.Join(temp, "hsharness.log"), []byte(log), 0o600))
		require.NoError(t, os.RemoveAll(summary))
		cmd := exec.Command(filepath.Join(root, "ci", "action", "summary.sh"))
		cmd.Dir, cmd.Env = temp, append(os.Environ(), "RUNNER_TEMP="+temp, "GITHUB_STEP_SUMMARY="+summary, "XDG_STATE_HOME="+temp)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		text, err := os.ReadFile(summary)
		require.NoError(t, err)
		return string(text)
	}
	text := write("before\n```\n## no heading\n````\n\x1b[31mred\x1b[0m \x1b]0;title\x07\r\x00\n" + strings.Repeat("é", 1_500_000) + "\nspent 0\n")
	assert.True(t, strings.HasPrefix(text, "### hsharness\n`````text\nbefore\n"), text[:60])
	assert.True(t, strings.HasSuffix(text, "\nspent 0\n`````\n"), text[len(text)-60:])
	assert.Equal(t, 2, strings.Count(text, "`````"))
	assert.Contains(t, text, "\nred ")
	assert.False(t, strings.ContainsAny(text, "\x1b\x07\r\x00"))
	assert.True(t, utf8.ValidString(text))
	assert.Less(t, len(text), 10_000)
	assert.Less(t, len(write(strings.Repeat(strings.Repeat("x", 1_000_000)+"\n", 50))), 1<<20)
	assert.Empty(t, write(""))
}

// TestFilesAreNamedInTheRepository: who reads annotations and JUnit knows no working
// directory, whatever folder the command was in and whatever it was given.
func TestFilesAreNamedInTheRepository(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	project := filepath.Join(repo, "services", "shop")
	deep := filepath.Join(project, "deep")
	for _, dir := range []string{filepath.Join(repo, ".git"), filepath.Join(project, "scenarios"), deep} {
		require.NoError(t, os.MkdirAll(dir, 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(project, "hsharness.yaml"), []byte("version: 1\n"), 0o600))
	file := scenarioFile(t, filepath.Join(project, "scenarios"), "true", "404")
	const named = "services/shop/scenarios/one-404.yaml"
	for _, row := range []struct {
		dir  string
		args []string
	}{{project, nil}, {deep, nil}, {repo, []string{"services/shop/scenarios"}}, {os.TempDir(), []string{file}}} {
		cmd := exec.Command("hsharness", append([]string{"run", "--allow-exec", "--junit", filepath.Join(repo, "j.xml")}, row.args...)...)
		cmd.Dir, cmd.Env = row.dir, append(os.Environ(), "GITHUB_ACTIONS=true", "XDG_STATE_HOME="+repo)
		out, err := cmd.Output()
		assert.Equal(t, exitFailed, code(err), "%s", out)
		assert.Contains(t, string(out), "\n::error file="+named+",line=", "%s", row.args)
		junit, err := os.ReadFile(filepath.Join(repo, "j.xml"))
		require.NoError(t, err)
		assert.Contains(t, string(junit), `classname="`+named+`" file="`+named+`" line=`)
		assert.NotContains(t, string(junit), `="`+filepath.ToSlash(file))
	}
	require.NoError(t, os.Remove(filepath.Join(repo, ".git")))
	cmd := exec.Command("hsharness", "run", "--allow-exec")
	cmd.Dir, cmd.Env = project, append(os.Environ(), "GITHUB_ACTIONS=true", "XDG_STATE_HOME="+repo)
	out, err := cmd.Output()
	assert.Equal(t, exitFailed, code(err))
	assert.Contains(t, string(out), "\n::error file=scenarios/one-404.yaml,line=", "as it was given, where there is no repository")
}
