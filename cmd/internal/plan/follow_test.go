package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
)

// A plan that others wrote may have many files: each is looked at once.
func TestPathsOfManyFiles(t *testing.T) {
	t.Parallel()
	const many = 80_000
	f := &plan.Followed{}
	for i := range many {
		f.Files = append(f.Files, plan.Source{File: "scenarios/" + strconv.Itoa(i%(many/2)) + ".yaml"})
	}
	began := time.Now()
	paths := f.Paths(nil)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Len(t, paths, many/2)
	assert.Equal(t, []string{"scenarios/0.yaml", "scenarios/1.yaml"}, paths[:2])
}

// The command that a plan file has is told as the one to type: it makes a plan, and no
// more, whoever wrote the file.
func TestCommandOfAPlanFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.json")
	for again, want := range map[string]string{
		"hsharness plan --by=country,heading --out=p.json --units=10": "",
		"hsharness plan --tags='smoke && !slow' --units=1":            "",
		`hsharness plan 'it'\''s.yaml' --units=1`:                     "",
		`hsharness plan "C:/my files/a.yaml" --units=1`:               "",
		"rm -rf x":                       "hsharness plan --units 7 --out " + file,
		"hsharness plan; rm -rf x":       "hsharness plan --units 7 --out " + file,
		"hsharness plan $(rm -rf x)":     "hsharness plan --units 7 --out " + file,
		"hsharness plan \"$(rm -rf x)\"": "hsharness plan --units 7 --out " + file,
		"hsharness plan '' `x`":          "hsharness plan --units 7 --out " + file,
		"hsharness plan\n::warning::x":   "hsharness plan --units 7 --out " + file,
		"hsharness plan '\n::warning::'": "hsharness plan --units 7 --out " + file,
		"hsharness plans":                "hsharness plan --units 7 --out " + file,
		"":                               "hsharness plan --units 7 --out " + file,
	} {
		text, err := json.Marshal(plan.Purchase{
			Format: 1, Again: again, Mode: "record", Units: 7, By: []plan.Axis{}, Covers: []plan.Covered{}, Buy: []plan.Bought{},
			Left: []plan.Left{}, Files: []plan.Source{{File: "a.yaml"}},
		})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		got, err := plan.ReadPurchase(file)
		require.NoError(t, err, again)
		if want == "" {
			want = again
		}
		assert.Equal(t, want, got.Again, "%q", again)
	}
}
