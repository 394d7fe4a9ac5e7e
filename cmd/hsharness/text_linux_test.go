package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ledger has nothing but text that every store and an export take, whatever a folder, a
// branch or a note is called.
func TestALedgerHasTextAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "hsharness.yaml")
	require.NoError(t, os.WriteFile(config, []byte("version: 1\npolicy: { loopback: exempt }\nenvironments: { sandbox: { identity_url: \"http://127.0.0.1:1\", api_url: \"http://127.0.0.1:1\", client_id: me } }\n"), 0o600))
	env := map[string]string{"HSHARNESS_CONFIG": config, "HSHARNESS_SUITE": "caf\xe9", "HSHARNESS_BRANCH": "gr\xf6sse", "PATH": os.Getenv("PATH")}
	for _, line := range []string{
		"quota init --granted 10", "quota grant 5 --note caf\xe9", "quota floor 1 --note caf\xe9", "quota reconcile --observed 1 --note caf\xe9",
		"exec --mode replay -- true", "quota verify",
	} {
		code, _, errs := execute(t, env, strings.Split(line, " ")...)
		require.Zero(t, code, "%q: %s", line, errs)
	}
	delete(env, "HSHARNESS_SUITE") // which filters, too
	delete(env, "HSHARNESS_BRANCH")
	code, out, errs := execute(t, env, "quota", "history", "--suite", "caf\uFFFD")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "in all 2 entries")
	ledger, err := os.ReadFile(filepath.Join(dir, ".hsharness", "ledger.db"))
	require.NoError(t, err)
	for _, bad := range []string{"caf\xe9", "gr\xf6sse"} {
		assert.NotContains(t, string(ledger), bad)
	}
	assert.True(t, utf8.ValidString(out))
}
