// Package archtest checks the import rules written down in the README.
//
// It parses the source in this process rather than running go list, because
// the go command's test cache sees files a test opens, but not what a child
// process reads: with go list a violation would be reported as "ok (cached)".
package archtest

import (
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

const module = "github.com/hsharness/hsharness"

// allowed lists, for each package, the packages of this module that it may
// import outside its tests, lowest layer first.
var allowed = map[string][]string{
	"internal/avalara":           {},
	"internal/apart":             {},
	"internal/names":             {}, // one reading of the variables that people name, in flags, files and what exec hands down
	"internal/nearest":           {}, // one idea of what a mistyped word was meant to be
	"internal/nomenclature":      {}, // the codes that exist, by edition and country
	"internal/pattern":           {}, // anywhere may name it, see below
	"internal/pace":              {}, // one rule for who may send next, in every store
	"internal/plain":             {}, // one spelling of what others wrote, wherever it is printed
	"internal/dataset":           {}, // one way to read a table, for cases
	"internal/files":             {}, // the one that opens and writes files
	"internal/holder":            {}, // who holds a lock, in the same words for each
	"internal/bounded":           {}, // all servers have the same limits
	"internal/pgtest":            {},
	"internal/secret":            {}, // one definition of what a secret looks like; whatever shows or keeps texts asks it
	"internal/bearer":            {"internal/avalara"},
	"mockidp/control":            {},
	"mockidp":                    {"internal/avalara", "internal/bounded", "mockidp/control"},
	"internal/realurl":           {"mockidp", "internal/avalara"},
	"quota":                      {},
	"internal/notice":            {"quota", "internal/avalara"}, // what is to be told, by one rule for all stores
	"internal/tally":             {"quota"},                     // what a statement adds up, by one rule for all stores
	"quota/sqlite":               {"quota", "internal/holder", "internal/notice", "internal/pace", "internal/tally"},
	"quota/postgres":             {"quota", "internal/notice", "internal/pace", "internal/share", "internal/tally"},
	"internal/share":             {}, // what a ledger keeps of answers, as types alone
	"internal/quotatest":         {"quota", "internal/notice", "internal/pace", "internal/share", "internal/tally"},
	"internal/words":             {}, // one idea of which words name goods
	"internal/mockapi/catalogue": {"internal/nomenclature", "internal/words"},
	"internal/mockapi/shape":     {"internal/strictjson"},
	"internal/learn":             {"internal/files", "internal/mockapi/shape", "internal/plain", "internal/recording", "internal/secret"},
	"internal/mockapi":           {"internal/mockapi/shape", "internal/files", "internal/avalara", "internal/bearer", "internal/bounded", "mockidp/control", "internal/mockapi/catalogue", "internal/nomenclature"},
	"internal/recording":         {"internal/files", "internal/secret", "internal/share", "internal/holder", "internal/words"},
	"internal/guard":             {"internal/files", "internal/pace", "internal/nomenclature", "internal/avalara", "internal/bounded", "internal/bearer", "internal/secret", "quota", "internal/recording"},
	"internal/services":          {"internal/bounded", "internal/strictjson", "mockidp", "mockidp/control", "internal/mockapi", "internal/mockapi/catalogue", "internal/guard", "internal/avalara"},
	"internal/report":            {"internal/hint/source", "internal/plain", "internal/tally", "quota"},
	"internal/report/pages":      {"internal/report", "internal/plain", "internal/tally", "quota"},
	"internal/scenario":          {"internal/dataset", "internal/files", "internal/nomenclature", "internal/nearest", "internal/names", "internal/services", "internal/guard", "internal/report", "internal/strict", "mockidp/control", "internal/avalara", "internal/secret"},
	"harness":                    {"internal/nomenclature", "internal/files", "internal/names", "internal/hint", "internal/project", "internal/session", "internal/services", "internal/scenario", "internal/guard", "internal/mockapi", "internal/realurl", "mockidp/control", "internal/avalara"},
	"scenarios":                  {},
	"examples/go":                {}, // a client knows nothing of hsharness
	"internal/strict":            {"internal/nearest", "internal/secret"},
	"internal/strictjson":        {},
	"internal/project":           {"internal/notice", "internal/pace", "internal/mockapi/shape", "internal/nomenclature", "internal/files", "internal/names", "internal/strict", "internal/secret", "internal/guard", "internal/recording", "internal/avalara", "quota"},
	"internal/hint/source":       {"internal/plain"},
	"internal/hint":              {"internal/plain", "internal/pace", "internal/mockapi/shape", "internal/recording", "internal/share", "internal/guard", "internal/scenario", "internal/services", "internal/session", "quota"},
	"internal/hook":              {"internal/guard", "internal/notice", "internal/plain", "internal/project", "internal/report", "internal/secret", "quota"}, // the one that tells others of an allowance
	"internal/session":           {"internal/hook", "internal/pace", "internal/mockapi/shape", "internal/nomenclature", "internal/avalara", "internal/guard", "internal/project", "internal/recording", "internal/report", "internal/services", "internal/share", "mockidp", "quota"},
	"cmd/hsharness": {
		"internal/files", "internal/plain", "internal/names",
		"internal/hint",
		"internal/project", "internal/strict", "internal/strictjson",
		"internal/bounded", "internal/services", "internal/scenario", "internal/report", "internal/report/pages", "internal/guard", "internal/recording", "internal/mockapi", "internal/mockapi/catalogue",
		"mockidp", "quota", "internal/session", "scenarios", "internal/avalara", "internal/secret",
		"cmd/internal/accesstoken",
		"cmd/internal/certificate",
		"cmd/internal/check",
		"cmd/internal/clients",
		"cmd/internal/collect",
		"cmd/internal/comment",
		"cmd/internal/doctor",
		"cmd/internal/drift",
		"cmd/internal/ending",
		"cmd/internal/gateway",
		"cmd/internal/intercept",
		"cmd/internal/learning",
		"cmd/internal/ledger",
		"cmd/internal/limits",
		"cmd/internal/listing", "cmd/internal/mistyped",
		"cmd/internal/nested",
		"cmd/internal/notify", "internal/notice",
		"cmd/internal/output",
		"cmd/internal/plan",
		"cmd/internal/process",
		"cmd/internal/prune",
		"cmd/internal/reach",
		"cmd/internal/rebuy",
		"cmd/internal/scan",
		"cmd/internal/seal",
		"cmd/internal/sealed",
		"cmd/internal/selection",
		"cmd/internal/sharing",
		"cmd/internal/show",
		"cmd/internal/starter",
		"cmd/internal/accesstoken",
		"cmd/internal/typed",
	},
	"cmd/internal/accesstoken":   {"internal/avalara", "internal/guard", "internal/plain", "mockidp"},
	"cmd/internal/authority":     {"internal/files"}, // and of others go-pkcs12 alone
	"cmd/internal/intercept":     {"cmd/internal/authority", "cmd/internal/nested", "internal/avalara", "internal/bounded", "internal/files", "internal/guard", "internal/project", "internal/report", "internal/services"},
	"cmd/internal/certificate":   {"cmd/internal/authority", "internal/files"},
	"cmd/internal/check":         {"internal/files", "cmd/internal/drift", "cmd/internal/selection", "cmd/internal/show", "internal/nomenclature", "internal/project", "internal/recording", "internal/scenario"},
	"cmd/internal/collect":       {"internal/hint", "internal/files", "cmd/internal/show", "internal/recording", "internal/report"},
	"cmd/internal/comment":       {"internal/files", "cmd/internal/process", "internal/plain", "internal/recording", "internal/report"},
	"cmd/internal/doctor":        {"internal/hook", "internal/files", "internal/avalara", "internal/mockapi/shape", "internal/hint", "cmd/internal/ledger", "cmd/internal/process", "cmd/internal/seal", "internal/guard", "internal/project", "internal/recording", "cmd/internal/seal/support", "internal/secret", "internal/session", "cmd/internal/show", "quota"},
	"cmd/internal/drift":         {"cmd/internal/show", "internal/project", "internal/recording"},
	"cmd/internal/ending":        {"internal/plain", "internal/hint", "internal/guard", "internal/report"},
	"cmd/internal/nested":        {"internal/guard", "internal/services"},
	"cmd/internal/seal":          {"internal/files"}, // the system's namespaces, and nothing of what is served in them
	"cmd/internal/seal/resolver": {},                 // the DNS of a sealed run, which answers from memory
	"cmd/internal/seal/support":  {"internal/files", "internal/hint"},
	"cmd/internal/sealed":        {"cmd/internal/authority", "cmd/internal/ending", "cmd/internal/nested", "cmd/internal/process", "cmd/internal/seal", "cmd/internal/typed", "internal/avalara", "internal/files", "internal/guard", "internal/project", "internal/report", "cmd/internal/seal/resolver", "cmd/internal/seal/support", "internal/services"},
	"cmd/internal/output":        {"internal/hint", "internal/pace", "cmd/internal/ending", "cmd/internal/typed", "internal/files", "internal/report", "internal/report/pages"},
	"cmd/internal/process":       {"internal/names", "internal/project", "internal/secret"},
	"cmd/internal/clients":       {"internal/files", "internal/avalara", "internal/strict", "mockidp"},
	"cmd/internal/listing":       {"internal/tally", "internal/pace", "cmd/internal/typed", "internal/hint", "cmd/internal/show", "internal/project", "internal/recording", "internal/report", "internal/session", "quota"},
	"cmd/internal/mistyped":      {"internal/nearest"},
	"cmd/internal/coverage":      {}, // what to choose where not all can be bought
	"cmd/internal/plan":          {"cmd/internal/output", "cmd/internal/typed", "cmd/internal/coverage", "internal/files", "internal/strictjson", "internal/mockapi", "cmd/internal/ledger", "cmd/internal/show", "internal/hint", "internal/avalara", "internal/guard", "internal/project", "internal/scenario", "internal/session", "quota"},
	"cmd/internal/prune":         {"internal/hint", "cmd/internal/listing", "cmd/internal/show", "internal/project", "internal/recording"},
	"cmd/internal/reach":         {"internal/hint", "cmd/internal/certificate", "internal/files", "internal/names", "cmd/internal/gateway", "internal/avalara", "internal/guard", "internal/services"},
	"cmd/internal/rebuy":         {"internal/hint", "quota", "cmd/internal/drift", "cmd/internal/show", "internal/avalara", "internal/guard", "internal/recording", "internal/services"},
	"cmd/internal/scan":          {"internal/files", "cmd/internal/show", "internal/recording"},
	"cmd/internal/selection":     {"internal/hint", "internal/files", "cmd/internal/typed", "internal/project", "internal/scenario", "scenarios"},
	"cmd/internal/sharing":       {"cmd/internal/ledger", "cmd/internal/show", "internal/plain", "internal/project", "internal/recording", "internal/session"},
	"cmd/internal/show":          {"internal/plain"},
	"cmd/internal/starter":       {"internal/files", "internal/hint", "internal/project", "internal/scenario"},
	"cmd/internal/typed":         {"internal/nomenclature", "internal/project"},
	"cmd/internal/gateway":       {"internal/tally", "internal/pace", "internal/files", "cmd/internal/ledger", "internal/avalara", "internal/guard", "internal/report", "internal/report/pages", "internal/session", "internal/strict", "mockidp", "quota"},
	"cmd/internal/learning":      {"cmd/internal/show", "internal/hint", "internal/learn", "internal/project", "internal/recording"},
	"cmd/internal/notify":        {"cmd/internal/ledger", "internal/hook", "internal/notice", "internal/project", "quota"},
	"cmd/internal/ledger":        {"internal/files", "internal/hint/source", "internal/plain", "internal/tally", "internal/pace", "internal/hook", "internal/notice", "internal/hint", "internal/project", "internal/report", "internal/strictjson", "internal/session", "quota", "quota/sqlite", "quota/postgres"},
	"cmd/internal/limits":        {"cmd/internal/typed", "internal/bounded", "internal/session"},
}

// anywhere lists what every package may import that is not in stdlibOnly: it stands in for
// a package of the standard library.
var anywhere = []string{"internal/pattern"}

// stdlibOnly lists the packages that may import nothing but the standard
// library: the contracts that everything else stands on.
var stdlibOnly = []string{"mockidp/control", "quota"}

// usesTesting lists the only packages that may import package testing outside
// their tests; cmd must stay out of it so that the binary carries no test code.
var usesTesting = []string{"internal/apart", "internal/pgtest", "internal/quotatest"}

func TestImports(t *testing.T) {
	got := imports(t, os.DirFS("../.."))
	for _, pkg := range slices.Sorted(maps.Keys(got)) {
		ok, known := allowed[pkg]
		if !known {
			t.Errorf("%s is not in the table: add it, and say why it exists", pkg)
			continue
		}
		for _, imp := range got[pkg] {
			if rel, local := strings.CutPrefix(imp, module+"/"); local && !slices.Contains(ok, rel) && !slices.Contains(anywhere, rel) {
				t.Errorf("%s must not import %s", pkg, rel)
			}
			if host, _, _ := strings.Cut(imp, "/"); strings.Contains(host, ".") && slices.Contains(stdlibOnly, pkg) {
				t.Errorf("%s must import the standard library only, not %s", pkg, imp)
			}
			if imp == "testing" && !slices.Contains(usesTesting, pkg) {
				t.Errorf("%s must not import testing", pkg)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		if _, ok := got[pkg]; !ok {
			t.Errorf("%s is in the table, but there is no such package", pkg)
		}
	}
}

// TestHarnessLinksNoDatabase follows the imports of the Go test library all the
// way: those who import it link no store, and no database driver.
func TestHarnessLinksNoDatabase(t *testing.T) {
	got := imports(t, os.DirFS("../.."))
	seen := map[string]bool{}
	for todo := []string{"harness"}; len(todo) > 0; {
		pkg := todo[0]
		todo = todo[1:]
		for _, imp := range got[pkg] {
			if strings.Contains(imp, "sqlite") || strings.Contains(imp, "pgx") || strings.HasPrefix(imp, "database/") {
				t.Errorf("%s, which package harness needs, imports %s", pkg, imp)
			}
			if rel, local := strings.CutPrefix(imp, module+"/"); local && !seen[rel] {
				seen[rel] = true
				todo = append(todo, rel)
			}
		}
	}
	if !seen["internal/guard"] {
		t.Error("the imports were not followed")
	}
}

// imports maps each package directory under fsys to its non-test imports.
func imports(t *testing.T, fsys fs.FS) map[string][]string {
	t.Helper()
	got := make(map[string][]string)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() && isApart(t, fsys, name):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if got[dir] == nil {
			got[dir] = []string{}
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			got[dir] = append(got[dir], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
