package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var (
	fuzzTarget = regexp.MustCompile(`^Fuzz[A-Z]`)
	// parserName is what parsers are called here.
	parserName = regexp.MustCompile(`^([Pp]arse|[Dd]ecode|Unmarshal|Read)([A-Z]|$)`)
)

// Every fuzz target is in the table of make fuzz, and every parser of what comes from
// outside has one.
func TestEveryParserIsFuzzed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../testdata/fuzzing/targets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Targets []struct {
			Package, Target string
			Reads           []string
		}
		Apart []string
	}
	if err := yaml.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	listed, read := map[string]bool{}, map[string]bool{}
	for _, one := range table.Targets {
		listed[strings.TrimPrefix(one.Package, "./")+"."+one.Target] = true
		for _, name := range one.Reads {
			read[name] = true
		}
	}
	for _, name := range table.Apart {
		read[name] = true
	}
	targets, parsers := functions(t)
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if !listed[name] {
			t.Errorf("%s is not in testdata/fuzzing/targets.yaml: make fuzz does not run it", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !targets[name] {
			t.Errorf("testdata/fuzzing/targets.yaml has %s, which is not there", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(parsers)) {
		if !read[name] {
			t.Errorf("%s is called like a parser, and no target of testdata/fuzzing/targets.yaml reads it: give it one, or say in apart why not", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !parsers[name] {
			t.Errorf("testdata/fuzzing/targets.yaml has the parser %s, which is not there", name)
		}
	}
}

// functions finds the fuzz targets, and the parsers of code that is no test's.
func functions(t *testing.T) (targets, parsers map[string]bool) {
	t.Helper()
	targets, parsers = map[string]bool{}, map[string]bool{}
	for _, top := range []string{"cmd", "harness", "internal", "mockidp", "quota", "scenarios"} {
		err := filepath.WalkDir(filepath.Join("../..", top), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "quotatest" || d.Name() == "ledgertest") {
				return fs.SkipDir
			}
			if !strings.HasSuffix(name, ".go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../../")
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				switch test := strings.HasSuffix(name, "_test.go"); {
				case !ok:
				case test && fuzzTarget.MatchString(f.Name.Name):
					targets[folder+"."+f.Name.Name] = true
				case !test && parserName.MatchString(f.Name.Name) && takesText(f):
					parsers[folder+"."+receiverOf(f)+f.Name.Name] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return targets, parsers
}

// takesText tells whether a function takes a text, bytes or a reader, and is no
// io.Reader's Read.
func takesText(f *ast.FuncDecl) bool {
	if f.Name.Name == "Read" && f.Type.Params.NumFields() == 1 && receiverOf(f) != "" {
		if list, ok := f.Type.Params.List[0].Type.(*ast.ArrayType); ok && list.Len == nil {
			return false
		}
	}
	for _, p := range f.Type.Params.List {
		switch kind := p.Type.(type) {
		case *ast.Ident:
			if kind.Name == "string" {
				return true
			}
		case *ast.ArrayType:
			if of, ok := kind.Elt.(*ast.Ident); ok && of.Name == "byte" {
				return true
			}
		case *ast.SelectorExpr:
			if kind.Sel.Name == "Reader" || kind.Sel.Name == "RawMessage" {
				return true
			}
		}
	}
	return false
}

// receiverOf is the type of a method and a dot, or "".
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	kind := f.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "?."
}
