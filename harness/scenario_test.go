package harness_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
)

func TestScenario(t *testing.T) {
	harness.Scenario(t, harness.Options{}, "testdata/scenarios/shirt.yaml")
}

// parent is a TB with subtests that notes what they were.
type parent struct {
	fatalRecorder
	subtests []*parent
}

func (p *parent) Run(name string, f func(*parent)) bool {
	sub := &parent{fatalRecorder: fatalRecorder{recorder{TB: p.TB, name: name}}}
	p.subtests = append(p.subtests, sub)
	func() {
		defer func() { _ = recover() }() // of a Fatalf
		f(sub)
	}()
	sub.end()
	return len(sub.errors) == 0 && sub.fatal == ""
}

func TestScenarioFailsWithThePlace(t *testing.T) {
	rec := &parent{fatalRecorder: fatalRecorder{recorder{TB: t}}}
	harness.Scenario(rec, harness.Options{}, "testdata/scenarios/[uw]*.yaml")
	require.Len(t, rec.subtests, 2)
	assert.Equal(t, "unreadable", rec.subtests[0].name)
	assert.Contains(t, rec.subtests[0].fatal, `testdata/scenarios/unreadable.yaml:4:1: `)

	wrong := rec.subtests[1]
	assert.Equal(t, "wrong_code", wrong.name)
	require.Len(t, wrong.errors, 1)
	assert.Contains(t, wrong.errors[0], "testdata/scenarios/wrong_code.yaml:7:31 (step classify): ")
	assert.Contains(t, wrong.errors[0], "/^8471/")
	assert.Contains(t, wrong.errors[0], "6109100012")
}

func TestScenarioPatternThatMatchesNothingFails(t *testing.T) {
	rec := &parent{fatalRecorder: fatalRecorder{recorder{TB: t}}}
	assert.Panics(t, func() { harness.Scenario(rec, harness.Options{}, "testdata/none/*.yaml") })
	assert.Contains(t, rec.fatal, `scenarios "testdata/none/*.yaml": no file matches it`)
	assert.Empty(t, rec.subtests)
}

func TestScenarioInReplayMissesWhatWasNotRecorded(t *testing.T) {
	t.Setenv("HSHARNESS_MODE", "replay")
	rec := &parent{fatalRecorder: fatalRecorder{recorder{TB: t}}}
	harness.Scenario(rec, harness.Options{Recordings: "testdata/recordings"}, "testdata/scenarios/shirt.yaml")
	require.Len(t, rec.subtests, 1)
	require.NotEmpty(t, rec.subtests[0].errors, "only the answer for US is recorded")
	assert.Contains(t, rec.subtests[0].errors[0], "country=CA")
	assert.Contains(t, rec.subtests[0].errors[len(rec.subtests[0].errors)-1],
		": hsharness exec --mode record --max-spend 1 -- go test -run '^shirt$' github.com/hsharness/hsharness/harness")
}

func TestScenarioInsideExecIsAClient(t *testing.T) {
	outer := inside(t)
	t.Run("scenarios", func(t *testing.T) {
		harness.Scenario(t, harness.Options{}, "testdata/scenarios/shirt.yaml")
	})
	tally, err := outer.Tally()
	require.NoError(t, err)
	assert.Equal(t, 2, tally.Mocked)
}
