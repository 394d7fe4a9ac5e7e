package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/secret"
)

// awkward is a license key that every encoding changes.
const awkward = "LK-7f3a9Qz0+Xw/81&\"ä=="

// finderOf finds one secret, however it is written.
func finderOf(t *testing.T, value string) *secret.Finder {
	t.Helper()
	f, err := secret.NewFinder(secret.Secret{Name: "leak", Value: value})
	require.NoError(t, err)
	return f
}

// spelledVariables are an environment that has a secret in many ways.
func spelledVariables(value string) map[string]string {
	quoted, _ := json.Marshal(value)
	return map[string]string{
		"REAL_SECRET":                     value,
		"A_COPY":                          "key=" + value + ";",
		"BASIC":                           base64.StdEncoding.EncodeToString([]byte("real-id:" + value)),
		"BASE64":                          base64.StdEncoding.EncodeToString([]byte(value)),
		"BASE64URL":                       base64.RawURLEncoding.EncodeToString([]byte("x" + value)),
		"HEX":                             hex.EncodeToString([]byte(value)),
		"HEX_UPPER":                       strings.ToUpper(hex.EncodeToString([]byte(value))),
		"JSON":                            `{"secret":` + string(quoted) + `}`,
		"FORM":                            "client_secret=" + url.QueryEscape(value),
		"FORM_LOWER":                      strings.ToLower(url.QueryEscape(value)),
		"PATH_ESCAPED":                    "https://example.com/" + url.PathEscape(value),
		"TWICE":                           base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(value))),
		"HSHARNESS_SANDBOX_CLIENT_SECRET": value,
	}
}

// TestACommandHasNoSecret: in every mode, whoever starts the command, and
// whatever the variables are called and made of.
func TestACommandHasNoSecret(t *testing.T) {
	t.Parallel()
	s := newSandboxWith(t, 10, awkward)
	find := finderOf(t, awkward)
	step := "version: 1\nname: env\nsteps: [ { exec: { command: [sh, -c, env > seen] } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "step.yaml"), []byte(step), 0o600))
	for name, args := range map[string][]string{
		"offline": {"exec", "--", "env"},
		"replay":  {"exec", "--mode", "replay", "--", "env"},
		"record":  {"exec", "--mode", "record", "--max-spend", "1", "--", "env"},
		"live":    {"exec", "--mode", "live", "--max-spend", "1", "--", "env"},
		"in exec": {"exec", "--mode", "live", "--max-spend", "1", "--", "hsharness", "exec", "--", "env"},
		"client":  {"exec", "--", "env"},
		"step":    {"run", "--allow-exec", "step.yaml"},
		"unused":  {"recordings", "prune", "--unused", "--", "sh", "-c", "env > seen"},
	} {
		cmd := s.command(args...)
		for name, value := range spelledVariables(awkward) {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, "PLAIN=stays", "MY_ID=real-id")
		if name == "client" { // of a server, which no exec has cleaned up for
			cmd.Env = append(cmd.Env, "HSHARNESS_CONTROL_URL="+s.server.Endpoints.ControlURL, "HSHARNESS_CONTROL_TOKEN="+s.server.Endpoints.ControlToken)
		}
		out, err := cmd.CombinedOutput()
		if name != "unused" { // which has nothing to look at
			require.NoError(t, err, "%s: %s", name, out)
		}
		seen, err := os.ReadFile(filepath.Join(s.dir, "seen"))
		if err == nil {
			require.NoError(t, os.Remove(filepath.Join(s.dir, "seen")))
		}
		all := append(out, seen...)
		assert.Contains(t, string(all), "PLAIN=stays", name)
		assert.Contains(t, string(all), "MY_ID=real-id", name)
		assert.Empty(t, find.Names(all), "%s: %s", name, all)
	}
	assert.Zero(t, s.served())
}

