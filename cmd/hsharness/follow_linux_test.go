package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run that follows a plan buys exactly that, by the sandbox's own count, and refuses as
// soon as the world is another one: it says what changed, and the command that it names
// makes a plan that can be followed again.
func TestRunFollowsAPlan(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(9, ""))
	s.write("scenarios/others.yaml", strings.ReplaceAll(goods(9, ""), "cotton shirt", "steel spoon"))
	makes := func(args ...string) string {
		out, err := s.output(nil, append([]string{"plan", "--units", "4", "--out", "plan.json"}, args...)...)
		require.NoError(t, err, out)
		text, err := os.ReadFile(filepath.Join(s.dir, "plan.json"))
		require.NoError(t, err)
		return string(text)
	}
	refused := func(args ...string) string {
		t.Helper()
		before := s.served()
		out, err := s.output(nil, append([]string{"run", "--plan", "plan.json", "--max-spend", "9"}, args...)...)
		assert.Equal(t, exitUsage, code(err), out)
		assert.Equal(t, before, s.served(), "nothing is bought")
		return out
	}
	again := func(out string) {
		t.Helper()
		line := regexp.MustCompile(`make a new plan: (.*)`).FindStringSubmatch(out)
		require.NotNil(t, line, out)
		cmd := exec.Command("sh", "-c", line[1])
		cmd.Dir, cmd.Env = s.dir, s.command().Env
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", line[1], text)
	}
	assert.Equal(t, makes(), makes(), "the same world, the same plan")

	out, err := s.output(nil, "run", "--plan", "plan.json", "--mode", "record", "--max-spend", "3")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Zero(t, s.served())
	out, err = s.output(nil, "run", "--plan", "plan.json", "--mode", "record", "--max-spend", "9", "--json", "run.jsonl")
	require.NoError(t, err, out)
	assert.EqualValues(t, 4, s.served(), "not what it may spend, but what the plan says")
	assert.Contains(t, out, "14 cases skipped: not bought")
	bought, err := os.ReadFile(filepath.Join(s.dir, "run.jsonl"))
	require.NoError(t, err)
	for name := range strings.SplitSeq(makesOf(t, s, "plan.json"), "\n") {
		assert.Contains(t, string(bought), `{"name":"`+name+`","verdict":"bought"`)
	}

	out = refused("--mode", "record")
	assert.Contains(t, out, "plan.json was made before this: what scenarios/goods.yaml asks, or what is recorded of it, changed")
	again(out)
	out, err = s.output(nil, "run", "--plan", "plan.json", "--mode", "record", "--max-spend", "4")
	require.NoError(t, err, out)
	assert.EqualValues(t, 8, s.served(), "the next four")
	out, err = s.output(nil, "run", "--plan", "plan.json", "--mode", "replay")
	require.NoError(t, err, "what was bought by it is replayed: %s", out)
	assert.Contains(t, out, "10 cases skipped: not bought")

	makes("--by", "country", "scenarios")
	assert.Contains(t, refused("--mode", "live"), "it is for --mode record, and this is live")
	s.configure("operations: [ { match: \"POST /hscode/classify\", cost: 2 } ]\n")
	out = refused("--mode", "record")
	assert.Contains(t, out, "the price list changed")
	again(out)
	s.write("scenarios/goods.yaml", goods(10, ""))
	out = refused("--mode", "record")
	assert.Contains(t, out, "scenarios/goods.yaml or its data changed")
	assert.Contains(t, out, "make a new plan: hsharness plan --by=country --out=plan.json --units=4 scenarios")
	assert.Contains(t, refused(), "scenarios/goods.yaml or its data changed", "offline, too")
	again(out)
	require.NoError(t, os.Remove(filepath.Join(s.dir, "scenarios/others.yaml")))
	assert.Contains(t, refused(), "make a new plan: ")

	assert.Contains(t, refused("scenarios"), "scenarios does not go with --plan")
	assert.Contains(t, refused("--tags", "x"), "--tags does not go with --plan")
	assert.Contains(t, refused("--partial"), "--partial does not go with --plan")
	s.verify()
}

// makesOf are the names of the cases that a plan file buys, a line each.
func makesOf(t *testing.T, s *sandbox, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	require.NoError(t, err)
	buy, _, _ := strings.Cut(string(text), `"left_out"`)
	var names []string
	for _, m := range regexp.MustCompile(`"case": "([^"]+)"`).FindAllStringSubmatch(buy, -1) {
		names = append(names, m[1])
	}
	require.Len(t, names, 4)
	return strings.Join(names, "\n")
}

