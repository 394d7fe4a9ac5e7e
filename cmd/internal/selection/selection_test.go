package selection_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/hint"
)

// folder writes files, and returns where.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return dir
}

func scenarioOf(name string, tags ...string) string {
	return "version: 1\nname: " + name + "\ntags: [" + strings.Join(tags, ", ") + "]\nsteps: [ { token: {} } ]\n"
}

// selected are the names of what a command line with these flags selects.
func selected(t *testing.T, paths []string, flags ...string) ([]string, error) {
	t.Helper()
	var s selection.Selection
	cmd := &cobra.Command{}
	s.Flags(cmd)
	require.NoError(t, cmd.ParseFlags(flags))
	chosen, err := s.Load(selection.Place{Paths: paths})
	names := []string{}
	for _, one := range chosen {
		names = append(names, one.Name)
	}
	return names, err
}

func TestFilterAndTags(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.yaml":      scenarioOf("shirts", "quick", "wrong"),
		"b.yml":       scenarioOf("shoes", "quick"),
		"deep/c.YAML": scenarioOf("hats", "slow", "team/eu"),
		"notes.txt":   "no scenario",
	})
	for _, row := range []struct {
		flags, want string
	}{
		{"", "shirts shoes hats"},
		{"--filter=sh", "shirts shoes"},
		{"--filter=deep/", "hats"},
		{"--tags=quick", "shirts shoes"},
		{"--tags=quick and not wrong", "shoes"},
		{"--tags=quick and not (wrong or slow)", "shoes"},
		{"--tags=wrong,slow", "shirts hats"},
		{"--tags=not quick", "hats"},
		{"--tags=team/eu", "hats"},
		{"--tags=wrong|--tags=slow", "shirts hats"},
		{"--tags=quick|--filter=shoes", "shoes"},
	} {
		var flags []string
		if row.flags != "" {
			flags = strings.Split(row.flags, "|")
		}
		names, err := selected(t, []string{dir}, flags...)
		require.NoError(t, err, row.flags)
		assert.Equal(t, strings.Fields(row.want), names, row.flags)
	}
	for _, text := range []string{"quick and", "(quick", "quick slow", "and", "\"quick\"", "len(quick)"} {
		_, err := selected(t, []string{dir}, "--tags="+text)
		assert.ErrorContains(t, err, "can't be read: use tags with and, or, not and parentheses", text)
	}
	_, err := selected(t, []string{dir}, "--tags=nothing")
	assert.EqualError(t, err, "no scenario is selected; the tags there are: quick, slow, team/eu, wrong")
	_, err = selected(t, []string{folder(t, map[string]string{"a.yaml": scenarioOf("first")})}, "--filter=nothing")
	assert.EqualError(t, err, "no scenario is selected; the tags there are: none")
}

// A row of data has a place of its own in a selection, and --filter finds it by name.
func TestRowsOfData(t *testing.T) {
	t.Parallel()
	table := "n\n"
	for i := range 30 {
		table += strconv.Itoa(i) + "\n"
	}
	data := "version: 1\nname: table\nmatrix: { from: n.csv }\nsteps: [ { token: { scope: \"{{ row.n }}\" } } ]\n"
	dir := folder(t, map[string]string{"a.yaml": scenarioOf("first"), "b.yaml": data, "c.yaml": scenarioOf("last"), "n.csv": table})
	cases := func(flags ...string) (out []string) {
		var s selection.Selection
		cmd := &cobra.Command{}
		s.Flags(cmd)
		require.NoError(t, cmd.ParseFlags(flags))
		chosen, err := s.Load(selection.Place{Paths: []string{dir}})
		require.NoError(t, err)
		for _, one := range chosen {
			for _, c := range one.Cases() {
				out = append(out, one.Name+" "+c.Name)
			}
		}
		return out
	}
	all := cases()
	require.Len(t, all, 32)
	for _, n := range []int{1, 2, 5, 31, 40} {
		var together []string
		for i := 1; i <= n; i++ {
			part := cases("--shard=" + strconv.Itoa(i) + "/" + strconv.Itoa(n))
			assert.InDelta(t, 32/float64(n), len(part), 1, "%d/%d: they are as large", i, n)
			together = append(together, part...)
		}
		assert.ElementsMatch(t, all, together, "%d shards", n)
	}
	assert.Equal(t, []string{"table n.csv:2"}, cases("--filter=n.csv:2"))
	assert.Equal(t, []string{"table n.csv:31"}, cases("--filter=:31"))
	assert.Len(t, cases("--filter=n.csv:"), 30, "which is no number")
	assert.Len(t, cases("--filter=table"), 30)
	assert.Len(t, cases("--filter=first"), 1)
	assert.Equal(t, []string{"table n.csv:3"}, cases("--filter=n.csv", "--shard=2/30"))
}

// All shards together are the selection, each of it once.
func TestShards(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 7 {
		files[strconv.Itoa(i)+".yaml"] = scenarioOf("number " + strconv.Itoa(i))
	}
	dir := folder(t, files)
	all, err := selected(t, []string{dir})
	require.NoError(t, err)
	require.Len(t, all, 7)
	for n := 1; n <= 9; n++ {
		var together []string
		for i := 1; i <= n; i++ {
			part, err := selected(t, []string{dir}, "--shard="+strconv.Itoa(i)+"/"+strconv.Itoa(n))
			require.NoError(t, err)
			assert.InDelta(t, 7/float64(n), len(part), 1, "%d/%d: they are as large", i, n)
			together = append(together, part...)
		}
		assert.ElementsMatch(t, all, together, "%d shards", n)
	}
	first, err := selected(t, []string{dir}, "--shard=1/2")
	require.NoError(t, err)
	assert.Equal(t, all[0], first[0], "the first shard has the first")
}

