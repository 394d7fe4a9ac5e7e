package main

import (
	"fmt"
	"os"
	"os/exec"
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

// TestCIPage writes the table of inputs, and types what the page says.
func TestCIPage(t *testing.T) {
	t.Parallel()
	const name, begin, end = "../../docs/ci.md", "<!-- inputs: made from action.yml by TestCIPage -->\n", "<!-- end of inputs -->\n"
	var rows strings.Builder
	rows.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, input := range namesInOrder(t, "inputs") {
		fallback := ""
		if d := readAction(t).Inputs[input].Default; *d != "" {
			fallback = "`" + *d + "`"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", input, fallback, readAction(t).Inputs[input].Description)
	}
	generatedPart(t, name, begin, end, rows.String())
	rows.Reset()
	rows.WriteString("| output | meaning |\n|---|---|\n")
	for _, output := range namesInOrder(t, "outputs") {
		fmt.Fprintf(&rows, "| `%s` | %s |\n", output, readAction(t).Outputs[output].Description)
	}
	generatedPart(t, name, strings.Replace(begin, "inputs", "outputs", 1), strings.Replace(end, "inputs", "outputs", 1), rows.String())

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

// namesInOrder are the inputs or the outputs of the action, as they stand there.
func namesInOrder(t *testing.T, of string) []string {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a struct{ Inputs, Outputs yaml.MapSlice }
	require.NoError(t, yaml.Unmarshal(text, &a))
	var names []string
	for _, item := range map[string]yaml.MapSlice{"inputs": a.Inputs, "outputs": a.Outputs}[of] {
		names = append(names, item.Key.(string))
	}
	return names
}
