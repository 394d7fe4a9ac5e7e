package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrongNumbers are some of what no flag for a number takes; all of them are in
// cmd/internal/typed.
var wrongNumbers = []string{"", "-1", "0x10", "1000000000001", "9223372036854775807"}

// Every flag that takes a number, and its twin in the environment, takes it as it
// is written and in its range only; a flag for a number that is added without
// typed.Number is found here.
func TestFlagsTakeNumbersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	least := map[string]int{"max-body": 1, "max-memory": 1, "max-connections": 1, "max-spend": 1, "granted": 1, "cap": 1, "allotment": 1, "jobs": 1, "sample": 1, "forward": 1}
	found := map[string]bool{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "bool", "string", "stringSlice", "stringArray", "i/n", "duration":
				return
			case "number", "port":
			default:
				t.Errorf("%s --%s is a %s of pflag's: use typed.Number", cmd.CommandPath(), f.Name, f.Value.Type())
				return
			}
			found[f.Name] = true
			args := append(strings.Fields(cmd.CommandPath())[1:], needed(cmd)...)
			for _, text := range append(wrongNumbers, "0")[:len(wrongNumbers)+least[f.Name]] {
				if f.Name == "seed" && text == "9223372036854775807" || f.Name == "seed" && text == "1000000000001" {
					continue // the largest there is
				}
				code, _, stderr := execute(t, nil, append([]string{"--" + f.Name + "=" + text}, args...)...)
				if f.Name != "help" && code == exitUsage && strings.Contains(stderr, "unknown flag") {
					code, _, stderr = execute(t, nil, append(args, "--"+f.Name+"="+text)...)
				}
				assert.Equal(t, exitUsage, code, "%s --%s=%q", cmd.CommandPath(), f.Name, text)
				assert.Contains(t, stderr, "--"+f.Name, "%q", text)
				if text == "" || notFromEnvironment[f.Name] {
					continue
				}
				twin := "HSHARNESS_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
				code, _, stderr = execute(t, map[string]string{twin: text}, args...)
				assert.Equal(t, exitUsage, code, "%s=%q %s", twin, text, cmd.CommandPath())
				assert.Contains(t, stderr, twin)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand())
	for _, name := range []string{"max-spend", "granted", "spent-before", "floor", "observed", "require", "limit", "allotment", "cap", "jobs", "seed", "sample", "sandbox-allowance", "managed-reads", "max-body", "max-memory", "max-connections"} {
		assert.True(t, found[name], "--%s takes a number", name)
	}
}

// needed are arguments without which a command is not begun.
func needed(cmd *cobra.Command) []string {
	switch cmd.Name() {
	case "exec":
		return []string{"true"}
	case "refresh", "add", "grant":
		return []string{"1"}
	}
	return nil
}

func TestArgumentsTakeNumbersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, text := range wrongNumbers {
		for _, args := range [][]string{{"quota", "grant", "--", text}, {"quota", "floor", "--", text}} {
			code, _, stderr := execute(t, nil, args...)
			assert.Equal(t, exitUsage, code, "%q", args)
			assert.Contains(t, stderr, "want a whole number from", "%q", args)
		}
	}
	// Inside exec too, before the guard around is asked.
	nested := map[string]string{"HSHARNESS_CONTROL_URL": "http://127.0.0.1:1"}
	for _, command := range []string{"exec", "run"} {
		code, _, stderr := execute(t, nested, command, "--max-spend=0", "true")
		assert.Equal(t, exitUsage, code, command)
		assert.Contains(t, stderr, "--max-spend", command)
	}
	for flag, wrong := range map[string][]string{
		"--shard=%":                   {"3/2"},
		"--rate-limit=%":              {"", "1", "0/1s", "+1/1s", "01/1s", "1/0s", "1/-1s", "1/", "/1s", "1/1"},
		"--token-skew=%":              {"-1s"},
		"--managed-delay=%":           {"-1s"},
		"--older-than=%":              {"", "-1d", "+1d", "01d", "1.5d", "-1h", "1", "36501d"},
		"--identity-addr=127.0.0.1:%": {"", "+8700", "-1", "08700", "0x10", "65536", "http"},
		"--api-addr=127.0.0.1:%":      {"+8700", "65535"},
		"--control-addr=127.0.0.1:%":  {"08700"},
	} {
		command := "serve"
		switch flag {
		case "--shard=%":
			command = "run"
		case "--older-than=%":
			command = "recordings prune"
		}
		for _, text := range wrong {
			args := append(strings.Fields(command), strings.Replace(flag, "%", text, 1))
			if command == "serve" {
				for _, other := range []string{"identity", "api", "control"} {
					if !strings.HasPrefix(flag, "--"+other) {
						args = append(args, "--"+other+"-addr=127.0.0.1:0")
					}
				}
			}
			code, _, stderr := execute(t, nil, args...)
			assert.Equal(t, exitUsage, code, "%q: %s", args, stderr)
		}
	}
}

func TestNumbersThatAreRight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "hsharness.yaml")
	require.NoError(t, os.WriteFile(config, []byte("version: 1\nenvironments: { sandbox: { identity_url: http://127.0.0.1:1, api_url: http://127.0.0.1:1 } }\n"), 0o600))
	for _, args := range [][]string{
		{"quota", "init", "--granted", "999999999990", "--spent-before=0", "--floor=7"},
		{"quota", "grant", "10"},
		{"quota", "floor", "0"},
		{"quota", "reconcile", "--observed=0", "--note=none"},
		{"quota", "status", "--require=1000000000000"},
		{"quota", "history", "--limit=0"},
		{"recordings", "prune", "--older-than=12h"},
	} {
		code, _, stderr := execute(t, nil, append([]string{"--config", config}, args...)...)
		assert.Zero(t, code, "%q: %s", args, stderr)
	}
	// Not one more than a ledger can have.
	code, _, stderr := execute(t, nil, "--config", config, "quota", "grant", "1")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "granted in all: 1000000000001, want 0 to 1000000000000")
}
