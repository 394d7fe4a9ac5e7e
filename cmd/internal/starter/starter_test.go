package starter_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/starter"
	"github.com/hsharness/hsharness/internal/project"
)

var update = flag.Bool("update", false, "write the workflows in testdata again")

var (
	release = starter.Origin{Version: "v1.2.3"}
	clone   = starter.Origin{Clone: filepath.FromSlash("/src/hsharness")}
)

// folder is one with these files, "NAME" or "NAME: TEXT".
func folder(t *testing.T, contents ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range contents {
		name, text, _ := strings.Cut(file, ": ")
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return dir
}

// TestStarterTestPasses takes hsharness from the clone that this test was built in,
// by the commands that are printed.
func TestStarterTestPasses(t *testing.T) {
	t.Parallel()
	dir := folder(t, "go.mod: module example.com/shop\n\ngo 1.24\n")
	origin := starter.Built()
	require.NotEmpty(t, origin.Clone, "a test is built with the names of its files")
	done, err := starter.Write(dir, nil, origin)
	require.NoError(t, err)
	require.Contains(t, done.Written, "hsharness/starter_test.go")
	require.Len(t, done.Fetch, 2)
	for _, words := range append(done.Fetch, done.Next[1]) {
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", words, out)
	}
	again, err := starter.Write(dir, nil, origin)
	require.NoError(t, err)
	assert.Empty(t, again.Fetch, "go.mod has it")
}

func TestWhatAFolderGets(t *testing.T) {
	t.Parallel()
	node := func(of string) [][]string {
		if of == "" {
			return [][]string{}
		}
		return [][]string{{"npm", "install", "--save-dev", "--install-links", of}}
	}
	goGet := [][]string{{"go", "get", "github.com/hsharness/hsharness@v1.2.3"}}
	pip := [][]string{{"python3", "-m", "pip", "install", "pytest-hsharness==1.2.3"}}
	const here = "hsharness@1.2.3"
	for name, tc := range map[string]struct {
		has   []string
		asked []string
		from  starter.Origin
		test  string
		runs  string
		fetch [][]string
	}{
		"nothing":          {nil, nil, release, "", "", [][]string{}},
		"go":               {[]string{"go.mod: module a\n"}, nil, release, "hsharness/starter_test.go", "go test ./hsharness", goGet},
		"go, there":        {[]string{"go.mod: require github.com/hsharness/hsharness v1.0.0\n"}, nil, release, "hsharness/starter_test.go", "go test ./hsharness", [][]string{}},
		"node":             {[]string{"package.json: {}"}, nil, release, "test/hsharness.test.mjs", "node --test test/hsharness.test.mjs", node(here)},
		"node, there":      {[]string{`package.json: {"devDependencies":{"hsharness":"1"}}`}, nil, release, "test/hsharness.test.mjs", "node --test test/hsharness.test.mjs", node("")},
		"node of a clone":  {[]string{"package.json: {}"}, nil, clone, "test/hsharness.test.mjs", "node --test test/hsharness.test.mjs", node(filepath.Join(clone.Clone, "helpers", "node"))},
		"vitest":           {[]string{`package.json: {"devDependencies":{"vitest":"3"}}`}, nil, release, "test/hsharness.test.mjs", "npx vitest run test/hsharness.test.mjs", node(here)},
		"vitest by script": {[]string{`package.json: {"scripts":{"test":"CI=1 vitest run"}}`}, nil, release, "test/hsharness.test.mjs", "npx vitest run test/hsharness.test.mjs", node(here)},
		"jest":             {[]string{`package.json: {"devDependencies":{"jest":"30"}}`}, nil, release, "test/hsharness.test.js", "npx jest test/hsharness.test.js", node(here)},
		"jest, modules":    {[]string{`package.json: {"type":"module","devDependencies":{"jest":"30"}}`}, nil, release, "test/hsharness.test.cjs", "npx jest test/hsharness.test.cjs", node(here)},
		"pyproject":        {[]string{"pyproject.toml"}, nil, release, "tests/test_hsharness.py", "python3 -m pytest tests/test_hsharness.py", pip},
		"requirements":     {[]string{"requirements.txt"}, nil, release, "tests/test_hsharness.py", "python3 -m pytest tests/test_hsharness.py", pip},
		"setup.py":         {[]string{"setup.py", "test/test_a.py"}, nil, release, "test/test_hsharness.py", "python3 -m pytest test/test_hsharness.py", pip},
		"pytest.ini":       {[]string{"pytest.ini"}, nil, release, "tests/test_hsharness.py", "python3 -m pytest tests/test_hsharness.py", pip},
		"asked":            {[]string{"package.json: {}"}, []string{"python"}, release, "tests/test_hsharness.py", "python3 -m pytest tests/test_hsharness.py", pip},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, tc.has...)
			done, err := starter.Write(dir, tc.asked, tc.from)
			require.NoError(t, err)
			assert.Equal(t, tc.fetch, done.Fetch)
			require.Equal(t, []string{"hsharness", "run"}, done.Next[0])
			if tc.test == "" {
				assert.Len(t, done.Next, 1)
				assert.Empty(t, done.Languages)
				return
			}
			assert.Contains(t, done.Written, tc.test)
			assert.FileExists(t, filepath.Join(dir, filepath.FromSlash(tc.test)))
			require.Len(t, done.Next, 2)
			assert.Equal(t, tc.runs, strings.Join(done.Next[1], " "))
		})
	}
}

