package scenarios_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// TestRecordedScenarios buys what the files may buy from a sandbox on loopback,
// then runs them from the recordings alone.
func TestRecordedScenarios(t *testing.T) {
	var files []*scenario.Scenario
	for _, s := range shipped(t) {
		if mode := s.Ceiling().Mode; mode == "" || mode == "record" || mode == "live" {
			files = append(files, s)
		}
	}
	require.Greater(t, len(files), len(shipped(t))/2, "most of the story can be recorded")

	store, err := recording.Open(recording.Config{
		Dir: filepath.Join(t.TempDir(), "recordings"), Secrets: []recording.Secret{{Name: "client_secret", Value: licenseKey}},
		Headers: []string{"Content-Type"}, // one file is about it
	})
	require.NoError(t, err)
	sandbox := newSandbox(t)
	purchase, spent := sandbox.purchase(t)
	keys := services.NewKeys(guard.Record)
	runner := scenario.Runner{Jobs: 2, NewServices: func(needs scenario.Needs) (services.Service, error) {
		return services.New(services.Config{Keys: keys, Mode: guard.Record, Cassette: guard.NewCassette(store, 0), Purchase: purchase, Cap: needs.Cap})
	}}
	result := runner.Run(t.Context(), files)
	passed(t, result)
	paid, served := spent(), sandbox.API(avalara.Sandbox).Usage().Served
	assert.Positive(t, served)
	assert.GreaterOrEqual(t, paid, served, "what the sandbox counted was spent")
	most := 0
	for _, s := range files {
		most += s.Quota.Max.Value
	}
	assert.LessOrEqual(t, paid, int64(most))
	require.NoError(t, sandbox.Close())

	cassette := guard.NewCassette(store, 0)
	runner.NewServices = func(needs scenario.Needs) (services.Service, error) {
		return services.New(services.Config{Mode: guard.Replay, Cassette: cassette, Cap: needs.Cap})
	}
	result = runner.Run(t.Context(), files)
	passed(t, result)
	assert.Zero(t, result.Bill.Spent)
	assert.Zero(t, result.Bill.Missed)
	for i, s := range result.Scenarios {
		if s.Spend > 0 {
			assert.Equal(t, report.Replayed, s.Verdict, files[i].File)
		}
	}
}
