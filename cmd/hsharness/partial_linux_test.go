package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A partial run buys what fits and nothing more, by the sandbox's own count, passes
// without the rest, and each report says what was left out. What is recorded runs.
func TestPartialRun(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 12)
	s.write("scenarios/goods.yaml", goods(40, "quota: { expected: 40 }\n"))
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "5", "--partial", "--verbose",
		"--junit", "out/junit.xml", "--json", "out/run.jsonl", "--html", "out/run.html", "--summary")
	require.NoError(t, err, out)
	assert.EqualValues(t, 5, s.served())
	assert.Regexp(t, `(?m)^bought +goods +40 cases, 35 skipped: not bought, 5 calls, 5 units$`, out)
	assert.Len(t, strings.Split(out, "\n  skipped "), 36)
	assert.Contains(t, out, "1 scenario, all passed; 35 cases skipped: not bought in ")
	assert.Contains(t, out, "| 40, 35 skipped: not bought | 5 | 5 |", "the summary")
	for name, want := range map[string]string{
		"junit.xml": `<skipped message="not bought"></skipped>`, "run.jsonl": `"verdict":"skipped","why":"not bought"`, "run.html": `<td data-of="verdict">skipped</td>`,
	} {
		text, err := os.ReadFile(filepath.Join(s.dir, "out", name))
		require.NoError(t, err)
		assert.Equal(t, 35, strings.Count(string(text), want), name)
	}

	// The next one goes on where it stopped, and no further than the ledger lets it.
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "100", "--partial")
	require.NoError(t, err, out)
	assert.EqualValues(t, 12, s.served())
	assert.Contains(t, out, "28 skipped: not bought, 12 calls, 12 units")
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "100", "--partial")
	require.NoError(t, err, out)
	assert.Contains(t, out, "replayed goods")
	assert.EqualValues(t, 12, s.served())
	status := s.status()
	assert.Equal(t, [2]int64{12, 0}, [2]int64{status.Spent, status.Held})
	s.verify()
}

// What is required is bought first, and where it does not fit nothing is.
func TestRequiredIsBoughtFirst(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/a.yaml", goods(9, "weight: 100\n"))
	s.write("scenarios/must.yaml", strings.ReplaceAll(goods(4, "required: true\n"), "cotton shirt", "steel spoon"))
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "3", "--partial")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Contains(t, out, "the cases that are required cost 4 units or more, and 3 fit")
	assert.Zero(t, s.served())
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "5", "--partial", "--seed", "3")
	require.NoError(t, err, out)
	assert.EqualValues(t, 5, s.served())
	assert.Regexp(t, `(?m)^bought +goods +9 cases, 8 skipped: not bought`, out)
	assert.Regexp(t, `(?m)^bought +goods +4 cases, 4 calls`, out)

	out, err = s.output(nil, "exec", "--mode", "record", "--max-spend", "9", "--", "hsharness", "run", "--partial")
	assert.Equal(t, exitUsage, code(err), out)
	assert.Contains(t, out, "--partial needs a run of its own")
}

// A file's own maximum bounds a partial run, too, and a command that buys what it wants
// has no part in it.
func TestFileBoundsAPartialRun(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(9, "quota: { max: 3 }\n"))
	s.write("scenarios/command.yaml", "version: 1\nname: command\nsteps: [ { exec: { command: [classify] } } ]\n")
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "20", "--partial", "--allow-exec")
	require.NoError(t, err, out)
	assert.EqualValues(t, 3, s.served())
	assert.Contains(t, out, "6 skipped: not bought")
	assert.Regexp(t, `(?m)^skipped +command +1 skipped: not bought, for its price is not known`, out)
}
