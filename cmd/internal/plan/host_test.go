package plan_test

import (
	"bytes"
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
