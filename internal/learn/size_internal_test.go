package learn

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/recording"
)

// One value, and one level, more than may be are too many. To learn from so many takes
// minutes, so here nothing is.
func TestOneMoreIsTooMuch(t *testing.T) {
	t.Parallel()
	list := func(values int) string { return "[" + strings.Repeat("0,", values-1) + "0]" }
	levels := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	// One name above so many values: the place of each has it.
	below := func(name, values int) string { return `{"` + strings.Repeat("n", name) + `":` + list(values) + "}" }
	for body, want := range map[string]string{
		list(mostValues):                                  "",
		list(mostValues + 1):                              "has more than 10000 values",
		`{"a":` + list(mostValues-1) + `,"b":1}`:          "has more than 10000 values",
		levels(mostLevels):                                "",
		levels(mostLevels + 1):                            "has 101 levels",
		`{"a":` + levels(mostLevels) + "}":                "has 101 levels",
		"a cup" + strings.Repeat(", white", mostValues):   "",
		below(mostPlaces/1000-len("/")-len("/*"), 1000-1): "",
		below(mostPlaces/1000, 1000):                      "have more than 8 MB",
	} {
		for what, take := range map[string]recording.Take{
			"its request ": {Request: recording.Message{Body: []byte(body)}},
			"its answer ":  {Response: recording.Message{Body: []byte(body)}},
		} {
			if got := tooMuch(&take); want == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, what+want)
			}
		}
	}
}

// Members stand where the first that has them has them.
func TestMembersAreMergedInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ names, more, want string }{
		{"", "a b", "a b"},
		{"a b", "a b", "a b"},
		{"a b", "a x y b z", "a x y b z"},
		{"a b", "z b a q", "z a q b"},
		{"a b", "x x", "x a b"},
	} {
		assert.Equal(t, strings.Fields(row.want), merged(strings.Fields(row.names), strings.Fields(row.more)), row)
	}
}
