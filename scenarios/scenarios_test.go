package scenarios_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/scenarios"
)

// shipped parses every file.
func shipped(t *testing.T) []*scenario.Scenario {
	t.Helper()
	names, err := fs.Glob(scenarios.FS, "*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 28, "the story needs its scenarios")
	var all []*scenario.Scenario
	for _, name := range names {
		data, err := fs.ReadFile(scenarios.FS, name)
		require.NoError(t, err)
		s, err := scenario.Parse(name, data)
		require.NoError(t, err)
		all = append(all, s)
	}
	return all
}

// The chapters that the README names, each a tag.
var stories = []string{"tokens", "scopes", "expiry", "errors", "classification", "managed", "limits", "faults", "retries"}

// cost prices as the guard does.
func cost(env avalara.Environment, _ avalara.API, method, path string, body any) (int, bool) {
	data, err := json.Marshal(body)
	if err != nil || env != avalara.Sandbox {
		return 0, err == nil
	}
	path, _, _ = strings.Cut(path, "?")
	price, err := guard.BuiltinOperations().Price(method, path, data)
	return price.Units, err == nil
}

func TestEachTellsSomethingOfItsOwn(t *testing.T) {
	told := map[string]string{}
	chapters := map[string]int{}
	for _, s := range shipped(t) {
		assert.Empty(t, scenario.Lint(s, cost), s.File)
		assert.NotEmpty(t, s.Why, "%s: a shipped scenario says why it exists", s.File)
		assert.NotNil(t, s.Quota.Expected, "%s: a shipped scenario says its price", s.File)
		assert.NotNil(t, s.Quota.Max, "%s: a shipped scenario says what it may cost at most", s.File)
		for _, text := range []string{s.Name, s.Why} {
			assert.Empty(t, told[text], "%s says the same", s.File)
			told[text] = s.File
		}
		chapter := ""
		for _, tag := range s.Tags {
			if slices.Contains(stories, tag) {
				assert.Empty(t, chapter, "%s is in two chapters", s.File)
				chapter = tag
			}
		}
		chapters[chapter]++
	}
	for _, story := range stories {
		assert.GreaterOrEqual(t, chapters[story], 3, story)
	}
	assert.Len(t, chapters, len(stories), "every scenario is in a chapter")
}

// TestShippedScenarios runs every file offline, on both ways into the guard: as
// `hsharness run` does, and through the transport of a Go client in the guard's
// process.
func TestShippedScenarios(t *testing.T) {
	keys := services.NewKeys(guard.Offline)
	ways := map[string]func(scenario.Needs) (services.Service, error){
		"handler": func(needs scenario.Needs) (services.Service, error) {
			return services.New(services.Config{Keys: keys, Cap: needs.Cap})
		},
		"transport": func(needs scenario.Needs) (services.Service, error) {
			s, err := services.New(services.Config{Keys: keys})
			if err != nil {
				return nil, err
			}
			return newInProcess(s, needs.Cap)
		},
	}
	for _, s := range shipped(t) {
		for way, newServices := range ways {
			t.Run(s.File+"/"+way, func(t *testing.T) {
				t.Parallel()
				runner := scenario.Runner{Jobs: 2, NewServices: newServices}
				passed(t, runner.Run(t.Context(), []*scenario.Scenario{s}))
			})
		}
	}
}

// TestShippedScenariosInGoTests runs them as a Go test that was given the files.
func TestShippedScenariosInGoTests(t *testing.T) {
	harness.Scenario(t, harness.Options{}, "*.yaml")
}

// passed fails the test with the report that a person would see.
func passed(t *testing.T, result report.Run) {
	t.Helper()
	if result.Bill.Reason != "" {
		var text bytes.Buffer
		require.NoError(t, report.Text(&text, result, report.Style{}))
		t.Error(text.String())
	}
}
