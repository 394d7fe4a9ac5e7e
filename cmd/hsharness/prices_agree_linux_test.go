package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a plan says is what the sandbox counts and what the bill says, for tables, axes and
// batches of any shape: of all that is bought, of what a plan of fewer units buys, and of
// what is left then. Rows that ask the same are paid once.
func TestPlanAndBillAgree(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s := newSandbox(t, 5000)
	for round := range 6 {
		s.write("scenarios/t.csv", drawnTable(random, round))
		s.write("scenarios/a.yaml", drawnFile(random))
		sure := plannedSure(t, s)
		require.Positive(t, sure)

		units := 1 + random.IntN(sure)
		out, err := s.output(nil, "plan", "--units", fmt.Sprint(units), "--out", "plan.json")
		require.NoError(t, err, out)
		var part struct{ Price int }
		text, err := os.ReadFile(filepath.Join(s.dir, "plan.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &part))
		require.LessOrEqual(t, part.Price, units)
		assert.Equal(t, part.Price, bought(t, s, "--plan", "plan.json"), "what the plan of %d units buys", units)
		rest := plannedSure(t, s)
		assert.Equal(t, sure, part.Price+rest, "nothing is bought twice, and nothing lost")
		assert.Equal(t, rest, bought(t, s))
		assert.Zero(t, plannedSure(t, s))
		t.Logf("round %d: %d units at once, %d of %d by a plan", round, sure, part.Price, units)
	}
	s.verify()
}

// drawnTable has rows of which some say the same.
func drawnTable(random *rand.Rand, round int) string {
	table := "title,hs6\n"
	for range 1 + random.IntN(12) {
		table += fmt.Sprintf("cotton shirt %d %d,%s\n", round, random.IntN(8), []string{"610910", "610990", "620520"}[random.IntN(3)])
	}
	return table
}

// drawnFile asks a question, a batch or both for each row and country.
func drawnFile(random *rand.Rand) string {
	countries := []string{"US", "CA", "MX"}[:1+random.IntN(3)]
	file := "version: 1\nname: drawn\nmatrix: { from: t.csv, country: [" + strings.Join(countries, ", ") + "] }\nsteps:\n"
	kind := random.IntN(3)
	if kind != 0 {
		file += "  - request: POST /hscode/classify\n    body: { description: \"{{ row.title }}\", countryOfDestination: \"{{ matrix.country }}\" }\n"
	}
	if kind != 1 {
		item := "{ hs6: \"{{ row.hs6 }}\", countryOfDestination: \"{{ matrix.country }}\" }"
		items := strings.TrimSuffix(strings.Repeat(item+", ", 1+random.IntN(4)), ", ")
		file += "  - request: POST /hscode/classify_from_hs6\n    body: { note: \"{{ row.title }}\", items: [ " + items + " ] }\n"
	}
	return file
}

// plannedSure is the price that plan says.
func plannedSure(t *testing.T, s *sandbox) int {
	t.Helper()
	out, err := s.command("plan", "--format", "json").Output()
	require.NoError(t, err, "%s", out)
	var made struct{ Sure int }
	require.NoError(t, json.Unmarshal(out, &made))
	return made.Sure
}

// bought is what a run costs by the sandbox's own count, which is that of its bill.
func bought(t *testing.T, s *sandbox, args ...string) int {
	t.Helper()
	before := s.served()
	out, err := s.command(append([]string{"run", "--mode", "record", "--max-spend", "999", "--format", "json"}, args...)...).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var bill struct{ Spent, Exit int }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &bill), "%s", out)
	require.NoError(t, err, "%s", out)
	served := int(s.served() - before)
	assert.Equal(t, served, bill.Spent, "the bill")
	return served
}
