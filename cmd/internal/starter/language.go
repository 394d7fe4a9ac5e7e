package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/pattern"
)

// language is what a starter has for one language: a test, and what has to be typed.
type language struct {
	name string
	// from is the test among the embedded files, and to its place.
	from, to string
	// fetch are the commands that bring hsharness into the project, one after the
	// other; none where it is there.
	fetch [][]string
	// test is what runs the test.
	test []string
	// steps are those of a CI job: what sets the language up, what brings hsharness
	// into the project there, and what runs the test.
	steps string
}

// Names are the languages that there is a test for.
func Names() []string { return []string{"go", "node", "python"} }

// marks are the files by which a project's language is known.
var marks = map[string][]string{
	"go":     {"go.mod"},
	"node":   {"package.json"},
	"python": {"pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "pytest.ini", "tox.ini"},
}

// languages are those of a folder, or those that were asked for.
func languages(dir string, asked []string, origin Origin) ([]language, error) {
	var found []language
	for _, name := range Names() {
		there := slices.IndexFunc(marks[name], func(mark string) bool { return exists(filepath.Join(dir, mark)) }) >= 0
		if len(asked) > 0 {
			if !slices.Contains(asked, name) {
				continue
			}
			if !there && name == "go" {
				return nil, fmt.Errorf("there is no go.mod in %s: go mod init example.com/NAME", dir)
			}
			if !there && name == "node" {
				return nil, fmt.Errorf("there is no package.json in %s: npm init -y", dir)
			}
		} else if !there {
			continue
		}
		var l language
		var err error
		switch name {
		case "go":
			l, err = goProject(dir, origin)
		case "node":
			l, err = nodeProject(dir, origin)
		case "python":
			l = pythonProject(dir, origin)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	return found, nil
}

// required is a requirement of ours in a go.mod.
var required = pattern.New(`(?m)^\s*(require\s+)?` + regexp.QuoteMeta(Module) + `\s+v`)

func goProject(dir string, origin Origin) (language, error) {
	l := language{name: "go", from: "starter_test.go.txt", to: "hsharness/starter_test.go", test: []string{"go", "test", "./hsharness"}}
	mod, err := files.Read(filepath.Join(dir, "go.mod"), files.Text)
	if err != nil {
		return l, err
	}
	if !required.Regexp().Match(mod) {
		if origin.Version != "" {
			l.fetch = [][]string{{"go", "get", Module + "@" + origin.Version}}
		} else {
			l.fetch = [][]string{
				{"go", "mod", "edit", "-require=" + Module + "@v0.0.0", "-replace=" + Module + "=" + origin.Clone},
				{"go", "get", "-t", "./hsharness"},
			}
		}
	}
	if origin.Version == "" {
		l.steps = "      - run: go mod edit -replace=" + Module + "=" + "\"" + inJob + "\"\n"
	}
	l.steps += "      - run: go test ./...\n"
	return l, nil
}

// inJob is where a CI job has its clone of hsharness.
const inJob = "$GITHUB_WORKSPACE/.hsharness/source"

// manifest is what a package.json says of its tests.
type manifest struct {
	Type            string            `json:"type"`
	Scripts         map[string]string `json:"scripts"`
	Dependencies    map[string]string `json:"dependencies"`
	DevDependencies map[string]string `json:"devDependencies"`
}

// has tells whether a package is among the dependencies, or the test script runs it.
func (m manifest) has(name string) bool {
	return m.Dependencies[name] != "" || m.DevDependencies[name] != "" ||
		slices.Contains(strings.Fields(m.Scripts["test"]), name)
}

func nodeProject(dir string, origin Origin) (language, error) {
	l := language{name: "node"}
	name := filepath.Join(dir, "package.json")
	text, err := files.Read(name, files.Text)
	if err != nil {
		return l, err
	}
	var m manifest
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &m); err != nil { // npm passes a BOM over, too
		return l, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case m.has("vitest"):
		l.from, l.to = "vitest.test.mjs", "test/hsharness.test.mjs"
		l.test = []string{"npx", "vitest", "run", l.to}
	case m.has("jest"):
		l.from, l.to = "jest.test.cjs", "test/hsharness.test.js"
		if m.Type == "module" { // where .js would be an ES module, which jest does not run by itself
			l.to = "test/hsharness.test.cjs"
		}
		l.test = []string{"npx", "jest", l.to}
	default:
		l.from, l.to = "node.test.mjs", "test/hsharness.test.mjs"
		l.test = []string{"node", "--test", l.to}
	}
	of := "hsharness@" + strings.TrimPrefix(origin.Version, "v")
	l.steps = "      - uses: actions/setup-node@v4\n        with: { node-version: lts/* }\n"
	if origin.Version == "" {
		of = filepath.Join(origin.Clone, "helpers", "node")
		l.steps += "      - run: npm install --save-dev --install-links \"" + inJob + "/helpers/node\"\n"
	} else {
		l.steps += "      - run: npm install\n"
	}
	if m.Dependencies["hsharness"] == "" && m.DevDependencies["hsharness"] == "" {
		l.fetch = [][]string{{"npm", "install", "--save-dev", "--install-links", of}}
	}
	l.steps += "      - run: " + strings.Join(l.test, " ") + "\n"
	return l, nil
}

func pythonProject(dir string, origin Origin) language {
	l := language{name: "python", from: "test_hsharness.py", to: "tests/test_hsharness.py"}
	if !exists(filepath.Join(dir, "tests")) && exists(filepath.Join(dir, "test")) {
		l.to = "test/test_hsharness.py"
	}
	l.test = []string{"python3", "-m", "pytest", l.to}
	of, job := "pytest-hsharness=="+strings.TrimPrefix(origin.Version, "v"), ""
	if job = of; origin.Version == "" {
		of = filepath.Join(origin.Clone, "helpers", "python")
		job = `"` + path.Join(inJob, "helpers/python") + `"`
	}
	if exists(filepath.Join(dir, "requirements.txt")) {
		job = "-r requirements.txt " + job
	}
	l.fetch = [][]string{{"python3", "-m", "pip", "install", of}}
	l.steps = "      - uses: actions/setup-python@v5\n        with: { python-version: \"3.x\" }\n" +
		"      - run: python3 -m pip install " + job + "\n" +
		"      - run: " + strings.Join(l.test, " ") + "\n"
	return l
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