func TestWrongShards(t *testing.T) {
	t.Parallel()
	var s selection.Selection
	cmd := &cobra.Command{}
	s.Flags(cmd)
	for _, text := range []string{"", "1", "/", "0/2", "3/2", "1/0", "+1/2", "1/+2", "01/2", "1/02", "0x1/2", "1/2/3", "1/1e1", " 1/2", "1/9223372036854775808", "4294967297/4294967298"} {
		assert.ErrorContains(t, cmd.ParseFlags([]string{"--shard=" + text}), "want i/n with i from 1 to n, such as 2/3", "%q", text)
	}
	flag := cmd.Flags().Lookup("shard")
	assert.Empty(t, flag.DefValue)
	require.NoError(t, flag.Value.Set("2/3"))
	assert.Equal(t, "2/3", flag.Value.String())
}

// Without paths it is the project's scenarios, and a project without any is no run of
// others.
func TestWhichFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"with/hsharness.yaml": "version: 1\n", "with/scenarios/one.yaml": scenarioOf("one"),
		"without/hsharness.yaml": "version: 1\n", "empty/scenarios/keep": "",
	})
	names := func(p selection.Place) []string {
		sources, err := p.Sources()
		require.NoError(t, err)
		assert.False(t, p.Shipped())
		assert.Empty(t, p.Note(), "somebody chose them")
		var all []string
		for _, s := range sources {
			all = append(all, s.Name)
		}
		return all
	}
	with, without := filepath.Join(dir, "with", "hsharness.yaml"), filepath.Join(dir, "without", "hsharness.yaml")
	assert.Equal(t, []string{filepath.ToSlash(filepath.Join(dir, "with/scenarios/one.yaml"))}, names(selection.Place{Config: with}))
	chosen := filepath.Join(dir, "with", "scenarios")
	assert.Len(t, names(selection.Place{Config: without, Paths: []string{chosen, filepath.Join(chosen, "one.yaml")}}), 2)

	_, err := selection.Place{Config: without}.Sources()
	var none *selection.NoScenariosError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, without, none.File)
	assert.Equal(t, "there is no folder scenarios beside "+filepath.ToSlash(without)+
		"; name a file or folder, or write the first scenarios: hsharness init "+filepath.ToSlash(filepath.Dir(without)), hint.Text(err))
	_, err = selection.Place{Config: filepath.Join(dir, "none.yaml")}.Sources()
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = selection.Place{Config: with, Paths: []string{filepath.Join(dir, "nowhere")}}.Sources()
	assert.EqualError(t, err, "there is no file or folder "+filepath.Join(dir, "nowhere"))
	_, err = selection.Place{Config: with, Paths: []string{filepath.Join(dir, "empty")}}.Sources()
	assert.EqualError(t, err, filepath.Join(dir, "empty")+" holds no scenario file (*.yaml)")
}

// All that is wrong with all files is said at once.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.yaml": "version: 1\nname: a\nstep: []\n", "b.yaml": "version: 1\nname: b\nstep: []\n", "c.yaml": scenarioOf("c")})
	_, err := selected(t, []string{dir})
	assert.ErrorContains(t, err, "a.yaml:3:1: ")
	assert.ErrorContains(t, err, "b.yaml:3:1: ")
}

// A folder without a project has the shipped scenarios, which is said, unless a
// project is meant.
func TestNoProject(t *testing.T) {
	t.Chdir(t.TempDir())
	var here selection.Place
	sources, err := here.Sources()
	require.NoError(t, err)
	assert.Greater(t, len(sources), 10)
	assert.True(t, here.Shipped())
	assert.Equal(t, "there is no hsharness.yaml here or above: these are the scenarios that hsharness ships\n", here.Note())

	var none *selection.NoScenariosError
	_, err = selection.Place{Meant: "CI is set"}.Sources()
	require.ErrorAs(t, err, &none)
	assert.Contains(t, hint.Text(err), "but CI is set; is this the project's folder?")
	require.NoError(t, os.Mkdir("recordings", 0o755))
	_, err = here.Sources()
	require.ErrorAs(t, err, &none)
	assert.ErrorContains(t, err, "but there is recordings")

	// A folder of scenarios is a project's, and one of something else is not.
	require.NoError(t, os.Mkdir("scenarios", 0o755))
	assert.True(t, here.Shipped())
	require.NoError(t, os.WriteFile("scenarios/one.yaml", []byte(scenarioOf("one")), 0o600))
	assert.False(t, here.Shipped())
	assert.Empty(t, here.Note())
	sources, err = here.Sources()
	require.NoError(t, err)
	assert.Equal(t, "scenarios/one.yaml", sources[0].Name)
}

func TestSideBySide(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 100} {
		var sum atomic.Int64
		selection.SideBySide(n, func(i int) { sum.Add(int64(i) + 1) })
		assert.EqualValues(t, n*(n+1)/2, sum.Load())
	}
}
