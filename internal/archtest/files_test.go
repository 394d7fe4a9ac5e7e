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
	"strconv"
	"strings"
	"testing"
)

// opens are the functions of package os that open, make or replace files. The first
// argument of those that read may be a place of the kernel's.
var opens = map[string]bool{
	"Create": true, "CreateTemp": true, "Link": true, "Open": true, "OpenFile": true, "ReadFile": true,
	"Rename": true, "Symlink": true, "Truncate": true, "WriteFile": true, "DirFS": true,
}

// opensItself are the files of the product that open some by themselves, each with
// its reason.
var opensItself = map[string]string{
	"quota/git.go":                 "standard library only; regular files, to be read",
	"quota/highwater.go":           "standard library only; in a folder of this user's own, and no pipe",
	"quota/sqlite/beside.go":       "a ledger's own files, which follow no link",
	"quota/sqlite/bond_linux.go":   "a ledger's own file, which follows no link",
	"quota/sqlite/locked_linux.go": "a ledger's own files, whose locks are asked for",
	"quota/sqlite/open.go":         "a ledger's own file, after it was looked at",
}

// TestFilesAreOpenedInOnePackage: package files opens and writes the files of the product, and
// whatever does it beside is named.
func TestFilesAreOpenedInOnePackage(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../..")
	used, looked := map[string]bool{}, 0
	for _, top := range []string{"cmd", "harness", "internal", "mockidp", "quota", "scenarios"} {
		err := fs.WalkDir(tree, top, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || name == "internal/files" || isApart(t, tree, name)):
				return fs.SkipDir
			case slices.Contains(usesTesting, path.Dir(name)): // no user runs them
				return nil
			case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			src, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			looked++
			for _, found := range opened(t, name, src) {
				if _, ok := opensItself[name]; !ok {
					t.Errorf("%s: package files opens and writes files, not os", found)
				}
				used[name] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(opensItself)) {
		if !used[name] {
			t.Errorf("%s is an exception, and opens nothing", name)
		}
	}
	if looked < 200 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// TestOpeningsAreFound shows the rule each way to open a file.
func TestOpeningsAreFound(t *testing.T) {
	t.Parallel()
	const src = `package p
import (
	sys "os"
	"strconv"
)
var rename = sys.Rename
func f(pid int) {
	sys.WriteFile("x", nil, 0)
	sys.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	sys.ReadFile("/proc" + "x")
	sys.Open(name)
	sys.Stat(name)
}
`
	got := opened(t, "p.go", []byte(src))
	want := []string{"p.go:6: os.Rename", "p.go:8: os.WriteFile", "p.go:10: os.ReadFile", "p.go:11: os.Open"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// opened lists where a file uses one of opens, but for what is read in /proc.
func opened(t *testing.T, name string, src []byte) (found []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	called := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"os"` {
			if called = "os"; spec.Name != nil {
				called = spec.Name.Name
			}
		}
	}
	kernels := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CallExpr:
			if len(x.Args) > 0 && inProc(x.Args[0]) {
				kernels[x.Fun] = true
			}
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && called != "" && id.Name == called && opens[x.Sel.Name] && !kernels[x] {
				found = append(found, name+":"+strconv.Itoa(fset.Position(x.Pos()).Line)+": os."+x.Sel.Name)
			}
		}
		return true
	})
	return found
}

// inProc tells whether a name begins with /proc/.
func inProc(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.BinaryExpr:
			e = x.X
		case *ast.CallExpr: // fmt.Sprintf
			if len(x.Args) == 0 {
				return false
			}
			e = x.Args[0]
		case *ast.BasicLit:
			return strings.HasPrefix(x.Value, `"/proc/`)
		default:
			return false
		}
	}
}