// A plan file is read strictly, and two can be compared.
func TestPlanFiles(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(9, ""))
	for _, units := range []string{"3", "5"} {
		out, err := s.output(nil, "plan", "--units", units, "--out", units+".json")
		require.NoError(t, err, out)
		assert.Contains(t, out, "fits: 50 left; hsharness run --plan "+units+".json --mode record --max-spend "+units)
	}
	out, err := s.output(nil, "plan", "--compare", "3.json", "5.json")
	require.NoError(t, err, out)
	assert.Contains(t, out, "3.json buys 3 cases for 3 units, 5.json 5 for 5: 3 are in both\n")
	assert.Len(t, regexp.MustCompile(`(?m)^\+     1  scenarios/goods.yaml \(title=`).FindAllString(out, -1), 2)
	assert.NotRegexp(t, `(?m)^- `, out)
	out, err = s.output(nil, "plan", "--compare", "5.json", "3.json", "--format", "json")
	require.NoError(t, err, out)
	assert.Contains(t, out, `"price":[5,3],"both":3,"dropped":[{"file":"scenarios/goods.yaml",`)

	text, err := os.ReadFile(filepath.Join(s.dir, "3.json"))
	require.NoError(t, err)
	for name, row := range map[string]struct{ old, new, says string }{
		"an unknown key": {`"units": 3`, `"unit": 3`, "bad.json:5:"},
		"a text":         {`"units": 3`, `"units": "3"`, "bad.json:5:"},
		"a format":       {`"format": 1`, `"format": 2`, "bad.json:2:12: format 2 is unknown"},
		"a mode":         {`"mode": "record"`, `"mode": "replay"`, `bad.json:4:10: mode "replay" buys nothing`},
	} {
		require.Contains(t, string(text), row.old)
		s.write("bad.json", strings.Replace(string(text), row.old, row.new, 1))
		out, err := s.output(nil, "run", "--plan", "bad.json")
		assert.Equal(t, exitUsage, code(err), name)
		assert.Contains(t, out, row.says, name)
	}
	for _, args := range []string{"--out plan.json", "--by heading", "--units 3 --by size", "--units 3 --by heading,heading", "--compare 3.json", "--units 0", "--units 3 --out plan.json --shard 1/2"} {
		out, err := s.output(nil, append([]string{"plan"}, strings.Fields(args)...)...)
		assert.Equal(t, exitUsage, code(err), "%s: %s", args, out)
	}
	out, err = s.output(nil, "plan", "--units", "60", "scenarios")
	require.NoError(t, err, "it costs 9: %s", out)
	s.configure("budgets: [ { max_per_run: 4 } ]\n")
	out, err = s.output(nil, "plan", "--units", "5")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Contains(t, out, "blocked: 5 units, 50 left, refused by budget 1: max_per_run 4, 0 used")
}

// A plan that was edited is not followed where its price is no more what it buys, where it
// buys what is not there, or where it leaves out what is required: such a run could not pass.
func TestEditedPlanIsRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(6, ""))
	s.write("scenarios/must.yaml", strings.ReplaceAll(goods(2, "required: true\n"), "cotton shirt", "steel spoon"))
	printed, err := s.output(nil, "plan", "--units", "4", "--out", "plan.json")
	require.NoError(t, err, printed)
	text, err := os.ReadFile(filepath.Join(s.dir, "plan.json"))
	require.NoError(t, err)
	type object = map[string]any
	with := func(list []any, key string, value any, drop string) (all []any) {
		for _, l := range list {
			one, _ := l.(object)
			one = maps.Clone(one)
			delete(one, drop)
			one[key] = value
			all = append(all, one)
		}
		return all
	}
	bought := func(left []any) []any { return with(left, "new", []any{}, "why") }
	out := func(bought []any) []any { return with(bought, "why", "not bought", "new") }
	for name, row := range map[string]struct {
		edit func(plan object, buy, left []any) (newBuy, newLeft []any)
		mode string
		says string
	}{
		"all is bought":             {func(_ object, buy, left []any) ([]any, []any) { return append(buy, bought(left)...), nil }, "record", "it buys 8 cases for 4 units, and what it names is 8 for 8: it was edited"},
		"a lower price":             {func(plan object, buy, left []any) ([]any, []any) { plan["price"] = 0; return buy, left }, "record", "it buys 4 cases for 0 units, and what it names is 4 for 4: it was edited"},
		"a case twice":              {func(_ object, buy, left []any) ([]any, []any) { return append(buy, buy[0]), left }, "record", "it buys 5 cases for 4 units, and what it names is 4 for 4: it was edited"},
		"bought and left out":       {func(_ object, buy, left []any) ([]any, []any) { return buy, append(left, out(buy[3:])...) }, "record", "it buys 4 cases for 4 units, and what it names is 3 for 3: it was edited"},
		"not what is required":      {func(plan object, buy, left []any) ([]any, []any) { plan["price"] = 2; return buy[2:], left }, "record", "it leaves out what scenarios/must.yaml requires: it was edited"},
		"nor in a run that is free": {func(_ object, buy, left []any) ([]any, []any) { return buy[2:], append(left, out(buy[:2])...) }, "replay", "it leaves out what scenarios/must.yaml requires: it was edited"},
	} {
		var plan object
		require.NoError(t, json.Unmarshal(text, &plan))
		buy, _ := plan["buy"].([]any)
		left, _ := plan["left_out"].([]any)
		newBuy, newLeft := row.edit(plan, slices.Clone(buy), slices.Clone(left))
		plan["buy"], plan["left_out"] = append([]any{}, newBuy...), append([]any{}, newLeft...)
		edited, err := json.MarshalIndent(plan, "", " ")
		require.NoError(t, err)
		s.write("edited.json", string(edited))
		printed, err := s.output(nil, "run", "--plan", "edited.json", "--mode", row.mode, "--max-spend", "4")
		assert.Equal(t, exitUsage, code(err), "%s: %s", name, printed)
		assert.Contains(t, printed, row.says, name)
	}
	assert.Zero(t, s.served())

	// What it says of a case that is left out is not taken from it.
	s.write("edited.json", strings.ReplaceAll(string(text), `"why": "not bought"`, `"why": "all is well"`))
	printed, err = s.output(nil, "run", "--plan", "edited.json", "--mode", "record", "--max-spend", "4")
	require.NoError(t, err, printed)
	assert.NotContains(t, printed, "all is well")
	assert.EqualValues(t, 4, s.served())
}

