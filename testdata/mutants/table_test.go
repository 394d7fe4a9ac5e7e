package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryRowApplies is what make lint looks at: each row to the tree as it is.
func TestEveryRowApplies(t *testing.T) {
	rows, err := readTable("mutants.yaml")
	require.NoError(t, err)
	packages := map[string]string{} // to the text of their tests
	for _, m := range rows {
		_, _, err := m.apply(func(name string) (string, error) {
			data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
			return string(data), err
		})
		assert.NoError(t, err, "%s: %s", m.place("mutants.yaml"), m.Breaks)
		form := killerForm.FindStringSubmatch(m.Killer)
		text, ok := packages[form[1]]
		if !ok {
			files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(form[1]), "*_test.go"))
			require.NoError(t, err)
			for _, name := range files {
				data, err := os.ReadFile(name)
				require.NoError(t, err)
				text += string(data)
			}
			packages[form[1]] = text
		}
		for name := range strings.SplitSeq(form[2], "|") {
			test, _, _ := strings.Cut(name, "/")
			assert.True(t, strings.Contains(text, "func "+test+"("), "%s: there is no test %s", m.place("mutants.yaml"), m.Killer)
		}
	}
}

func TestTablesThatAreWrong(t *testing.T) {
	t.Parallel()
	const good = "- breaks: a\n  file: f.go\n  old: x\n  new: y\n  killer: ./quota TestA\n"
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":         {"", "has no rows"},
		"an unknown key":  {strings.Replace(good, "killer", "killler", 1), "[5:3] unknown field"},
		"no promise":      {strings.Replace(good, "breaks: a", "breaks:", 1), ":1: breaks is missing"},
		"no old text":     {strings.Replace(good, "old: x", "old:", 1), ":1: file and old have to be there"},
		"nothing changes": {strings.Replace(good, "new: y", "new: x", 1), ":1: old and new are the same"},
		"no package":      {strings.Replace(good, "./quota TestA", "TestA", 1), `:1: killer "TestA" is not a package and a test`},
		"twice":           {good + good, ":6: the same row stands at line 1"},
		"out of order":    {good + strings.NewReplacer("f.go", "a.go").Replace(good), ":6: a.go stands after f.go"},
	} {
		file := filepath.Join(t.TempDir(), "t.yaml")
		require.NoError(t, os.WriteFile(file, []byte(tt.text), 0o600))
		_, err := readTable(file)
		assert.ErrorContains(t, err, tt.want, name)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	read := func(string) (string, error) { return "one two three two", nil }
	_, after, err := mutant{Edit: Edit{"f", "one", "1"}, Also: []Edit{{"f", "three", "one"}}}.apply(read)
	require.NoError(t, err)
	assert.Equal(t, "1 two one two", after["f"], "each is looked for in the file as it was")
	_, _, err = mutant{Edit: Edit{"f", "four", "4"}}.apply(read)
	assert.ErrorContains(t, err, "applies nowhere")
	_, _, err = mutant{Edit: Edit{"f", "two", "2"}}.apply(read)
	assert.ErrorContains(t, err, "applies 2 times")
}

// TestTry runs killers against a module of one function.
func TestTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module m\n\ngo 1.26\n",
		"p/p.go":      "package p\n\nfunc Two() int { return 1 + 1 }\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestTwo(t *testing.T) {\n\tif Two() != 2 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "p"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	row := func(old, new, killer string) mutant {
		return mutant{Edit: Edit{"p/p.go", old, new}, Killer: killer}
	}
	killer, err := row("1 + 1", "1 + 2", "./p TestTwo").try(dir)
	require.NoError(t, err)
	assert.Equal(t, "TestTwo", killer)
	_, err = row("1 + 1", "3 - 1", "./p TestTwo").try(dir)
	require.ErrorIs(t, err, errSurvived)
	assert.Equal(t, "^(TestTwo|TestThree)$", runs("TestTwo|TestThree"))
	assert.Equal(t, "^(TestTwo)$/^(of_a_script)$", runs("TestTwo/of_a_script"), "a subtest is found")
	_, err = row("1 + 1", "3 - 1", "./p TestThree").try(dir)
	require.ErrorContains(t, err, "there is no test")
	_, err = row("1 + 1", "1 +", "./p TestTwo").try(dir)
	require.ErrorContains(t, err, "was not tested")
	text, err := os.ReadFile(filepath.Join(dir, "p", "p.go"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "1 + 1", "every row is taken back")
}
