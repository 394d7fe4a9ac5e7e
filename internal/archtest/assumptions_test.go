package archtest

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestAssumptionsPage compares docs/assumptions.md with the code: every file
// that says of something that it is assumed is linked there, every file that is
// linked says so, and each fact of internal/avalara that is marked is named.
func TestAssumptionsPage(t *testing.T) {
	tree := os.DirFS("../..")
	page, err := fs.ReadFile(tree, "docs/assumptions.md")
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, m := range regexp.MustCompile(`\[code\]\(\.\./([^)]+)\)`).FindAllStringSubmatch(string(page), -1) {
		linked[m[1]] = true
	}
	assumed := regexp.MustCompile(`\b[Aa]ssumed\b`)
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isApart(t, tree, name)):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if assumed.Match(src) != linked[name] {
			t.Errorf("%s: assumes something: %t, docs/assumptions.md links it: %t", name, assumed.Match(src), linked[name])
		}
		delete(linked, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range linked {
		t.Errorf("docs/assumptions.md links %s, and there is no such file", name)
	}

	facts, err := fs.Glob(tree, "internal/avalara/*.go")
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, name := range facts {
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		// The first text of a value that ends with the mark: a host's name, or an
		// error's.
		for _, m := range regexp.MustCompile(`\{[^"\n]*"([^"\n]+)".*\bAssumed\}`).FindAllStringSubmatch(string(src), -1) {
			marked++
			if !strings.Contains(string(page), "`"+m[1]+"`") {
				t.Errorf("%s: %s is assumed, and docs/assumptions.md does not name it", name, m[1])
			}
		}
	}
	if marked < 9 {
		t.Errorf("only %d facts are marked; did their form change?", marked)
	}
}
