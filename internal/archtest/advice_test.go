package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// advice is a text that names a command of ours, or a flag. A custom property of a
// style sheet is none: var(--ink).
var advice = regexp.MustCompile(`hsharness (quota|exec|run|plan|doctor|recordings|report|init|serve|gateway|token|lint)\b|(^|[^\w(-])--[a-z][a-z-]+|([^r]|^)\(--[a-z][a-z-]+`)

// TestAdviceHasOnePlace: a library does not know what somebody types. Package
// internal/hint does, and the settings explain themselves; internal/pgtest and
// internal/apart run programs of others.
func TestAdviceHasOnePlace(t *testing.T) {
	t.Parallel()
	speaks := map[string]bool{
		"internal/hint": true, "internal/project": true, "internal/pgtest": true, "internal/apart": true,
	}
	found := 0
	for _, root := range []string{"harness", "internal", "mockidp", "quota"} {
		require.NoError(t, fs.WalkDir(os.DirFS("../.."), root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || speaks[filepath.ToSlash(filepath.Dir(path))] {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join("../..", path), nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				found++
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				assert.Empty(t, advice.FindString(text), "%s:%d: internal/hint says what to type", path, fset.Position(lit.Pos()).Line)
				return true
			})
			return nil
		}))
	}
	assert.Greater(t, found, 1000, "the texts were looked at")
}
