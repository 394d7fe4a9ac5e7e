//go:build !windows

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
)

// TestRefusedTokenIsInThePlan: what a run spends after the sandbox refused its real
// token is within the worst case that plan said, and within --max-spend.
func TestRefusedTokenIsInThePlan(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	const question = "version: 1\nname: shirt\nquota: { expected: 1 }\nsteps: [ { request: POST /hscode/classify, body: { description: shirt, countryOfDestination: US }, expect: { spend: 1 } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "shirt.yaml"), []byte(question), 0o644))
	refuse := true
	s.on(func(w http.ResponseWriter, _ int64) bool {
		if refuse {
			w.WriteHeader(http.StatusUnauthorized)
		}
		refuse = !refuse
		return !refuse
	})
	var p plan.Plan
	require.NoError(t, json.Unmarshal([]byte(s.exits(0, "plan", "--mode", "live", "shirt.yaml", "--format", "json")), &p))
	assert.Equal(t, [3]int{1, 2, 2}, [3]int{p.Sure, p.Worst, p.Scenarios[0].Worst})

	out := s.exits(0, "run", "--mode", "live", "--max-spend", "2", "shirt.yaml")
	assert.Contains(t, out, "spent 2 · ")
	assert.EqualValues(t, 2, s.asked.Load())
	assert.EqualValues(t, p.Worst, s.status().Spent)

	s.exits(4, "run", "--mode", "live", "--max-spend", "1", "shirt.yaml")
	assert.EqualValues(t, 3, s.asked.Load(), "the limit holds all the same")
	assert.EqualValues(t, 3, s.status().Spent)
	s.verify()
}
