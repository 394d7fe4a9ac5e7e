package plan_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/quota"
)

// projectOf reads a project file of these lines.
func projectOf(t testing.TB, lines string) *project.Project {
	t.Helper()
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nenvironments: { sandbox: { client_id: some-id } }\n"+lines), 0o600))
	pr, err := project.Read(file, false, func(string) string { return "" })
	require.NoError(t, err)
	return pr
}

func parse(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("one.yaml", []byte("version: 1\nname: one\n"+text))
	require.NoError(t, err)
	return s
}

const (
	countries = `matrix: { country: [US, CA] }
steps:
  - request: POST /hscode/classify
    body: { description: shirt, countryOfDestination: "{{ matrix.country }}" }
    retry: { max: 2, on: [429] }
    expect: { status: 200, calls: 1 }
`
	clock = `steps:
  - clock: +66m
    request: POST /hscode/classify
    body: { description: shirt, countryOfDestination: US }
`
)

// prices are the plan of these scenarios, whose variables are not set.
func prices(t *testing.T, cfg plan.Config, texts ...string) plan.Plan {
	t.Helper()
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	var all []*scenario.Scenario
	for _, text := range texts {
		all = append(all, parse(t, text))
	}
	p, err := plan.Price(cfg, all)
	require.NoError(t, err)
	return p
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		mode        guard.Mode
		shipped     bool
		lines       string
		sure, worst int
	}{
		{"record", guard.Record, false, "", 2, 3},
		{"live", guard.Live, false, "", 2, 7},
		{"what buys nothing is priced as record", guard.Offline, false, "", 2, 3},
		{"shipped scenarios are offline", guard.Record, true, "", 0, 0},
		{"the project's prices count", guard.Live, false, `operations: [ { match: "POST /hscode/classify", cost: 3 } ]`, 6, 21},
	} {
		p := prices(t, plan.Config{Project: projectOf(t, row.lines), Mode: row.mode, Shipped: row.shipped}, countries, clock)
		assert.Equal(t, [2]int{row.sure, row.worst}, [2]int{p.Sure, p.Worst}, row.name)
		assert.True(t, p.Fits, "%s: nothing can be bought without a ledger", row.name)
		assert.Nil(t, p.Usable, row.name)
		require.Len(t, p.Scenarios, 2, row.name)
		assert.Equal(t, 2, p.Scenarios[0].Cases, row.name)
		assert.Zero(t, p.Scenarios[1].Worst, row.name)
		assert.Equal(t, "offline at most: clock in step 1", p.Scenarios[1].Ceiling, row.name)
	}
}

// What is recorded is not bought again, and what is kept and is no answer is.
func TestRecorded(t *testing.T) {
	t.Parallel()
	pr := projectOf(t, "")
	store, err := pr.OpenRecordings()
	require.NoError(t, err)
	const steps = `steps: [ { request: POST /hscode/classify, body: { description: shirt, countryOfDestination: US } } ]`
	record := func(status int) {
		k := store.Key(recording.Request{
			Environment: string(avalara.Sandbox), API: string(avalara.Current), Operation: "x", Method: http.MethodPost, Path: "/hscode/classify",
			Body: []byte(`{"description":"shirt","countryOfDestination":"US"}`),
		})
		require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: status, Body: []byte(`{}`)}}))
	}
	four := func(mode guard.Mode) [4]int {
		p := prices(t, plan.Config{Project: pr, Mode: mode}, steps)
		assert.Equal(t, p.Again, p.Scenarios[0].Again)
		return [4]int{p.Sure, p.Worst, p.Scenarios[0].Recorded, p.Again}
	}
	assert.Equal(t, [4]int{1, 2, 0, 0}, four(guard.Record))
	record(503)
	assert.Equal(t, [4]int{1, 2, 0, 1}, four(guard.Record))
	record(200)
	assert.Equal(t, [4]int{0, 0, 1, 0}, four(guard.Record))
	assert.Equal(t, [4]int{1, 2, 1, 0}, four(guard.Live))

	file := store.Written().Shared[0]
	require.NoError(t, os.WriteFile(file, []byte("damaged"), 0o600))
	_, err = plan.Price(plan.Config{Project: pr, Mode: guard.Record, LookupEnv: func(string) (string, bool) { return "", false }}, []*scenario.Scenario{parse(t, steps)})
	assert.ErrorContains(t, err, file+":1: damaged recording", "which is not planned as missing")
}

func TestVariables(t *testing.T) {
	t.Parallel()
	s := parse(t, "vars: { t: \"${NOT_SET}\" }\nsteps: [ { request: POST /hscode/classify, body: \"{{ vars.t }}\" } ]\n")
	cfg := plan.Config{Project: projectOf(t, ""), LookupEnv: func(string) (string, bool) { return "", false }}
	_, err := plan.Price(cfg, []*scenario.Scenario{s})
	assert.ErrorContains(t, err, "vars.t: the environment has no NOT_SET")
	cfg.LookupEnv = func(string) (string, bool) { return "x", true }
	_, err = plan.Price(cfg, []*scenario.Scenario{s})
	assert.NoError(t, err)
}

