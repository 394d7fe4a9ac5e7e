package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPreCommitHooks runs each hook's command in a clean project and in one that it has
// to stop, and looks whether the files that cause it are the ones it is for.
func TestPreCommitHooks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	require.NoError(t, err)
	var hooks []struct {
		ID, Name, Description, Entry, Language, Files string
		PassFilenames                                 bool `yaml:"pass_filenames"`
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &hooks, yaml.Strict()))
	spoils := map[string]struct {
		file, line string
		code       int
	}{
		"hsharness-lint": {"scenarios/one.yaml", "echo 'stepz: []' >>scenarios/one.yaml", exitUsage},
		"hsharness-scan": {"recordings/post-hscode/18c291a05a1c.json", `sed -i "s/\"hsCode\": *\"/&` + realSecret + `/" recordings/*/*.json`, exitPolicy},
	}
	require.Len(t, hooks, len(spoils))
	for _, hook := range hooks {
		r := newReader(t)
		code, out := r.types("mkdir scenarios && printf 'version: 1\\nname: one\\nsteps: [ { token: {} } ]\\n' >scenarios/one.yaml && hsharness quota init --granted 5 && hsharness exec --mode record --max-spend 2 -- npm test")
		require.Zero(t, code, out)
		code, out = r.types(hook.Entry)
		require.Zero(t, code, "%s: %s", hook.ID, out)
		spoil, known := spoils[hook.ID]
		require.True(t, known, hook.ID)
		assert.Regexp(t, regexp.MustCompile(hook.Files), spoil.file)
		assert.Regexp(t, regexp.MustCompile(hook.Files), "shop/"+spoil.file, "in a part of a repository")
		assert.NotRegexp(t, regexp.MustCompile(hook.Files), strings.Replace(spoil.file, "/", "-", 1))
		code, out = r.types(spoil.line)
		require.Zero(t, code, out)
		code, out = r.types(hook.Entry)
		assert.Equal(t, spoil.code, code, "%s: %s", hook.ID, out)
		assert.Equal(t, "system", hook.Language)
		assert.False(t, hook.PassFilenames)
	}
}
