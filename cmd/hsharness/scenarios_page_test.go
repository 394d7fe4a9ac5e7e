package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
)

// wholeFile makes a scenario of an example: a file, steps of one, or some of
// its keys.
func wholeFile(i int, example string) string {
	head := fmt.Sprintf("version: 1\nname: example %d\nwhy: The page shows it.\n", i)
	switch {
	case strings.HasPrefix(example, "version:"):
		return example
	case strings.HasPrefix(example, "- "):
		return head + "steps:\n" + example
	}
	return head + example
}

// TestScenariosPageAsWritten lints and runs every example of the page.
func TestScenariosPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/scenarios.md")
	r := newReader(t)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, project.Name), []byte("version: 1\n"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, selection.Folder), 0o755))
	require.GreaterOrEqual(t, len(p.yaml), 10)
	page, err := os.ReadFile("../../docs/scenarios.md")
	require.NoError(t, err)
	table := regexp.MustCompile("(?s)```csv\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, table)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, selection.Folder, "titles.csv"), table[1], 0o600))
	for i, example := range p.yaml {
		name := fmt.Sprintf("%02d.yaml", i+1)
		text := wholeFile(i+1, example)
		s, err := scenario.ParseFile(filepath.ToSlash(filepath.Join(r.dir, selection.Folder, name)), []byte(text))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, selection.Folder, name), []byte(text), 0o600))
		for _, f := range scenario.Lint(s, plan.Cost(&project.Project{})) {
			assert.Fail(t, "lint of an example", "%s", f.Error)
		}
	}
	for _, line := range append(p.commands, "hsharness run --allow-exec") {
		if line == "hsharness run" || strings.HasPrefix(line, "hsharness run  ") {
			continue // it has an exec step, and needs leave
		}
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
}

// TestScenariosPageIsComplete: the page names every key of the format and every
// rule of lint, and its error is what the parser says.
func TestScenariosPageIsComplete(t *testing.T) {
	data, err := os.ReadFile("../../docs/scenarios.md")
	require.NoError(t, err)
	text := string(data)
	_, err = scenario.Parse("tea.yaml", []byte("version: 1\nname: classify tea\nsteps:\n  - requst: POST /hscode/classify\n    expect: { assert: [ res.jsn.confidence > 0 ] }\n"))
	require.Error(t, err)
	assert.Contains(t, text, err.Error())
	var schema any
	require.NoError(t, json.Unmarshal(scenario.Schema(), &schema))
	keys := schemaKeys(schema)
	assert.Greater(t, len(keys), 40)
	for _, key := range keys {
		assert.Regexp(t, "(?m)`"+key+"[`: ]|[{ ]"+key+": |^"+key+":|[`.]"+key+"`", text, "the page says nothing of %s", key)
	}
	for _, file := range []string{"../../internal/scenario/lint.go", "lint.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, rule := range lintRules.FindAllStringSubmatch(string(source), -1) {
			assert.Contains(t, text, "`"+rule[1]+"`", "the page says nothing of a rule")
		}
	}
}

// lintRules finds the rules that a finding is given.
var lintRules = regexp.MustCompile(`(?:Level(?:Error|Warning), |Rule: )"([a-z-]+)"`)

// schemaKeys are the names of all properties.
func schemaKeys(schema any) []string {
	keys := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				for key := range properties {
					keys[key] = true
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(schema)
	return slices.Sorted(maps.Keys(keys))
}
