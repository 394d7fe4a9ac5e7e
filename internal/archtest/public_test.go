package archtest

import (
	"fmt"
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

// mostPublic is how many exported names there may be in all. Each one is a
// promise to those who import us: what they need not name belongs in internal.
const mostPublic = 300

// publicExempt are folders with packages that nobody outside imports.
var publicExempt = []string{"internal", "cmd", "examples", "testdata", "bench", "interop", "tools"}

// TestPublicNamesAreExplained wants a comment of every exported name, field and
// interface method of the packages that others may import, and few of them.
func TestPublicNamesAreExplained(t *testing.T) {
	packages, names := 0, 0
	found := publicFiles(t, os.DirFS("../.."))
	for _, pkg := range slices.Sorted(maps.Keys(found)) {
		packages++
		for _, file := range found[pkg] {
			n, silent := exported(file)
			names += n
			for _, name := range silent {
				t.Errorf("%s: %s has no comment: say its unit, what zero or empty means, and which errors", pkg, name)
			}
		}
	}
	if names > mostPublic {
		t.Errorf("%d exported names, want %d at most: make what nobody outside has to name internal", names, mostPublic)
	}
	if packages < 7 || names < 200 {
		t.Errorf("%d public packages with %d names were looked at; were some not found?", packages, names)
	}
}

// TestSilentNamesAreFound shows the test above every way to have no comment.
func TestSilentNamesAreFound(t *testing.T) {
	t.Parallel()
	const src = `package p
type A struct {
	Field, Other int
	Said int // in units
	inner int
	B
}
// B is said.
type B interface {
	Method()
	// Told is said.
	Told()
	error
}
// The consts.
const (
	C = 1
	d = 2
)
var E, f int
func (a *A) G() {}
func (a b[T]) H() {}
func (a *L[T]) M() {}
func I() {}
//go:noinline
func J() {}
type K = struct{ Deep struct{ Deeper int } }
// L is said.
type L[T any] struct{}
type b[T any] struct{ N int }
`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	n, got := exported(file)
	want := []string{"A", "A.Field", "A.Other", "B.Method", "E", "A.G", "L.M", "I", "J", "K", "K.Deep", "K.Deep.Deeper"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if n != 10 {
		t.Errorf("%d names were counted, want 10", n)
	}
}

// publicFiles parses the packages that others may import, by folder.
func publicFiles(t *testing.T, tree fs.FS) map[string][]*ast.File {
	t.Helper()
	found := map[string][]*ast.File{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(publicExempt, d.Name()) || isApart(t, tree, name)):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err == nil && file.Name.Name != "main" {
			found[path.Dir(name)] = append(found[path.Dir(name)], file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// exported counts the exported names of a file, without fields and methods of
// interfaces, and lists what has no comment, those among it.
func exported(file *ast.File) (names int, silent []string) {
	note := func(counts bool, name string, comments ...*ast.CommentGroup) {
		if counts {
			names++
		}
		if !slices.ContainsFunc(comments, said) {
			silent = append(silent, name)
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			on, public := receiver(d)
			if d.Name.IsExported() && public {
				note(true, on+d.Name.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						note(true, s.Name.Name, d.Doc, s.Doc, s.Comment)
						members(s.Name.Name, s.Type, note)
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if name.IsExported() {
							note(true, name.Name, d.Doc, s.Doc, s.Comment)
						}
					}
				}
			}
		}
	}
	return names, silent
}

// said tells whether a comment says something to a reader: a directive does not.
func said(c *ast.CommentGroup) bool { return c != nil && strings.TrimSpace(c.Text()) != "" }

// members notes the exported fields or methods of a type. What is embedded is
// explained where it is declared.
func members(of string, typ ast.Expr, note func(bool, string, ...*ast.CommentGroup)) {
	var list *ast.FieldList
	switch x := typ.(type) {
	case *ast.StructType:
		list = x.Fields
	case *ast.InterfaceType:
		list = x.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			if name.IsExported() {
				full := fmt.Sprintf("%s.%s", of, name.Name)
				note(false, full, f.Doc, f.Comment)
				members(full, f.Type, note)
			}
		}
	}
}

// receiver is the type that a method is of, with a dot, and whether others see it.
func receiver(fn *ast.FuncDecl) (on string, public bool) {
	if fn.Recv == nil {
		return "", true
	}
	typ := fn.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name + ".", x.IsExported()
		default:
			return "", false
		}
	}
}
