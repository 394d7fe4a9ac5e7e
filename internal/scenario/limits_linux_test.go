package scenario_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// greedy are expressions that would take gigabytes, or hours.
var greedy = map[string]string{
	"a text repeated":                   `repeat(repeat("abcde", 1000), 1000000) == ""`,
	"a text doubled":                    `reduce(1..40, #acc + #acc, "abcdefgh") == ""`,
	"texts in a list":                   `map(1..10000, repeat("a", 1000000)) == []`,
	"a replacement":                     `replace(repeat("a", 1000000), "a", repeat("b", 1000000)) == ""`,
	"a glue":                            `join(split(repeat("a", 100000), ""), repeat("b", 1000000)) == ""`,
	"a text cut into letters":           `split(repeat("a", 30000000), "") == []`,
	"a list of what is doubled":         `toJSON(reduce(1..40, [#acc, #acc], 1)) == ""`,
	"an object of what is doubled":      `string(reduce(1..40, ({"a": #acc, "b": #acc}), 1)) == ""`,
	"doubled by let":                    `let a = [1,1,1,1,1,1,1,1,1,1]; let b = [a,a,a,a,a,a,a,a,a,a]; let c = [b,b,b,b,b,b,b,b,b,b]; let d = [c,c,c,c,c,c,c,c,c,c]; let e = [d,d,d,d,d,d,d,d,d,d]; let f = [e,e,e,e,e,e,e,e,e,e]; let g = [f,f,f,f,f,f,f,f,f,f]; toJSON([g,g,g,g,g,g,g,g]) == ""`,
	"two that are doubled, compared":    `reduce(1..40, [#acc, #acc], vars.one) == reduce(1..40, [#acc, #acc], vars.one)`,
	"a list":                            `len(1..1000000000) > 0`,
	"lists in a list":                   `len(map(1..199999, 1..199999)) > 0`,
	"loops in loops":                    `let x = 1..10000; all(x, all(x, all(x, all(x, true))))`,
	"loops in loops over what is there": `all(vars.many, all(vars.many, all(vars.many, all(vars.many, all(vars.many, true)))))`,
	"a list's twins":                    `len(uniq(1..199999)) > 0`,
	"a search in a loop":                `let t = repeat("a", 10000000); all(1..10000, not (t contains "b"))`,
	"a list searched in a loop":         `let t = 1..100000; all(t, not ((0 - #) in t))`,
	"a nested list made flat":           `len(flatten(reduce(1..100000, [#acc], 1))) > 0`,
	"a regular expression in a loop":    `let t = repeat("a", 1000000); all(1..10000, not (t matches "(a{0,100}){0,10}b"))`,
	"one that is made, in a loop":       `let t = repeat("a", 1000); all(1..100000, not (t matches ("(a{0,100}){0,10}b" + string(#))))`,
	"a list summed up in a loop":        `let x = 1..199999; all(x, sum(x) > 0)`,
	"JSON that is read":                 `len(fromJSON("[" + repeat("0,", 10000000) + "0]")) > 0`,
}

// stepping are those of them that make little and take long.
var stepping = []string{"loops in loops", "loops in loops over what is there", "a list's twins", "a list searched in a loop",
	"a regular expression in a loop", "one that is made, in a loop", "a list summed up in a loop"}

// A number of a million digits is compared like a text that is no number: by its value it
// took minutes in a loop of 10,000.
func TestLongNumbersAreNoNumbers(t *testing.T) {
	t.Parallel()
	env := scenario.Env{Vars: map[string]any{"one": 1, "many": []any{}}, Res: answer(nil)}
	ok, err := assertion(t, `let a = fromJSON(repeat("9", 1000000)); all(1..10000, a != #) && a == fromJSON(repeat("9", 1000000))`).Test(env)
	require.NoError(t, err)
	assert.True(t, ok)
	_, err = assertion(t, `fromJSON(repeat("9", 1001)) > 1`).Test(env)
	assert.ErrorContains(t, err, "invalid operation")
	ok, err = assertion(t, `fromJSON(repeat("9", 1000)) > 1`).Test(env)
	require.NoError(t, err)
	assert.True(t, ok)
}

// TestExpressionsHaveLimits evaluates all in a process of their own, of which the
// memory is measured, and bounded, lest a mistake takes the machine's.
func TestExpressionsHaveLimits(t *testing.T) {
	t.Parallel()
	if os.Getenv("TEST_GREEDY") != "" {
		for name, text := range greedy {
			begun := time.Now()
			_, err := assertion(t, text).Test(scenario.Env{Vars: map[string]any{"one": 1, "many": make([]any, 1000)}, Res: answer(nil)})
			if assert.Error(t, err, name) {
				limit := "make"
				if slices.Contains(stepping, name) {
					limit = "take"
				}
				assert.Regexp(t, "the most that one expression may "+limit+"$", err.Error(), name)
			}
			fmt.Printf("%s: %v\n", name, time.Since(begun).Round(time.Millisecond))
		}
		status, err := os.ReadFile("/proc/self/status")
		require.NoError(t, err)
		found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
		require.NotEmpty(t, found)
		most, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		fmt.Printf("%d MB\n", most>>10)
		assert.Less(t, most>>10, 150*detectorsShare, "MB")
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -v 4000000; exec "$0" -test.run='^TestExpressionsHaveLimits$' -test.timeout=3m`, os.Args[0])
	// What is kept counts, not how long garbage waits. The memory is the process' own account:
	// what its parent is told of it has what the parent took before.
	cmd.Env = append(os.Environ(), "TEST_GREEDY=1", "GOMEMLIMIT=100MiB", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	assert.Contains(t, string(out), " MB\n")
}

// assertion is an assertion of a scenario.
func assertion(t *testing.T, text string) *scenario.Expr {
	t.Helper()
	s, err := scenario.Parse("x.yaml", []byte("version: 1\nname: x\nvars: { one: 1, many: [] }\nsteps:\n  - request: GET /x\n    expect:\n      assert:\n        - '"+strings.ReplaceAll(text, "'", "''")+"'\n"))
	require.NoError(t, err)
	return s.Steps[0].Expect.Assert[0]
}
