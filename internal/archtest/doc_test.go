package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestPackagesAreExplained wants a package comment of every package, and an
// Example of every one that others may import.
func TestPackagesAreExplained(t *testing.T) {
	tree := os.DirFS("../..")
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		commented, example := explained(t, tree, pkg)
		if !commented {
			t.Errorf("%s has no package comment", pkg)
		}
		if public := !strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(pkg, "cmd/") && !strings.HasPrefix(pkg, "examples/"); public && !example {
			t.Errorf("%s has no Example: show in example_test.go what it is for", pkg)
		}
	}
}

// explained tells whether a package has a package comment and an Example.
func explained(t *testing.T, tree fs.FS, pkg string) (commented, example bool) {
	t.Helper()
	files, err := fs.Glob(tree, path.Join(pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Go files, %v", pkg, err)
	}
	for _, name := range files {
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			want := "Package " + f.Name.Name + " "
			if f.Name.Name == "main" {
				want = "Command " + path.Base(pkg) + " "
			}
			commented = commented || f.Doc != nil && strings.HasPrefix(f.Doc.Text(), want)
			continue
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			example = example || ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example")
		}
	}
	return commented, example
}
