package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestNothingIsCompiledAtTheStart: a template or a regular expression of a package's
// variable is made when it is first used, by sync.OnceValue or package pattern. To make
// those of all packages took every command a millisecond.
func TestNothingIsCompiledAtTheStart(t *testing.T) {
	t.Parallel()
	tree, looked := os.DirFS("../.."), 0
	for _, top := range []string{"cmd", "harness", "internal", "mockidp", "quota", "scenarios"} {
		err := fs.WalkDir(tree, top, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			src, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			looked++
			for _, at := range compiledAtOnce(t, name, src) {
				t.Errorf("%s: made when the program begins; sync.OnceValue or pattern.New makes it when it is used", at)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 200 {
		t.Errorf("only %d files were looked at", looked)
	}
	sample := "package x\nvar a = regexp.MustCompile(`a`)\nvar b = func() any { return regexp.MustCompile(`b`) }\nvar (\n\tc = template.Must(d().Parse(``))\n)\nfunc f() { _ = template.Must(nil, nil) }\n"
	if found := compiledAtOnce(t, "x.go", []byte(sample)); len(found) != 2 {
		t.Errorf("found %v in the sample, want the lines 2 and 5", found)
	}
}

// compiledAtOnce are the places where a package's variable is compiled as the program
// begins: not within a function.
func compiledAtOnce(t *testing.T, name string, src []byte) (places []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		case *ast.CallExpr:
			of, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch pkg, _ := of.X.(*ast.Ident); {
			case pkg != nil && (pkg.Name == "regexp" && strings.HasPrefix(of.Sel.Name, "MustCompile") || pkg.Name == "template" && of.Sel.Name == "Must"):
				places = append(places, fset.Position(n.Pos()).String())
			}
		}
		return true
	})
	return places
}