// TestACommandHasNoPasswordOfTheLedger, but its address: without one it would go
// to another ledger.
func TestACommandHasNoPasswordOfTheLedger(t *testing.T) {
	t.Parallel()
	const password = "pg-Passw0rd-77"
	s := newSandbox(t, 10)
	cmd := s.command("exec", "--", "env")
	cmd.Env = append(cmd.Env,
		"HSHARNESS_LEDGER=postgres://me:"+password+"@127.0.0.1:1/quota?sslmode=disable", "PGPASSWORD="+password, "DATABASE_URL=postgres://me:"+password+"@db/shop", "MINE=postgres://me:other-Passw0rd-1@db/shop")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, finderOf(t, password).Names(out), "%s", out)
	assert.Contains(t, string(out), "HSHARNESS_LEDGER=postgres://me@127.0.0.1:1/quota?sslmode=disable")
	assert.Contains(t, string(out), "MINE=postgres://me:other-Passw0rd-1@db/shop", "other databases are the command's own")

	cmd = s.command("exec", "--", "env")
	cmd.Env = append(cmd.Env, "HSHARNESS_LEDGER=postgres://me@127.0.0.1:1/quota", "PGPASSWORD=short")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.NotContains(t, string(out), "PGPASSWORD", "it is the ledger's")

	for _, args := range [][]string{{"doctor"}, {"quota", "status"}, {"plan"}, {"lint"}, {"exec", "--mode", "live", "--max-spend", "1", "--", "true"}, {"gateway", "--mode", "live"}} {
		for _, dsn := range []string{"postgres://me:" + password + "@127.0.0.1:1/quota", "postgres://me@127.0.0.1:1/quota?password=" + password, "postgres://me:" + password + "@127.0.0.1:x/quota", "postgres:/me:" + password + "@127.0.0.1"} {
			out, _ := s.command(append(args, "--ledger", dsn)...).CombinedOutput() // most of them fail
			assert.NotContains(t, string(out), password, "%v %s", args, dsn)
		}
	}
}

// TestAScenarioReadsNoSecret: its variables come from the same environment as a
// command's.
func TestAScenarioReadsNoSecret(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	file := "version: 1\nname: reads\nvars: { key: \"${REAL_SECRET}\", other: \"${COPY:-none}\" }\nsteps: [ { token: {}, expect: { status: 200 } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "one.yaml"), []byte(file), 0o600))
	for _, args := range [][]string{{"run", "one.yaml"}, {"run", "--mode", "live", "--max-spend", "1", "one.yaml"}, {"plan", "one.yaml"}} {
		cmd := s.command(args...)
		cmd.Env = append(cmd.Env, "COPY="+base64.StdEncoding.EncodeToString([]byte("id:"+realSecret)))
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "%v: %s", args, out)
		assert.Contains(t, string(out), "REAL_SECRET", args)
		assert.Empty(t, finderOf(t, realSecret).Names(out), "%v: %s", args, out)
	}
}

// TestNothingThatIsWrittenHoldsTheSecret: a sandbox that echoes the secret in
// every way gets it into no report, log or recording that may be shared.
func TestNothingThatIsWrittenHoldsTheSecret(t *testing.T) {
	t.Parallel()
	spelled := spelledVariables(awkward)
	var echo strings.Builder
	for _, value := range spelled {
		echo.WriteString(value + "\n")
	}
	sandbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == avalara.PathToken {
			assert.Equal(t, awkward, r.PostFormValue("client_secret"))
			_, _ = w.Write([]byte(`{"access_token":"real-token","token_type":"Bearer","expires_in":3600}`))
			return
		}
		w.Header().Set("X-Echo", spelled["BASIC"])
		w.WriteHeader(http.StatusNotFound)
		body, _ := json.Marshal(map[string]any{"error": echo.String(), "all": spelled})
		_, _ = w.Write(body)
	}))
	t.Cleanup(sandbox.Close)
	s := newSandboxWith(t, 10, awkward)
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: %q } }\n", sandbox.URL, sandbox.URL, "${REAL_SECRET}")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "hsharness.yaml"), []byte(project), 0o600))
	file := "version: 1\nname: fails\nsteps: [ { request: POST /hscode/classify, body: { description: shirt }, expect: { status: 200, json: { hsCode: \"/^61/\", error: none } } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "one.yaml"), []byte(file), 0o600))

	find := finderOf(t, awkward)
	cmd := s.command("run", "--mode", "record", "--max-spend", "2", "--verbose", "--json", "out.json", "--junit", "out.xml", "--html", "out.html", "--summary", "one.yaml")
	cmd.Env = append(cmd.Env, "HSHARNESS_LOG=log.json", "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=summary.md")
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	assert.Contains(t, string(out), "not handed over", "it can't be shown without the secret")
	assert.Empty(t, find.Names(out), "%s", out)
	files := 0
	require.NoError(t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "quarantine" {
				return filepath.SkipDir // what is there is there because it has one
			}
			return err
		}
		text, err := os.ReadFile(path)
		files++
		assert.Empty(t, find.Names(text), path)
		return err
	}))
	assert.Greater(t, files, 8)
	for _, args := range [][]string{{"recordings", "ls"}, {"doctor"}, {"quota", "history", "--format", "json"}, {"report"}, {"recordings", "scan"}} {
		out, _ := s.command(args...).CombinedOutput()
		assert.Empty(t, find.Names(out), "%v: %s", args, out)
	}
}

func TestMaskingKeepsLinesWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{}
	m := p.masking(&out)
	_, err := m.Write([]byte("before " + awkward))
	require.NoError(t, err)
	assert.Equal(t, "before "+awkward, out.String(), "nothing is known to be a secret")
	p.watch(secret.Secret{Name: "key", Value: awkward}, secret.Secret{Name: "weak", Value: "test"})
	out.Reset()
	for _, part := range []string{"\na ", awkward[:5], awkward[5:], " test b\nc " + awkward} {
		n, err := m.Write([]byte(part))
		require.NoError(t, err)
		assert.Len(t, part, n)
	}
	assert.Equal(t, "\na *** test b\n", out.String())
	require.NoError(t, m.Flush())
	assert.Equal(t, "\na *** test b\nc ***", out.String())
}

// TestACredentialThatCanNotBeRight is told by doctor and by a run that buys, by
// the name of its variable and never by its value, before anything is held.
func TestACredentialThatCanNotBeRight(t *testing.T) {
	t.Parallel()
	const key = "LK-7f3a9Qz0Xw81"
	s := newSandbox(t, 10)
	for value, says := range map[string]string{
		key + "\n":      "environments.sandbox.client_secret (REAL_SECRET) ends with a line break",
		key + "\r":      "ends with a carriage return",
		key + " ":       "ends with white space",
		"\t" + key:      "begins with a tab",
		"\ufeff" + key:  "begins with a byte order mark",
		`"` + key + `"`: "is in quotes",
		key + "\u200b":  "ends with a character that can't be seen",
		"":              "REAL_SECRET is not set, and environments.sandbox.client_secret is made of it",
	} {
		s.key = value
		commands := map[string]int{"doctor": 2, "exec --mode live --max-spend 1 -- true": 2}
		if value == key+"\n" {
			commands = map[string]int{
				"doctor": 2, "exec --mode live --max-spend 1 -- true": 2, "exec --mode record --max-spend 1 -- true": 2, "gateway --mode live": 2, "exec -- true": 0, "exec --mode replay -- true": 0,
			}
		}
		for args, code := range commands {
			cmd := s.command(strings.Fields(args)...)
			out, _ := cmd.CombinedOutput()
			assert.Equal(t, code, cmd.ProcessState.ExitCode(), "%q %s: %s", value, args, out)
			if code == 2 && args != "gateway --mode live" {
				assert.Contains(t, string(out), says, "%q %s", value, args)
			}
			assert.NotContains(t, string(out), key, args)
		}
	}
	s.key = realSecret
	assert.Zero(t, s.served())
	status := s.status()
	assert.Zero(t, status.Spent+status.Held)
}

// TestVariablesThatAreNotSetAreNotTheDefault: neither the real sandbox for a
// mock, nor another ledger for this one.
func TestVariablesThatAreNotSetAreNotTheDefault(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 10)
	for text, says := range map[string]string{
		"environments: { sandbox: { identity_url: \"${MOCK_URL}\", client_id: real-id, client_secret: \"${REAL_SECRET}\" } }": "MOCK_URL is not set, and environments.sandbox.identity_url is made of it",
		"environments: { sandbox: { api_url: \"http://${MOCK_HOST}:1\", client_id: a, client_secret: bbbbbbbb1 } }":           "MOCK_HOST is not set, and environments.sandbox.api_url is made of it",
		"ledger: \"${LEDGER_URL}\"": "LEDGER_URL is not set, and ledger is made of it",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "other.yaml"), []byte("version: 1\n"+text+"\n"), 0o600))
		for args, code := range map[string]int{
			"exec --mode live --max-spend 1 -- true": 2, "quota init --granted 5": 2, "doctor": 2, "exec -- true": 0, "exec --mode replay -- true": 0,
		} {
			cmd := s.command(append(strings.Fields("--config other.yaml"), strings.Fields(args)...)...)
			out, _ := cmd.CombinedOutput()
			assert.Equal(t, code, cmd.ProcessState.ExitCode(), "%s %s: %s", text, args, out)
			if code == 2 {
				assert.Contains(t, string(out), says, args)
			}
		}
	}
}

// TestAWeakSecretIsTold and does not take ordinary text out of everything.
func TestAWeakSecretIsTold(t *testing.T) {
	t.Parallel()
	s := newSandboxWith(t, 10, "test")
	out, err := s.command("doctor").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "can't be told from ordinary text: it has 4 characters")
	cmd := s.command("exec", "--mode", "record", "--max-spend", "1", "--", "sh", "-c", "classify && env")
	cmd.Env = append(cmd.Env, "NODE_ENV=test", "HSHARNESS_SANDBOX_CLIENT_SECRET=test")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "NODE_ENV=test")
	assert.NotContains(t, string(out), "SECRET=test\n", "by its name it is taken out all the same")
	assert.Equal(t, int64(1), s.served())
}
