package wine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/hsharness/hsharness/"

// paths has packages that compile alike for Windows and for Linux, and do there what is
// another thing on each: names of files, their modes, line ends, words for a shell. Those
// that have files for a system are found by themselves. The rest is not run here: their
// tests pass on Linux, the transcripts use them on Windows, and under Wine, where a file
// takes ten times as long, all would take a quarter of an hour.
var paths = []string{
	"cmd/internal/collect", "cmd/internal/output", "cmd/internal/show",
	"internal/dataset", "internal/plain",
}

// elsewhere has the packages with files for a system whose tests no Windows runs, and why.
var elsewhere = map[string]string{
	"cmd/internal/seal":         "there is no seal on Windows",
	"cmd/internal/seal/support": "what it says is to be typed on Linux",
	"internal/apart":            "other users are made by Linux's namespaces",
	"internal/pgtest":           "it starts PostgreSQL's server, which is Linux's",
}

// otherwise has the tests that can't pass there: for what Windows does not do as Linux
// does, or Wine as Windows.
var otherwise = map[string]string{
	"quota TestHighWaterLockOfRemovedFile":         "Windows removes no lock file that a process has open",
	"quota/sqlite TestInitMakesFolder":             "Windows has no file with a ? in its name",
	"internal/files TestReplaceWhileSomebodyReads": "Wine's server replaces no file that is open (set_fd_name of server/fd.c); Windows does so for FILE_RENAME_POSIX_SEMANTICS, which os.Root asks for",
}

// shorter has the packages of which not all is run, by go test's flags: every try of a
// property makes files there. Of recordings it is the locks and the places, of scenarios the files for a system, of the ledger
// what has to do with its file, its name and its disk: that it adds up is the same
// everywhere.
var shorter = map[string][]string{
	"internal/dataset":   {"-rapid.checks=5"},
	"internal/recording": {"-run", "^Test(Lock|ProcessesBuyOnce|GoroutinesBuyOnce|OneMachineBuys|EmergencyCopies|Places|Withheld|OpenIsLazy|Mode|Serve)"},
	"internal/scenario":  {"-run", "^TestWhatAnExecStepStartedIsAJob$"}, // other commands of exec steps are a shell's
	"quota/sqlite":       {"-run", "^Test(Open|Init|Drive|Network|LedgerIsTheFile|FileLayer|Weak|EveryChange|SpendIsOneWrite|Close|DiskFails)"},
}

// The tests of packages that are another thing on Windows are run as programs for it,
// each in its folder.
func TestPackages(t *testing.T) {
	t.Parallel()
	here, there := tested(t, "linux"), tested(t, "windows")
	var names []string
	for name, p := range here {
		own, reason := strings.Join(p.GoFiles, " ") != strings.Join(there[name].GoFiles, " "), elsewhere[name]
		assert.True(t, own || reason == "", "%s is alike on both systems, and yet there is a row: %s", name, reason)
		switch {
		case reason != "" || !own && !slices.Contains(paths, name):
		default:
			names = append(names, name)
		}
	}
	for _, name := range slices.Concat(paths, slices.Collect(maps.Keys(shorter)), slices.Collect(maps.Keys(elsewhere))) {
		assert.Contains(t, here, name, "a row is for no package with tests")
	}
	slices.Sort(names)
	results := map[string]*outcome{}
	whole := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return shorter[name] != nil })
	stderr := windowsTests(t, results, whole)
	for name, flags := range shorter {
		stderr += windowsTests(t, results, []string{name}, flags...)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r := results[name]
			require.NotNil(t, r, "it was not run: %s", stderr)
			for test := range r.failed {
				top, _, _ := strings.Cut(test, "/")
				if _, ok := otherwise[name+" "+top]; !ok {
					assert.Fail(t, test+" fails", "%s", r.output[test])
				}
			}
			assert.NotEmpty(t, r.passed, "%s%s", r.output[""], stderr)
			if len(r.failed) == 0 {
				assert.Equal(t, "pass", r.action, "%s%s", r.output[""], stderr)
			}
		})
	}
	for row := range otherwise {
		name, test, _ := strings.Cut(row, " ")
		assert.True(t, results[name] != nil && results[name].failed[test], "%s passes by now, or is gone", row)
	}
}

// windowsTests runs the tests of packages there, and returns what go itself said.
func windowsTests(t *testing.T, results map[string]*outcome, names []string, args ...string) string {
	t.Helper()
	packages := make([]string, len(names))
	for i, name := range names {
		packages[i] = module + name
	}
	c := exec.Command("go", slices.Concat([]string{
		"test", "-json", "-vet=off", "-p=2", "-parallel=2", "-timeout=4m",
		"-exec", "'" + where.enter + "' '" + where.system + "' . wine64",
	}, packages, args)...)
	c.Dir = where.clone
	c.Env = append(os.Environ(), windows...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	read(t, out, results)
	return stderr.String()
}

// listed is what go list says of a package.
type listed struct {
	ImportPath                                                    string
	GoFiles, TestGoFiles, XTestGoFiles, TestImports, XTestImports []string
}

// tested has the packages with tests for a system, by their names below the module's.
func tested(t *testing.T, system string) map[string]listed {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,GoFiles,TestGoFiles,XTestGoFiles", "work")
	c.Dir = where.clone
	c.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := c.Output()
	require.NoError(t, err)
	names := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		require.NoError(t, d.Decode(&p))
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			names[strings.TrimPrefix(p.ImportPath, module)] = p
		}
	}
	return names
}

// outcome is what became of the tests of a package.
type outcome struct {
	action         string
	passed, failed map[string]bool
	output         map[string]string // by test; by no name, what the package itself said
}

// read reads what go test -json says.
func read(t *testing.T, out []byte, all map[string]*outcome) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var event struct{ Action, Package, Test, Output string }
		require.NoError(t, d.Decode(&event))
		name := strings.TrimPrefix(event.Package, module)
		r := all[name]
		if r == nil {
			r = &outcome{passed: map[string]bool{}, failed: map[string]bool{}, output: map[string]string{}}
			all[name] = r
		}
		switch event.Action {
		case "output":
			r.output[event.Test] += event.Output
		case "pass", "fail":
			switch {
			case event.Test == "":
				r.action = event.Action
			case event.Action == "pass":
				r.passed[event.Test] = true
			default:
				r.failed[event.Test] = true
			}
		}
	}
}