// A plan fits where an admission would fit.
func TestFit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pr := projectOf(t, "budgets: [ { match: { suite: night* }, max_per_run: 5 }, { match: { suite: shop }, max_per_day: 4 } ]")
	from := ledger.Source{Project: pr, Getenv: func(string) string { return "" }}
	at, err := from.Address()
	require.NoError(t, err)
	made, err := at.Init(ctx, quota.InitSpec{Account: quota.AccountHash("ai-sbx.avlr.sh", "some-id"), Granted: 12, Floor: 2})
	require.NoError(t, err)
	require.NoError(t, made.Close())
	l, err := from.Open(ctx)
	require.NoError(t, err)
	defer l.Close()
	l.Client.StateHome = t.TempDir()

	fit := func(worst int, suite string) plan.Plan {
		p := plan.Plan{Worst: worst, Fits: true, Rules: []string{}}
		require.NoError(t, p.Fit(ctx, l, quota.Attribution{Suite: suite}))
		return p
	}
	spend := func(id string, most, units int64, end bool) {
		run, err := l.Client.Begin(ctx, quota.RunSpec{ID: id, Max: most, Mode: "live", Attribution: quota.Attribution{Suite: "shop"}}, nil)
		require.NoError(t, err)
		_, err = run.Spend(ctx, quota.SpendSpec{ID: id + "-1", Units: units, Operation: "classify"})
		require.NoError(t, err)
		if end {
			_, err = run.End(ctx, quota.Counters{})
			require.NoError(t, err)
		}
	}
	p := fit(10, "")
	assert.True(t, p.Fits)
	assert.EqualValues(t, 10, *p.Usable, "but for the floor")
	p = fit(11, "")
	assert.False(t, p.Fits)
	assert.Equal(t, []string{"usable: 10 left"}, p.Rules)

	assert.Equal(t, []string{"budget 1: max_per_run 5, 0 used"}, fit(6, "nightly").Rules)
	assert.True(t, fit(5, "nightly").Fits)

	// What was spent today counts, and what a run holds that is active.
	assert.True(t, fit(3, "shop").Fits)
	spend("ended", 3, 1, true)
	assert.True(t, fit(3, "shop").Fits, "what it did not spend is free")
	spend("active", 2, 1, false)
	assert.Equal(t, []string{"budget 2: max_per_day 4, 3 used"}, fit(3, "shop").Rules)
	assert.True(t, fit(3, "another").Fits)
}

// Only the sandbox has an allowance, and the project's list comes before the built-in
// one.
func TestCost(t *testing.T) {
	t.Parallel()
	cost := plan.Cost(projectOf(t, `operations: [ { match: "POST /hscode/classify", cost: 3 } ]`))
	for _, row := range []struct {
		env    avalara.Environment
		path   string
		units  int
		priced bool
	}{
		{avalara.Sandbox, "/hscode/classify", 3, true},
		{avalara.Production, "/hscode/classify", 0, true},
		{avalara.Sandbox, "/hscode/classify_from_hs6", 1, true},
		{avalara.Sandbox, "/nobody/knows", 0, false},
	} {
		units, priced := cost(row.env, avalara.Current, http.MethodPost, row.path, map[string]any{"items": []any{map[string]any{}}})
		assert.Equal(t, row.priced, priced, row.path)
		if row.priced {
			assert.Equal(t, row.units, units, "%s %s", row.env, row.path)
		}
	}
	_, priced := cost(avalara.Sandbox, avalara.Current, http.MethodPost, "/hscode/classify", func() {})
	assert.False(t, priced, "nobody can write that body")
}

// A plan says beforehand that a run is refused because its project wants a seal around the
// commands that it starts. A file that buys nothing starts none that needs one.
func TestPlanSaysThatASealIsNeeded(t *testing.T) {
	t.Parallel()
	starts := "steps: [ { exec: { command: [npm, test] } } ]\n"
	for _, row := range []struct {
		project, file string
		refused       bool
	}{
		{"policy: { sealed: required }\n", starts, true}, {"", starts, false},
		{"policy: { sealed: required }\n", countries, false}, {"policy: { sealed: required }\n", "mode: replay\n" + starts, false},
	} {
		made := prices(t, plan.Config{Project: projectOf(t, row.project), Mode: guard.Record}, row.file)
		var out strings.Builder
		made.Print(&out)
		text := "in no seal it is refused, for it starts commands: mode record, but policy.sealed in "
		assert.Equal(t, row.refused, strings.Contains(out.String(), text), out.String())
		help := ": hsharness exec --sealed --mode record --max-spend N -- hsharness run --allow-exec\n"
		assert.Equal(t, row.refused, strings.HasSuffix(out.String(), help), out.String())
	}
}
