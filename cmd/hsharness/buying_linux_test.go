package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBuyingCommandWorks: what exec prints about missing recordings buys them, as it is
// printed, and nothing else.
func TestBuyingCommandWorks(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	out, err := s.output(nil, "exec", "--mode", "record", "--max-spend", "1", "--", "classify")
	require.NoError(t, err, out)
	config := filepath.Join(s.dir, "other name.yaml")
	require.NoError(t, os.Rename(filepath.Join(s.dir, "hsharness.yaml"), config))
	said := regexp.MustCompile(`(?m)^hsharness: buy what is missing: (.*)$`)
	for _, args := range [][]string{
		{"--config", config, "--suite", "it's nightly", "--", "sh", "-c", "classify \"$0\" # it's", "3"},
		{"--config", config, "--", "hsharness", "exec", "--", "classify", "4"},
	} {
		before := s.served()
		out, err := s.output(nil, append([]string{"exec", "--mode", "replay"}, args...)...)
		assert.Equal(t, exitMissing, code(err), out)
		line := said.FindStringSubmatch(out)
		require.NotNil(t, line, out)
		assert.Len(t, said.FindAllString(out, -1), 1)
		assert.Equal(t, before, s.served())
		cmd := exec.Command("sh", "-c", line[1])
		cmd.Dir, cmd.Env = s.dir, s.command().Env
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", line[1], text)
		assert.Greater(t, s.served(), before)
		out, err = s.output(nil, append([]string{"exec", "--mode", "replay"}, args...)...)
		require.NoError(t, err, "nothing is missing any more: %s", out)
		assert.NotRegexp(t, said, out)
	}
	assert.EqualValues(t, 4, s.served(), "one, two more, and one more")

	// Where it would not work it is not said to, and no password is shown.
	out, err = s.output([]string{"CI=1"}, "exec", "--mode", "record", "--max-spend", "9", "--config", config, "--", "classify", "5")
	assert.Equal(t, exitMissing, code(err), out)
	assert.Contains(t, out, "\nhsharness: buy what is missing, outside of CI: hsharness exec ")
	out, err = s.output(nil, "exec", "--mode", "replay", "--config", config, "--ledger", "postgres://me:pass-4711@127.0.0.1:1/db", "--", "classify", "5")
	assert.Equal(t, exitMissing, code(err), out)
	assert.Contains(t, out, " --ledger postgres://me@127.0.0.1:1/db -- classify 5\n")
	assert.NotContains(t, out, "pass-4711")
	out, err = s.output([]string{"HSHARNESS_LEDGER=postgres://me:pass-4711@127.0.0.1:1/db"}, "exec", "--mode", "replay", "--config", config, "--", "classify", "5")
	assert.Equal(t, exitMissing, code(err), out)
	assert.NotContains(t, out, "--ledger", "the environment says it again")
	assert.EqualValues(t, 4, s.served())
}
