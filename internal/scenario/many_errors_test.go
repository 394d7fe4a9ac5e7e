package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// Each error is shown with its line: those of a file that is all wrong, and one line, were
// gigabytes of it.
func TestManyErrorsAreToldInPart(t *testing.T) {
	t.Parallel()
	_, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps: ["+strings.Repeat("{ x: 1 },\n  ", 20_000)+"]\n"))
	var errs scenario.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 501)
	assert.Regexp(t, `^x\.yaml:\d+:\d+: \d{4,5} more errors in this file are not told$`, errs[500].Error())
	assert.Equal(t, errs[499].Pos, errs[500].Pos)
	assert.Less(t, len(err.Error()), 1<<20)

	vars := ""
	for i := range 1500 {
		vars += fmt.Sprintf("a%d: 1, ", i)
	}
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nwhy: x\nquota: { expected: 7 }\nvars: { "+vars+"}\nsteps: [ { request: POST /hscode/classify } ]\n"))
	require.NoError(t, err)
	found := scenario.Lint(s, cost)
	require.Len(t, found, 502)
	assert.Equal(t, "1000 more warnings of this file are not told", found[501].Msg)
	assert.Equal(t, scenario.LevelWarning, found[501].Level)
	assert.Equal(t, scenario.LevelError, found[0].Level, "an error is told, however many warnings there are")
}
