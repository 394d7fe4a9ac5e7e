package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// notForALibrary are modules that a program or a store may need, and that nobody
// gets who tests with hsharness. What the library does need, it needs in its
// lowest version that works: TestConsumerKeepsItsVersions.
var notForALibrary = []string{
	"github.com/jackc/", "github.com/ncruces/", "modernc.org/", "github.com/prometheus/", "github.com/spf13/", "github.com/rogpeppe/",
	module + "/", // a sibling brings what it needs
}

func TestLibraryRequiresNoDriver(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v\S+`).FindAllStringSubmatch(string(text), -1)
	if len(required) < 5 {
		t.Fatalf("only %d requirements were found", len(required))
	}
	for _, r := range required {
		for _, no := range notForALibrary {
			if strings.HasPrefix(r[1], no) {
				t.Errorf("the library's go.mod requires %s: what needs it belongs to another module of go.work", r[1])
			}
		}
	}
}

// TestLibraryNeedsNoSibling looks at the imports of the library's tests too: go
// mod tidy of those who use it does the same, and would look for our other
// modules.
func TestLibraryNeedsNoSibling(t *testing.T) {
	tree := os.DirFS("../..")
	siblings := workspace(t, tree)
	seen := 0
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || slices.Contains(siblings, name) || isApart(t, tree, name)):
			return fs.SkipDir
		case path.Ext(name) != ".go":
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		seen++
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for _, sibling := range siblings {
				if rel, local := strings.CutPrefix(imp, module+"/"); local && strings.HasPrefix(rel+"/", sibling+"/") {
					t.Errorf("%s, which is in the library's module, imports %s, which is not", name, imp)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// workspace lists the folders of the modules that go.work has beside the library.
func workspace(t *testing.T, tree fs.FS) []string {
	t.Helper()
	text, err := fs.ReadFile(tree, "go.work")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, m := range regexp.MustCompile(`(?m)^\t\./(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		dirs = append(dirs, m[1])
	}
	if len(dirs) == 0 {
		t.Fatal("go.work has no modules")
	}
	return dirs
}

// isApart tells whether a folder is a module outside of the workspace, to which
// the rules do not apply.
func isApart(t *testing.T, tree fs.FS, dir string) bool {
	t.Helper()
	if _, err := fs.Stat(tree, path.Join(dir, "go.mod")); err != nil || dir == "." {
		return false
	}
	return !slices.Contains(workspace(t, tree), dir)
}
