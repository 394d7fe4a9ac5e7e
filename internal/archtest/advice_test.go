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
		"internal/hint": true, "internal/hint/source": true, "internal/project": true, "internal/pgtest": true, "internal/apart": true,
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

// typed is one of our commands, as somebody types it, or a flag that is offered. A command
// without a further word may be the name of what is meant: "limited by hsharness exec".
var typed = regexp.MustCompile(`hsharness (quota|exec|run|plan|doctor|recordings|report|init|serve|gateway|token|lint|comment)\b[^"]|(: |; |, |\b(give|or|repeat with|run it with|say|use) )--[a-z]`)

// explains are the fields in which a command says what it is.
var explains = map[string]bool{"Use": true, "Short": true, "Long": true, "Example": true, "Title": true}

// TestCommandsTakeTheirAdvice: what a command or one of its packages tells somebody to
// type is in internal/hint as well. What explains a command is its own, and what init
// writes for others; so is the help of a flag.
func TestCommandsTakeTheirAdvice(t *testing.T) {
	t.Parallel()
	found := 0
	require.NoError(t, fs.WalkDir(os.DirFS("../.."), "cmd", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join("../..", path), nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && explains[key.Name] {
					return false
				}
			case *ast.CallExpr: // of a flag, with its help
				of, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, _ := of.X.(*ast.Ident)
				return !strings.HasSuffix(of.Sel.Name, "Var") && (pkg == nil || pkg.Name != "typed")
			case *ast.BasicLit:
				found++
				if text := n.Value; !strings.HasPrefix(text, `"# `) { // the head of a file that is written
					assert.Empty(t, typed.FindString(text), "%s:%d: internal/hint says what to type", path, fset.Position(n.Pos()).Line)
				}
			}
			return true
		})
		return nil
	}))
	assert.Greater(t, found, 1000, "the texts were looked at")
}

// adviseless are the places that give no advice, and why.
var adviseless = map[string]string{
	"cmd/hsharness/gateway.go":   "its callers are on other machines",
	"cmd/hsharness/serve.go":     "it serves mocks, which refuse nothing for a ledger's sake",
	"internal/services/serve.go": "it serves mocks, which refuse nothing for a ledger's sake",
}

// TestEveryRefusalIsAdvised: who makes a guard, services or a runner of scenarios says
// where a refusal's next command comes from. One that forgets it builds and works, and
// its users are left alone with an error.
func TestEveryRefusalIsAdvised(t *testing.T) {
	t.Parallel()
	advised := map[string]bool{"guard.Config": true, "services.Config": true, "scenario.Runner": true}
	found := map[string]int{}
	for _, root := range []string{"cmd", "harness", "internal"} {
		require.NoError(t, fs.WalkDir(os.DirFS("../.."), root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join("../..", path), nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				of, ok := lit.Type.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := of.X.(*ast.Ident)
				if !ok || !advised[pkg.Name+"."+of.Sel.Name] || adviseless[path] != "" {
					return true
				}
				found[pkg.Name+"."+of.Sel.Name]++
				for _, e := range lit.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Advise" { //nolint:forcetypeassert // a field
						return true
					}
				}
				assert.Fail(t, "no advice", "%s:%d: a %s.%s without Advise: its refusals say not what to type", path, fset.Position(lit.Pos()).Line, pkg.Name, of.Sel.Name)
				return true
			})
			return nil
		}))
	}
	for name := range advised {
		assert.NotZero(t, found[name], "%s: it was looked at", name)
	}
}
