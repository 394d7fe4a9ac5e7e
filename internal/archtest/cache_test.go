package archtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheSlowestPackageStaysCached: the tests of the commands don't look through the
// top folder, whose .git each git status changes. They name its pages instead, all of
// them.
func TestTheSlowestPackageStaysCached(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../cmd/hsharness/*_test.go")
	require.NoError(t, err)
	var all string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, looks := range []string{`Glob("../../*`, `ReadDir("../..")`, `DirFS("../..")`, `WalkDir("../.."`} {
			assert.NotContains(t, string(text), looks, file)
		}
		all += string(text)
	}
	pages, err := filepath.Glob("../../*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		assert.Contains(t, all, `"`+filepath.ToSlash(page)+`"`, "its links and commands are checked")
	}
}
