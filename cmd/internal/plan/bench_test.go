package plan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/scenario"
)

// BenchmarkSpend chooses 400 of 10,000 cases, whose headings the mock guesses: the guess
// is most of it.
func BenchmarkSpend(b *testing.B) {
	kinds := []string{"cotton t-shirt", "steel spoon", "laptop computer", "wool scarf", "leather shoes", "green tea", "ceramic mug", "led lamp"}
	text := "version: 1\nname: many\nmatrix:\n  title: ["
	for i := range 10_000 {
		text += fmt.Sprintf("%s number %d,", kinds[i%len(kinds)], i)
	}
	text += "]\nsteps: [ { request: POST /hscode/classify, body: { description: \"{{ matrix.title }}\", countryOfDestination: US } } ]\n"
	s, err := scenario.Parse("many.yaml", []byte(text))
	require.NoError(b, err)
	chosen := []*scenario.Scenario{s}
	cfg := plan.Config{Project: projectOf(b, ""), Mode: guard.Record, LookupEnv: func(string) (string, bool) { return "", false }}
	axes, err := plan.ParseAxes("")
	require.NoError(b, err)
	for b.Loop() {
		made, err := plan.Price(cfg, chosen)
		require.NoError(b, err)
		p, err := plan.Spend(cfg, made, chosen, 400, axes)
		require.NoError(b, err)
		b.ReportMetric(float64(p.Price), "units")
	}
}
