package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestActionOnAFullDisk: what was bought is uploaded from where it is, also where the
// disk of the runner's files filled up while the suite ran, and no step could write
// down for the next what there is.
func TestActionOnAFullDisk(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	// What can't be written leads to nowhere: as on a full disk it can't be read either.
	const fills = `npm test; cd "$RUNNER_TEMP/hsharness"; for f in bill.json bought code told folder left why; do ln -sfn /dev/null/at/all $f; done`
	code, log, _ := r.does(map[string]string{"command": fills, "mode": "record", "max-spend": "2", "keep": "upload"})
	assert.NotZero(t, code, log)
	assert.Contains(t, log, "hsharness: --bill: ")
	assert.EqualValues(t, 2, r.served())
	require.Len(t, r.artifact, 2, "each answer that was bought is uploaded: %s", log)
	code, out := r.types("mkdir artifact && cp " + strings.Join(r.artifact, " ") + " artifact && mv recordings away && hsharness recordings recover artifact/* && hsharness exec --mode replay -- npm test")
	assert.Zero(t, code, out)
	assert.EqualValues(t, 2, r.served())
}

// TestActionInAFork: a pull request of a fork has no secret at all, and may not push.
func TestActionInAFork(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "2", "keep": "commit"})
	require.Zero(t, code, log)
	before := r.pushed()
	for _, line := range []string{
		"git pull -q --rebase || git reset -q --hard origin/main",
		`echo 'ledger: "${HSHARNESS_LEDGER}"' >>hsharness.yaml && rm -rf .hsharness`,
		"git checkout -q --detach && git remote set-url origin /nowhere",
	} {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
	}
	r.account, r.offline = false, true
	r.event["event_name"], r.event["ref_name"], r.event["base_ref"] = "pull_request", "7/merge", "main"
	inputs := func(command, mode string) map[string]string {
		with := map[string]string{"command": command, "mode": mode, "keep": "commit"}
		if mode == "record" {
			with["max-spend"] = "5"
		}
		return with
	}
	code, log, summary := r.does(inputs("npm test", "replay"))
	assert.Zero(t, code, log)
	assert.NotContains(t, log, "::error")
	assert.NotContains(t, log, "could not be pushed")
	assert.Contains(t, summary, "replayed 2")

	code, log, _ = r.does(inputs("classify 3", "replay"))
	assert.Equal(t, exitMissing, code, log)
	assert.Contains(t, log, "::error title=hsharness, exit code 3::")
	assert.Contains(t, log, "buying it costs 1")

	code, log, _ = r.does(inputs("classify 3", "record"))
	assert.Equal(t, exitUsage, code, log)
	assert.Regexp(t, `::error title=hsharness, exit code 2::hsharness: (HSHARNESS_LEDGER|REAL_SECRET) is not set`, log)
	assert.NotContains(t, log, "could be neither pushed")

	assert.Nil(t, r.artifact)
	assert.EqualValues(t, 2, r.served(), "nothing is bought")
	assert.NoFileExists(t, r.dir+"/.hsharness/ledger.db", "and no other ledger made")
	assert.Equal(t, before, r.pushed())
	_, err := os.Stat(r.dir + "/recordings")
	assert.NoError(t, err)
}