func TestTwoLanguages(t *testing.T) {
	t.Parallel()
	dir := folder(t, "go.mod: module a\n", "package.json: {}")
	done, err := starter.Write(dir, nil, clone)
	require.NoError(t, err)
	assert.Equal(t, []string{"go", "node"}, done.Languages)
	var out strings.Builder
	require.NoError(t, done.Print(&out, false, false))
	assert.Contains(t, filepath.ToSlash(out.String()), "  go mod edit -require=github.com/hsharness/hsharness@v0.0.0 -replace=github.com/hsharness/hsharness=/src/hsharness"+
		" && go get -t ./hsharness && npm install --save-dev --install-links /src/hsharness/helpers/node\n  hsharness run\n")
}

func TestWhatCanNotBeStarted(t *testing.T) {
	t.Parallel()
	for want, tc := range map[string]struct{ file, asked string }{
		`there is no test for "perl": go, node, python`: {"", "perl"},
		"go mod init example.com/NAME":                  {"", "go"},
		"npm init -y":                                   {"", "node"},
		"package.json: ":                                {"package.json: {", ""},
	} {
		var has, asked []string
		if tc.file != "" {
			has = []string{tc.file}
		}
		if tc.asked != "" {
			asked = []string{tc.asked}
		}
		dir := folder(t, has...)
		_, err := starter.Write(dir, asked, release)
		require.ErrorContains(t, err, want)
		assert.NoFileExists(t, filepath.Join(dir, project.Name), "nothing is written")
	}
}

// TestOriginThatIsNotKnown: no line is printed that can't work.
func TestOriginThatIsNotKnown(t *testing.T) {
	t.Parallel()
	done, err := starter.Write(folder(t, "go.mod: module a\n"), nil, starter.Origin{})
	require.NoError(t, err)
	assert.Empty(t, done.Fetch)
	assert.True(t, done.Unknown)
	var out strings.Builder
	require.NoError(t, done.Print(&out, false, false))
	assert.Contains(t, out.String(), "make install")
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	dir := folder(t, "hsharness.yaml: version: 1\n", ".gitignore: /bin")
	done, err := starter.Write(dir, nil, release)
	require.NoError(t, err)
	assert.Equal(t, []string{"hsharness.yaml"}, done.Kept)
	assert.Equal(t, []string{".hsharness/ to .gitignore"}, done.Added)
	for name, want := range map[string]string{"hsharness.yaml": "version: 1\n", ".gitignore": "/bin\n.hsharness/\n"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(text), name)
	}
	assert.NoDirExists(t, filepath.Join(dir, "hsharness"), "there is no go.mod")

	again, err := starter.Write(dir, nil, release)
	require.NoError(t, err)
	assert.Empty(t, again.Written)
	assert.Empty(t, again.Added)
	assert.Len(t, again.Kept, len(done.Written)+len(done.Kept)+len(done.Added))
}

