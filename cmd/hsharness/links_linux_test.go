package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRevokeThroughALink: the file that a link leads to is changed, and a gateway
// that reads it by its own name knows.
func TestRevokeThroughALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "keys.yaml"), filepath.Join(dir, "link.yaml")
	require.NoError(t, os.Symlink("keys.yaml", link))
	keys := func(name string, args ...string) string {
		code, stdout, stderr := execute(t, nil, append([]string{"gateway", "keys", "--keys", name}, args...)...)
		require.Zero(t, code, stderr)
		return stdout + stderr
	}
	keys(link, "add", "shop", "--cap", "5")
	assert.Regexp(t, `shop .* -\n$`, keys(file, "ls"))
	assert.Contains(t, keys(link, "revoke", "shop"), "is revoked")
	assert.NotRegexp(t, `shop .* -\n$`, keys(file, "ls"))
	to, err := os.Readlink(link)
	require.NoError(t, err)
	assert.Equal(t, "keys.yaml", to)

	code, _, stderr := execute(t, nil, "serve", "--ready-file", dir)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "is a folder")
}

// TestWhatIsNoFileIsRefused: where a file is meant, a FIFO is not waited for and a
// device is not read without end, or written; exit code 2 says which it was.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(in("fifo.yaml"), 0o600))
	require.NoError(t, os.Symlink("/dev/zero", in("zero.yaml")))
	require.NoError(t, os.Mkdir(in("shapes"), 0o700))
	require.NoError(t, syscall.Mkfifo(in("shapes/classify.json"), 0o600))
	require.NoError(t, os.Mkdir(in("starter"), 0o700))
	require.NoError(t, syscall.Mkfifo(in("starter/.gitignore"), 0o600))
	for file, kind := range map[string]string{in("fifo.yaml"): "is a FIFO", in("zero.yaml"): "is a device"} {
		for _, row := range []struct {
			env  map[string]string
			args []string
		}{
			{nil, []string{"doctor", "--config", file}},
			{nil, []string{"lint", file}},
			{nil, []string{"run", file}},
			{nil, []string{"serve", "--clients", file}},
			{nil, []string{"serve", "--hs-data", file}},
			{nil, []string{"serve", "--state", file}},
			{nil, []string{"serve", "--ready-file", file}},
			{nil, []string{"serve", "--check", "--tls", "--tls-ca", file}},
			{nil, []string{"gateway", "keys", "--keys", file, "ls"}},
			{nil, []string{"gateway", "keys", "--keys", file, "add", "shop", "--cap", "1"}},
			{nil, []string{"recordings", "collect", in("to"), "--bill", file}},
			{nil, []string{"recordings", "recover", file}},
			{nil, []string{"quota", "import", file, "--ledger", "sqlite:" + in("l.db")}},
			{nil, []string{"run", "--json", file}},
			{nil, []string{"run", "--junit", file}},
			{map[string]string{"GITHUB_STEP_SUMMARY": file}, []string{"run", "--summary"}},
			{map[string]string{logFile: file}, []string{"run"}},
		} {
			code, stdout, stderr := execute(t, row.env, row.args...)
			assert.Equal(t, exitUsage, code, "%s: %s", row.args, stderr)
			if !slices.Contains(row.args, "recover") { // what is no recording it says in its own words
				assert.Contains(t, stdout+stderr, file+" "+kind, "%s", row.args)
			}
		}
	}
	code, _, stderr := execute(t, nil, "serve", "--api-templates", in("shapes"))
	assert.Equal(t, exitUsage, code, stderr)
	assert.Contains(t, stderr, "is a FIFO")
	code, _, stderr = execute(t, nil, "init", in("starter"))
	assert.NotEqual(t, exitOK, code, stderr)
	assert.Contains(t, stderr, "is a FIFO")
}

// TestStreams: what a shell hands over, and standard input and output, are read and
// written as they come.
func TestStreams(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	for script, want := range map[string]string{
		`hsharness run --allow-exec "$SCENARIO" --json /dev/stdout | grep -c '"exit":0'`:                                                "1",
		`{ hsharness run --allow-exec "$SCENARIO" --json >(grep -c '"exit":0' >&3) >/dev/null; } 3>&1 | cat`:                            "1",
		`hsharness run --allow-exec "$SCENARIO" --json /dev/null && echo done`:                                                          "done",
		`hsharness exec --bill - -- sh -c 'classify >/dev/null' | grep -c '"exit":'`:                                                    "1",
		`HSHARNESS_LOG=/dev/stderr hsharness exec -- sh -c 'classify >/dev/null' 2>&1 | grep '"msg":'`:                                  `"msg":`,
		`hsharness lint <(cat "$SCENARIO") && echo done`:                                                                                "done",
		`hsharness serve --check --tls --tls-ca <(echo) 2>&1 | grep -c "don't answer"`:                                                  "1",
		`hsharness quota export | hsharness quota import - --ledger sqlite:$PWD/a/l.db | grep -c imported`:                              "1",
		`hsharness quota export | hsharness quota import /dev/stdin --ledger sqlite:$PWD/b/l.db | grep -c imported`:                     "1",
		`hsharness quota export /dev/stdout | cat >e && hsharness quota import <(cat e) --ledger sqlite:$PWD/c/l.db | grep -c imported`: "1",
		`hsharness exec --bill - -- true >bill && hsharness recordings collect to --bill <(cat bill) | grep -c folder`:                  "1",
	} {
		t.Run(script, func(t *testing.T) {
			cmd := s.command("version")
			cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "-c", script}
			cmd.Env = append(cmd.Env, "SCENARIO="+scenarioFile(t, t.TempDir(), "true", "200"))
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			require.NoError(t, err, stderr.String())
			assert.Contains(t, string(out), want, stderr.String())
		})
	}
}
