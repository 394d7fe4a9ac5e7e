package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// TestManyThingsOfAFileTakeTheirShare: what is done for each thing of a file takes no more
// memory, and with it time, where there are many. Each of these was quadratic: 12,000
// assertions in one line took lint 15 s.
func TestManyThingsOfAFileTakeTheirShare(t *testing.T) { //nolint:paralleltest // it counts what the process takes
	const before = "version: 1\nname: x\nwhy: x\n"
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, strings.ReplaceAll(format, "#", "%[1]d"), i)
		}
		return b.String()
	}
	for name, of := range map[string]func(n int) string{
		"assertions in one line": func(n int) string {
			return before + "steps: [ { token: {}, expect: { assert: [ " + many(n, `"res.status == #", `) + " ] } } ]\n"
		},
		"variables that templates take": func(n int) string {
			return before + "vars:\n" + many(n, "  v#: x\n") + "steps:\n  - request: POST /x\n    body:\n" + many(n, "      v#: \"{{ vars.v# }}\"\n")
		},
		"steps with a capture": func(n int) string {
			return before + "steps:\n" + many(n, "  - { token: {}, capture: { c#: res.status }, expect: { assert: [ res.status == 200 ] } }\n")
		},
		"errors in one line": func(n int) string {
			return before + "vars: { " + many(n, `v#: "{{ vars.no }}", `) + "}\nsteps: [ { token: {} } ]\n"
		},
	} {
		took := func(n int) uint64 {
			src := []byte(of(n))
			return made(func() {
				if _, err := scenario.Parse("x.yaml", src); err != nil {
					_ = err.Error()
				}
			})
		}
		few, most := took(120), took(480)
		assert.Less(t, most, 6*few, "%s: four times as many", name)
	}
}

// A scenario with more tags than anybody gives is told where they begin.
func TestTagsHaveALimit(t *testing.T) {
	t.Parallel()
	tags := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  - t%d\n", i)
		}
		return "version: 1\nname: x\ntags:\n" + b.String() + "steps: [ { token: {} } ]\n"
	}
	_, err := scenario.Parse("x.yaml", []byte(tags(100)))
	require.NoError(t, err)
	_, err = scenario.Parse("x.yaml", []byte(tags(101)))
	require.ErrorContains(t, err, "x.yaml:104:5: 101 tags, and a scenario may have 100: leave some out")
}
