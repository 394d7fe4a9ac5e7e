package scenarios_test

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/report"
	"github.com/hsharness/hsharness/harness/scenario"
	"github.com/hsharness/hsharness/harness/stand"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/scenarios"
)

// TestShippedScenarios runs every file as `hsharness run` does.
func TestShippedScenarios(t *testing.T) {
	names, err := fs.Glob(scenarios.FS, "*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 10, "the story needs its scenarios")

	keys := map[avalara.Environment]*mockidp.Keys{
		avalara.Sandbox: mockidp.NewKeys(nil), avalara.Production: mockidp.NewKeys(nil),
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := fs.ReadFile(scenarios.FS, name)
			require.NoError(t, err)
			s, err := scenario.Parse(name, data)
			require.NoError(t, err)
			assert.NotEmpty(t, s.Why, "a shipped scenario says why it exists")
			assert.NotNil(t, s.Quota.Expected, "a shipped scenario says its price")
			runner := scenario.Runner{Jobs: 2, NewStand: func(needs scenario.Needs) (stand.Service, error) {
				return stand.New(stand.Config{Keys: keys, Cap: needs.Cap})
			}}
			result := runner.Run(t.Context(), []*scenario.Scenario{s})
			if result.Bill.Exit != 0 {
				var text bytes.Buffer
				require.NoError(t, report.Text(&text, result, report.Style{}))
				t.Error(text.String())
			}
		})
	}
}
