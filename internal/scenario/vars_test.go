package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

const varsFile = `version: 1
name: x
vars:
  plain: [1, true, null, "$5"]
  set: "a ${SET} b"
  list: [{ x: "${SET:-no}" }, "${UNSET:-yes}", "${EMPTY:-full}", "${EMPTY}"]
  literal: "$${SET} $HOME"
steps: [{ request: GET /x }]
`

func TestResolveVars(t *testing.T) {
	env := map[string]string{"SET": "s3cret", "EMPTY": ""}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	s := parse(t, varsFile)
	for range 2 { // the file is not changed by it
		got, secrets, err := s.ResolveVars(lookup)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{
			"plain":   []any{1, true, nil, "$5"},
			"set":     "a s3cret b",
			"list":    []any{map[string]any{"x": "s3cret"}, "yes", "full", ""},
			"literal": "${SET} $HOME",
		}, got)
		assert.Equal(t, []string{"s3cret"}, secrets, "once, however often it is named")
	}
}

func TestResolveVarsPointsAtWhatIsMissing(t *testing.T) {
	_, _, err := parse(t, varsFile).ResolveVars(noEnv)
	var errs scenario.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 2)
	assert.Equal(t, "x.yaml:5:3: vars.set: the environment has no SET; set it, or write ${SET:-default}\n  5 |   set: \"a ${SET} b\"\n    |   ^", errs[0].Error())
	assert.Contains(t, errs[1].Error(), "x.yaml:6:3: vars.list: the environment has no EMPTY")
}
