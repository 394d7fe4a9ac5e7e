package reach

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/services"
)

// ends are those of a server whose client has this secret.
func ends(secret string) services.Endpoints {
	return services.Endpoints{
		Sandbox:    services.URLs{Identity: "http://127.0.0.1:8700", Token: "http://127.0.0.1:8700/connect/token", API: "http://[::1]:8710", Legacy: "http://h:1", Managed: "http://h:2"},
		ControlURL: "http://127.0.0.1:8720", ClientID: "hsharness-client", ClientSecret: secret, ControlToken: "00ff",
	}
}

// byDocker reads a file as docker --env-file does: a line is a name and, to its end,
// the value.
func byDocker(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok && !strings.HasPrefix(line, "#") {
			all[name] = value
		}
	}
	return all
}

// byProgram reads a file as a program does that prints its environment as JSON.
func byProgram(t *testing.T, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/home"}
	out, err := cmd.Output()
	require.NoError(t, err, args)
	all := map[string]string{}
	if strings.HasPrefix(string(out), "{") {
		require.NoError(t, json.Unmarshal(out, &all))
		return all
	}
	for v := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return all
}

func TestEveryReaderReadsTheSame(t *testing.T) {
	t.Parallel()
	f := filepath.Join(t.TempDir(), "a b.env")
	own := names.List{{Name: "TOKEN", Text: "{token_url}?a=b:{client_id}"}, {Name: "EMPTY", Text: ""}, {Name: "ALL", Text: "Az09_./:@%+,=?-"}}
	require.NoError(t, EnvFile(f).Write(ends("hsharness-secret"), own))
	info, err := os.Stat(f)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	text, err := os.ReadFile(f)
	require.NoError(t, err)
	want := map[string]string{
		"TOKEN": "http://127.0.0.1:8700/connect/token?a=b:hsharness-client", "EMPTY": "", "ALL": "Az09_./:@%+,=?-", "HSHARNESS_MODE": "offline",
		"HSHARNESS_IDENTITY_URL": "http://127.0.0.1:8700", "HSHARNESS_TOKEN_URL": "http://127.0.0.1:8700/connect/token", "HSHARNESS_CONTROL_URL": "http://127.0.0.1:8720",
		"HSHARNESS_LEGACY_API_URL": "http://h:1", "HSHARNESS_MANAGED_API_URL": "http://h:2", "HSHARNESS_CLIENT_ID": "hsharness-client",
		"HSHARNESS_CLIENT_SECRET": "hsharness-secret", "HSHARNESS_CONTROL_TOKEN": "00ff",
	}
	readers := map[string]map[string]string{"docker": byDocker(string(text)), "sh": byProgram(t, "sh", "-c", `set -a; . "$1"; env -0`, "sh", f)}
	if exec.Command("node", "--env-file", os.DevNull, "-e", "0").Run() == nil { // it has a reader of its own since 20.6
		readers["node"] = byProgram(t, "node", "--env-file", f, "-e", "process.stdout.write(JSON.stringify(process.env))")
	} else {
		t.Log("NOT RUN: node is not installed, or older than 20.6")
	}
	for reader, got := range readers {
		for name, value := range want {
			assert.Equal(t, value, got[name], "%s: %s", reader, name)
		}
		if name := "HSHARNESS_API_URL"; reader == "docker" { // brackets are a pattern for a shell
			assert.Equal(t, "'http://[::1]:8710'", got[name])
		} else {
			assert.Equal(t, "http://[::1]:8710", got[name], reader)
		}
	}
	assert.Len(t, readers["docker"], len(want)+1)
}

func TestValuesInQuotes(t *testing.T) {
	t.Parallel()
	f := filepath.Join(t.TempDir(), "env")
	for _, secret := range []string{"a b", "$HOME", "`id`", "a#b", " #", "~", "*", "a;b&c|d", `\n"`, "!x", "(a)<b>", "ä"} {
		require.NoError(t, EnvFile(f).Write(ends(secret), nil), secret)
		assert.Equal(t, secret, byProgram(t, "sh", "-c", `set -a; . "$1"; env -0`, "sh", f)["HSHARNESS_CLIENT_SECRET"])
	}
	for _, secret := range []string{"it's", "a\nb", "a\tb", "\x7f"} {
		require.ErrorContains(t, EnvFile(f).Write(ends(secret), nil), "HSHARNESS_CLIENT_SECRET has a quote", secret)
	}
}

func TestOnlyAFileOfOursIsReplaced(t *testing.T) {
	t.Parallel()
	f := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, EnvFile(f).Clear(), "there is none")
	require.NoError(t, EnvFile(f).Write(ends("x"), nil))
	require.NoError(t, os.Chmod(f, 0o644))
	require.NoError(t, EnvFile(f).Clear())
	assert.NoFileExists(t, f, "its ports are those of another start")
	require.NoError(t, os.WriteFile(f, nil, 0o600))
	require.NoError(t, EnvFile(f).Clear(), "of an empty one nothing is lost")
	require.NoError(t, os.WriteFile(f, []byte("STRIPE_KEY=mine\n"), 0o600))
	require.ErrorContains(t, EnvFile(f).Clear(), "hsharness did not write")

	ledger := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, os.WriteFile(ledger, []byte("SQLite format 3\x00"), 0o600))
	require.NoError(t, os.WriteFile(ledger+"-wal", nil, 0o600))
	require.ErrorContains(t, EnvFile(ledger+"-wal").Clear(), "is a part of the ledger")
	text, err := os.ReadFile(f)
	require.NoError(t, err)
	assert.Equal(t, "STRIPE_KEY=mine\n", string(text))
	require.Error(t, EnvFile(t.TempDir()).Clear(), "a folder")
}