// TestStarterFilesNameTheirSchema: an editor finds it on the web for a release, and
// beside the ledger for a clone, which may not be published.
func TestStarterFilesNameTheirSchema(t *testing.T) {
	t.Parallel()
	for _, from := range []starter.Origin{release, clone} {
		dir := folder(t)
		_, err := starter.Write(dir, nil, from)
		require.NoError(t, err)
		_, err = project.Read(filepath.Join(dir, project.Name), false, func(string) string { return "" })
		require.NoError(t, err)
		for _, name := range []string{"hsharness.yaml", "scenarios/classify.yaml", "scenarios/expired_token.yaml"} {
			name = filepath.Join(dir, filepath.FromSlash(name))
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			line, _, _ := strings.Cut(string(text), "\n")
			schema, ok := strings.CutPrefix(line, "# yaml-language-server: $schema=")
			require.True(t, ok, line)
			if from == release {
				assert.True(t, strings.HasPrefix(schema, "https://raw.githubusercontent.com/hsharness/hsharness/main/"), schema)
				assert.NoDirExists(t, filepath.Join(dir, ".hsharness"))
				continue
			}
			schema = filepath.Join(filepath.Dir(name), filepath.FromSlash(schema))
			text, err = os.ReadFile(schema)
			require.NoError(t, err)
			assert.Contains(t, string(text), `"$id": "https://raw.githubusercontent.com/hsharness/hsharness/main/`)
		}
	}
}

// TestWorkflows: GitHub reads those at the root of a repository alone. make lint has
// actionlint read the same files.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	for golden, tc := range map[string]struct {
		below string
		from  starter.Origin
		has   []string
	}{
		"go-clone.yml":         {"", clone, []string{"go.mod: module a\n"}},
		"node-release.yml":     {"", release, []string{"package.json: {}"}},
		"monorepo-clone.yml":   {"services/it's", clone, []string{"package.json: {}", "requirements.txt"}},
		"monorepo-release.yml": {"shop", release, []string{"pyproject.toml", "go.mod: module a\n"}},
		"bare-release.yml":     {"", release, nil},
	} {
		t.Run(golden, func(t *testing.T) {
			t.Parallel()
			root := folder(t)
			require.NoError(t, os.Mkdir(filepath.Join(root, ".git"), 0o755))
			dir := filepath.Join(root, filepath.FromSlash(tc.below))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			for _, file := range tc.has {
				name, text, _ := strings.Cut(file, ": ")
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
			}
			done, err := starter.Write(dir, nil, tc.from)
			require.NoError(t, err)
			want := ".github/workflows/hsharness.yml"
			if tc.below != "" {
				want = strings.Repeat("../", strings.Count(tc.below, "/")+1) + ".github/workflows/hsharness-" + strings.ReplaceAll(tc.below, "/", "-") + ".yml"
			}
			require.Contains(t, done.Written, want)
			text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(want)))
			require.NoError(t, err)
			golden = filepath.Join("testdata", golden)
			if *update {
				require.NoError(t, os.WriteFile(golden, text, 0o644))
			}
			expected, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(expected), string(text))
		})
	}
}

// TestNotBrought: where pip fails outside of a virtual environment, the advice makes one.
func TestNotBrought(t *testing.T) {
	t.Parallel()
	pip := []string{"python3", "-m", "pip", "install", "a folder"}
	none, active := func(string) string { return "" }, func(string) string { return "/venv" }
	assert.EqualError(t, starter.NotBrought(pip, 1, none), "python3 -m pip install 'a folder': exit code 1; what was written stays\n"+
		"  next, where pip wants a virtual environment: python3 -m venv .venv && . .venv/bin/activate && hsharness init --yes")
	assert.EqualError(t, starter.NotBrought(pip, 1, active), "python3 -m pip install 'a folder': exit code 1; what was written stays")
	assert.EqualError(t, starter.NotBrought([]string{"npm", "install"}, 7, none), "npm install: exit code 7; what was written stays")
}
