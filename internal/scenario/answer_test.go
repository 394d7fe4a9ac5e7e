package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/scenario"
)

// Of an answer a step is given what it looks at: all that it can look at must be there.
func TestAStepSeesWhatItLooksAt(t *testing.T) {
	t.Parallel()
	for name, looks := range map[string]string{
		"a header":                        `expect: { headers: { Content-Type: /json/ } }`,
		"JSON":                            `expect: { json: { hsCode: /^6109/ } }`,
		"an assertion on a header":        `expect: { assert: [ 'res.headers["content-type"] contains "json"' ] }`,
		"an assertion on JSON":            `expect: { assert: [ 'res.json.hsCode startsWith "6109"' ] }`,
		"an assertion on the body":        `expect: { assert: [ 'res.body contains "6109"' ] }`,
		"an assertion on status and time": `expect: { assert: [ 'res.status == 200 and res.elapsed_ms >= 0' ] }`,
		"a captured header":               `capture: { a: 'res.headers["content-type"]' }`,
		"captured JSON":                   `capture: { a: res.json.hsCode }`,
		"the captured body":               `capture: { a: res.body }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, scenario.Runner{}, "steps:"+classify+"    "+looks+"\n")
			assert.Empty(t, got.Failures())
			assert.Equal(t, 1, got.Calls)
		})
	}
}
