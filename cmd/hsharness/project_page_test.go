package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/project"
)

// readText reads a project file of this content.
func readText(t *testing.T, content string) error {
	t.Helper()
	name := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	_, err := project.Read(name, false, func(string) string { return "" })
	return err
}

// TestProjectFilePage writes the table of the page, and has the reader read its
// example, in which every setting has to be.
func TestProjectFilePage(t *testing.T) {
	const name, begin, end = "../../docs/project-file.md", "<!-- settings: made from the table by TestProjectFilePage -->\n", "<!-- end of settings -->\n"
	generatedPart(t, name, begin, end, project.Settings().Markdown())
	generated(t, "../../docs/hsharness.schema.json", string(project.Settings().Schema()))

	p := readPage(t, "docs/project-file.md")
	require.Len(t, p.yaml, 1)
	require.NoError(t, readText(t, p.yaml[0]))
	var written map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(p.yaml[0]), &written))
	for _, s := range project.Settings().Settings {
		assert.True(t, has(written, strings.Split(strings.TrimSuffix(s.Path, "[]"), ".")), "%s is not in the example", s.Path)
	}
}

// has tells whether a path is written in a file, in one item of its lists at
// least.
func has(node any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	name, list := strings.CutSuffix(path[0], "[]")
	m, ok := node.(map[string]any)
	if !ok {
		return false
	}
	value, ok := m[name]
	if !ok || !list {
		return ok && has(value, path[1:])
	}
	items, _ := value.([]any)
	return slices.ContainsFunc(items, func(item any) bool { return has(item, path[1:]) })
}