// What is read, or is no plan, is never written over: a scenario, its table, the plan.
func TestReportsSpareWhatIsRead(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(3, ""))
	s.write("scenarios/others.yaml", goods(2, ""))
	s.write("scenarios/titles.csv", goodsTable)
	s.write("scenarios/titles.yaml", scoring)
	s.write("notes.json", `{"format": 1}`)
	out, err := s.output(nil, "plan", "--units", "2", "--out", "plan.json", "scenarios/goods.yaml")
	require.NoError(t, err, out)
	out, err = s.output(nil, "plan", "--units", "3", "--out", "plan.json", "scenarios/goods.yaml")
	require.NoError(t, err, "a plan is made anew: %s", out)
	kept := map[string]string{}
	for _, name := range []string{"scenarios/goods.yaml", "scenarios/others.yaml", "scenarios/titles.csv", "notes.json", "plan.json", "hsharness.yaml"} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		require.NoError(t, err)
		kept[name] = string(text)
	}
	require.NoError(t, os.Symlink("titles.csv", filepath.Join(s.dir, "scenarios", "link.csv")))
	plan := func(to string) []string {
		return []string{"plan", "--units", "2", "--out", to, "scenarios/goods.yaml"}
	}
	for _, args := range [][]string{
		plan("scenarios/goods.yaml"), plan("scenarios/others.yaml"), plan("scenarios/titles.csv"), plan("notes.json"), plan("hsharness.yaml"),
		{"run", "--json", "scenarios/goods.yaml"}, {"run", "--score", "scenarios/titles.csv"}, {"run", "--html", "scenarios/link.csv"}, {"run", "--plan", "plan.json", "--junit", "plan.json"},
	} {
		out, err := s.output(nil, args...)
		assert.Equal(t, exitUsage, code(err), "%s: %s", args, out)
		assert.Contains(t, out, "not written over", args)
	}
	for name, text := range kept {
		now, err := os.ReadFile(filepath.Join(s.dir, name))
		require.NoError(t, err)
		assert.Equal(t, text, string(now), name)
	}
}

// A table that changed since the plan was made buys nothing, though no request did: the run
// that follows it says so.
func TestPlanOfAnotherTable(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/titles.csv", goodsTable)
	s.write("scenarios/titles.yaml", scoring)
	out, err := s.output(nil, "plan", "--units", "2", "--out", "plan.json")
	require.NoError(t, err, out)
	s.write("scenarios/titles.csv", strings.Replace(goodsTable, "6109100012", "6109100013", 1))
	out, err = s.output(nil, "run", "--plan", "plan.json", "--mode", "record", "--max-spend", "2")
	assert.Equal(t, exitUsage, code(err), out)
	assert.Contains(t, out, "scenarios/titles.yaml or its data changed")
	assert.Zero(t, s.served())
}
