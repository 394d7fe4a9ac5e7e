package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// full is a disk that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestNothingPrintedIsNoSuccess: a command whose output is lost says so, whatever it is about,
// and is exit code 2 where all else went well.
func TestNothingPrintedIsNoSuccess(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("hsharness.yaml", []byte("version: 1\nallowance: { granted: 10 }\nenvironments: { sandbox: { client_id: me } }\n"), 0o600))
	require.NoError(t, os.Mkdir("scenarios", 0o755))
	require.NoError(t, os.WriteFile("scenarios/a.yaml", []byte("version: 1\nname: a\nwhy: x\nsteps: [ { token: {} } ]\n"), 0o600))
	run := func(stdout io.Writer, line string) (int, string) {
		var errs bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: stdout, stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }}
		return p.run(t.Context(), strings.Fields(line)), errs.String()
	}
	code, said := run(io.Discard, "quota init")
	require.Zero(t, code, said)
	code, said = run(io.Discard, "run --json run.json")
	require.Zero(t, code, said)

	lines := []string{
		"version", "schema", "lint", "plan", "run", "score run.json", "report",
		"quota status", "quota history", "quota runs", "quota verify", "quota export", "recordings accept --all", "recordings scan",
		"help", "help run", "completion bash", "completion zsh", "completion fish", "completion powershell",
	}
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		lines = append(lines, strings.TrimPrefix(cmd.CommandPath()+" --help", "hsharness "))
		for _, below := range cmd.Commands() {
			each(below)
		}
	}
	each((&program{}).rootCommand())
	assert.Greater(t, len(lines), 60)
	for _, line := range lines {
		for _, format := range []string{"text", "json"} {
			line := line + " --format " + format
			var printed bytes.Buffer
			code, said := run(&printed, line)
			assert.Zero(t, code, "%s: %s", line, said)
			if printed.Len() == 0 {
				assert.Equal(t, "lint --format json", line, "it prints nothing")
				continue
			}
			code, said = run(full{}, line)
			assert.Equal(t, exitUsage, code, line)
			assert.Contains(t, said, "no space left on device", line)
			assert.Equal(t, 1, strings.Count(said, "no space left on device"), "%s: it is said once", line)
		}
	}
}

// TestPlanThatCannotBePrinted is no price: who reads half of one takes it for the whole.
func TestPlanThatCannotBePrinted(t *testing.T) {
	for _, args := range [][]string{{"plan", "--no-color"}, {"plan", "--format", "json"}} {
		var errs bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: io.Writer(full{}), stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }}
		assert.Equal(t, exitUsage, p.run(t.Context(), args), "%s", args)
		assert.Contains(t, errs.String(), "no space left on device", "%s", args)
	}
}
