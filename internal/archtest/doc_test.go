package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayTouch is how a package comment says what the package reaches for: files, the
// network, packages. It is the table of imports in words, and more than imports.
var mayTouch = regexp.MustCompile(`\b(may touch|touches nothing)\b`)

// TestPackagesAreExplained wants a package comment of every package that says what
// it may touch, and an Example of every one that others may import.
func TestPackagesAreExplained(t *testing.T) {
	tree := os.DirFS("../..")
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		comment, example := explained(t, tree, pkg)
		switch {
		case comment == "":
			t.Errorf("%s has no package comment", pkg)
		case !mayTouch.MatchString(comment):
			t.Errorf("%s: its package comment does not say what it may touch", pkg)
		}
		if public := !strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(pkg, "cmd/") && !strings.HasPrefix(pkg, "examples/"); public && !example {
			t.Errorf("%s has no Example: show in example_test.go what it is for", pkg)
		}
	}
}

// TestPackageMap wants each package, or a folder that it is in, in one row of the
// README's package map, and few rows.
func TestPackageMap(t *testing.T) {
	tree := os.DirFS("../..")
	readme, err := fs.ReadFile(tree, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Package map\n")
	rows, named := 0, map[string]bool{}
	for line := range strings.Lines(section) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		rows++
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			if _, err := fs.Stat(tree, m[1]); err != nil || named[m[1]] {
				t.Errorf("README's package map has %s: is it there twice: %t, %v", m[1], named[m[1]], err)
			}
			named[m[1]] = true
		}
	}
	if rows > 16 {
		t.Errorf("README's package map has %d rows, want 16 at most", rows)
	}
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		covered := named[pkg]
		for dir := path.Dir(pkg); dir == "cmd/internal" || dir == "examples"; dir = path.Dir(dir) {
			covered = covered || named[dir]
		}
		if !covered {
			t.Errorf("README's package map has no row for %s", pkg)
		}
	}
}

// explained is the package comment of a package on one line, and tells whether it
// has an Example.
func explained(t *testing.T, tree fs.FS, pkg string) (comment string, example bool) {
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
			if f.Doc != nil && strings.HasPrefix(f.Doc.Text(), want) {
				comment = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
			continue
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			example = example || ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example")
		}
	}
	return comment, example
}
