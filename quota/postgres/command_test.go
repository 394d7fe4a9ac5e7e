package postgres_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
)

// TestCommandsShareOneLedger runs the binary, as machines that share a ledger
// would, with the address in its environment.
func TestCommandsShareOneLedger(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "hsharness")
	out, err := exec.Command("go", "build", "-o", binary, "github.com/hsharness/hsharness/cmd/hsharness").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(
		"version: 1\nenvironments: { sandbox: { identity_url: \"http://127.0.0.1:1\", api_url: \"http://127.0.0.1:1\", client_id: some-id, client_secret: some-secret } }\n"), 0o600))
	environ := append(os.Environ(), "HSHARNESS_LEDGER="+pgtest.Database(t), "CI=")
	hsharness := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir, cmd.Env = dir, environ
		return cmd
	}

	const granted, each, many = 10, 3, 6
	out, err = hsharness("quota", "init", "--granted", strconv.Itoa(granted)).CombinedOutput()
	require.NoError(t, err, "%s", out)

	release := filepath.Join(dir, "release")
	var admitted, blocked atomic.Int64
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			err := hsharness("exec", "--mode", "live", "--max-spend", strconv.Itoa(each), "--",
				"sh", "-c", "while ! test -e "+release+"; do sleep 0.02; done").Run()
			var exit *exec.ExitError
			switch {
			case err == nil:
				admitted.Add(1)
			case errors.As(err, &exit) && exit.ExitCode() == 4:
				if blocked.Add(1) == many-granted/each {
					assert.NoError(t, os.WriteFile(release, nil, 0o600)) // all others hold
				}
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, granted/each, admitted.Load())
	assert.EqualValues(t, many-granted/each, blocked.Load())

	out, err = hsharness("quota", "status", "--format", "json").Output()
	require.NoError(t, err)
	var status quota.Status
	require.NoError(t, json.Unmarshal(out, &status))
	assert.Zero(t, status.Held+status.Spent)
	assert.EqualValues(t, granted, status.Usable)
	out, err = hsharness("quota", "verify").CombinedOutput()
	assert.NoError(t, err, "%s", out)
}
