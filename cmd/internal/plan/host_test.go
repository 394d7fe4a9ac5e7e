package plan_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
)

// TestUnknownHost: the sandbox's legacy host is unknown, so a run that has to buy from it
// begins only where the project says where it is, and the refusal names the setting.
func TestUnknownHost(t *testing.T) {
	t.Parallel()
	const legacy = `steps:
  - request: POST /hscode/classify
    body: { description: shirt, countryOfDestination: US }
  - api: legacy
    request: POST /hscode/classify
    body: { description: shirt, countryOfDestination: US }
`
	const wrong = "one.yaml:7:5: the sandbox host of the legacy API is unknown; set environments.sandbox.legacy_api_url in hsharness.yaml"
	said := func(lines string) string {
		var out bytes.Buffer
		made := prices(t, plan.Config{Project: projectOf(t, lines)}, legacy)
		made.Print(&out)
		return out.String()
	}
	begin := func(mode guard.Mode, lines string, record bool) error {
		pr := projectOf(t, lines)
		if record {
			store, err := pr.OpenRecordings()
			require.NoError(t, err)
			k := store.Key(recording.Request{
				Environment: string(avalara.Sandbox), API: string(avalara.Legacy), Operation: "x", Method: http.MethodPost, Path: "/hscode/classify",
				Body: []byte(`{"description":"shirt","countryOfDestination":"US"}`),
			})
			require.NoError(t, store.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}))
		}
		gate := plan.Gate{Config: plan.Config{Project: pr, LookupEnv: func(string) (string, bool) { return "", false }}, Chosen: []*scenario.Scenario{parse(t, legacy)}}
		most, err := gate.Before(t.Context(), mode, 9, nil)
		if err == nil {
			assert.EqualValues(t, 9, most)
		}
		return err
	}
	for _, mode := range []guard.Mode{guard.Record, guard.Live} {
		assert.ErrorContains(t, begin(mode, "", false), wrong)
	}
	assert.NoError(t, begin(guard.Record, "", true), "what is recorded needs no host")
	assert.ErrorContains(t, begin(guard.Live, "", true), wrong)
	assert.Contains(t, said(""), "a run that buys this is refused: "+wrong)
	assert.NotContains(t, said(""), "\nnothing can be bought yet")
}

// A run that follows a plan is refused for what the plan buys, and for nothing else.
func TestUnknownHostOfAPlan(t *testing.T) {
	t.Parallel()
	const ask = "    request: POST /hscode/classify\n    body: { description: shirt, countryOfDestination: "
	chosen := []*scenario.Scenario{
		parse(t, "steps:\n  - api: current\n"+ask+"US }\n"),
		parse(t, "steps:\n  - api: legacy\n"+ask+"US }\n  - api: legacy\n"+ask+"CA }\n"),
	}
	chosen[1].File = "two.yaml"
	cfg := plan.Config{Project: projectOf(t, ""), Mode: guard.Record, LookupEnv: func(string) (string, bool) { return "", false }}
	made, err := plan.Price(cfg, chosen)
	require.NoError(t, err)
	axes, err := plan.ParseAxes("")
	require.NoError(t, err)
	known := cfg
	known.Project = projectOf(t, "")
	known.Project.Environments.Sandbox.LegacyAPIURL = "http://127.0.0.1:1"
	there, err := plan.Price(known, chosen)
	require.NoError(t, err)
	assert.Empty(t, there.Refused)
	follow := func(units int) error {
		bought, err := plan.Spend(known, there, chosen, units, axes)
		require.NoError(t, err)
		require.Equal(t, units, bought.Price)
		gate := plan.Gate{Config: cfg, Chosen: chosen, Plan: &plan.Followed{Purchase: *bought}}
		_, err = gate.Before(t.Context(), guard.Record, 9, nil)
		return err
	}
	assert.NoError(t, follow(1), "the legacy ones are left out")
	const wrong = "two.yaml:5:5: the sandbox host of the legacy API is unknown; set environments.sandbox.legacy_api_url in hsharness.yaml"
	assert.ErrorContains(t, follow(3), wrong)
	// The plan says so itself: as JSON, and for a number of units.
	data, err := json.Marshal(made)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"refused":"`+wrong+`"`)
	_, err = plan.Spend(cfg, made, chosen, 3, axes)
	require.ErrorContains(t, err, wrong)
	_, err = plan.Spend(cfg, made, chosen, 1, axes)
	assert.NoError(t, err)
}
