package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// An object of many keys is refused before it takes a minute, and where it stands.
func TestObjectsHaveALimit(t *testing.T) {
	t.Parallel()
	keys := func(n int, before, after string) string {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, "%sk%d: 1%s", before, i, after)
		}
		return all.String()
	}
	const head = "version: 1\nname: x\nsteps:\n  - id: a\n    request: POST /hscode/classify\n    body: "
	for name, one := range map[string]struct {
		text string
		line int // of the error; 0 for none
	}{
		"as many as may be":      {head + "\n" + keys(4000, "      ", "\n"), 0},
		"in lines":               {head + "\n" + keys(4001, "      ", "\n"), 6 + 4001},
		"with comments and gaps": {head + "\n" + keys(4001, "\n   # no: key\n      ", "\n"), 6 + 3*4001},
		"in braces":              {head + "{" + keys(4001, " ", ",") + " }\n", 6},
		"in braces, fewer":       {head + "{" + keys(4000, " ", ",") + " }\n", 0},
		"a long list of objects": {head + "\n" + strings.Repeat("      - a: 1\n        b: 2\n", 5000), 0},
		"at the top":             {"version: 1\nname: x\n" + keys(25_000, "", "\n"), 4001},
		"a list below each":      {head + "\n" + keys(4001, "      ", "\n      - a\n"), 6 + 2*4001 - 1},
		"each with a question":   {head + "\n" + strings.Repeat("      ? a\n", 4001), 6 + 4001},
		"each in quotes":         {head + "\n" + strings.Repeat("      'a:' : b\n", 4001), 6 + 4001},
		"rows of a long list":    {head + "[\n" + strings.Repeat("      { a: 1, b: [ 2 ] },\n", 5000) + "      ]\n", 0},
		"texts of a long list":   {head + "[\n" + strings.Repeat("      'a: 1',\n      [ 'b: 2' ],\n", 5000) + "      ]\n", 0},
		"a long text":            {head + "{ description: 'x', a: \"" + strings.Repeat("a: 1\n      ", 5000) + "\" }\n", 0},
		"below each key another": {head + "\n" + strings.Repeat("      a:\n        b: 1\n", 4001), 6 + 2*4001 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := scenario.Parse("x.yaml", []byte(one.text))
			if one.line == 0 {
				require.NoError(t, err)
				return
			}
			var errs scenario.Errors
			require.ErrorAs(t, err, &errs)
			require.Len(t, errs, 1)
			assert.Equal(t, "more than 4000 keys of one object", errs[0].Msg)
			assert.Equal(t, one.line, errs[0].Line)
		})
	}
}
