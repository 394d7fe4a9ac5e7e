package strict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/strict"
)

// What the library would need minutes or gigabytes for is refused where it goes too far, in
// every spelling; a long list, or many small objects, are not.
func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	times := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
		}
		return b.String()
	}
	const keys, empty = "more than 100 keys of one object", "more than 100 values are left empty: write null, or leave their keys out"
	long := strings.Repeat("k", 100_000) + ":\n"
	for name, one := range map[string]struct {
		text         string
		line, column int // of the error; 0 for none
		says         string
	}{
		"keys, as many as may be":   {text: times(100, "k%d: 1\n")},
		"keys":                      {times(101, "k%d: 1\n"), 101, 1, keys},
		"keys below one":            {"a:\n" + times(101, "  k%d: 1\n"), 102, 3, keys},
		"keys with objects":         {times(101, "k%d:\n  a: 1\n"), 201, 1, keys},
		"keys with comments":        {times(101, "# a: b\nk%d: 1 # c\n\n"), 302, 1, keys},
		"keys with lists below":     {times(101, "k%d:\n- a\n"), 201, 1, keys},
		"keys with lists":           {times(101, "k%d: [ a, { b: 1 } ]\n"), 101, 1, keys},
		"keys with texts":           {times(101, "k%d: |\n  a: b\n"), 201, 1, keys},
		"keys in quotes":            {times(101, "'k: %d' : 1\n"), 101, 1, keys},
		"keys behind a question":    {times(101, "? k%d\n"), 101, 1, keys},
		"keys with values apart":    {times(101, "? k%d\n: 1\n"), 201, 1, keys},
		"keys behind tags":          {times(101, "!!str k%d: 1\n"), 101, 6, keys},
		"keys behind anchors":       {times(101, "&a k%d: 1\n"), 101, 4, keys},
		"keys in an item":           {"- k: 1\n" + times(100, "  k%d: 1\n"), 101, 3, keys},
		"keys in brackets":          {"a: [\n" + times(101, "  k%d: 1\n") + "]\n", 102, 3, keys},
		"keys of many objects":      {text: "l:\n" + times(1000, "- a: 1\n  b: 2\n")},
		"keys of many objects deep": {text: times(50, "k%d:\n  a: 1\n  b: { c: 1, d: 2 }\n  e:\n  - f: 1\n    g: 2\n")},
		"texts like keys":           {text: "a: |\n" + times(1000, "  k%d: 1\n") + "b: '" + times(1000, "k%d: 1\n  ") + "'\n"},
		"rows of a long list":       {text: "[\n" + times(1000, "  { a: 1, b: [ 2 ], c: 'd: e' },\n") + "]\n"},
		"long braces":               {text: "{\n" + times(1000, "  k%d: 1,\n") + "}\n"}, // the library reads them one by one

		"values, as many as may be":   {text: "l:\n" + times(100, "- k:\n")},
		"values":                      {"l:\n" + times(102, "- k:\n"), 103, 1, empty},
		"values in lists":             {times(102, "-\n"), 102, 1, empty},
		"values in deep lists":        {times(102, "- -\n"), 102, 1, empty},
		"values before what is above": {times(51, "- a:\n  - \n- b:\n    c:\n"), 0, 0, empty},
		"values in braces":            {"[" + times(102, "{ a: },") + "]", 0, 0, empty},
		"keys alone in braces":        {"{" + times(102, "k%d,") + "}", 0, 0, empty},
		"keys alone, the last one":    {"[" + times(102, "{ a: 1, b },") + "]", 0, 0, empty},
		"empty objects and lists":     {text: "[" + times(1000, "{}, [], { a: 1, }, [ 1, ],") + "]"},
		"lists below keys":            {text: "l:\n" + times(1000, "- k:\n  - 1\n")},
		"values that are written":     {text: "l:\n" + times(1000, "- k: null\n- ~\n- ''\n-\n  a\n- k:\n    a\n")},

		"documents":               {times(101, "---\na\n"), 201, 1, "more than 100 documents in one file"},
		"documents that end":      {times(101, "a\n...\n"), 202, 1, "more than 100 documents in one file"},
		"paths":                   {long + times(10_000, "- 1\n"), 0, 0, "the keys above each value have more than 64 MB together: write shorter ones"},
		"paths in brackets":       {long + "  [" + times(10_000, "1, ") + "]", 0, 0, "the keys above each value have more than 64 MB together: write shorter ones"},
		"paths in braces":         {"{" + strings.Replace(long, "\n", "", 1) + " [" + times(10_000, "1, ") + "]}", 0, 0, "the keys above each value have more than 64 MB together: write shorter ones"},
		"paths of keys":           {times(80, strings.Repeat("k", 100_000)+"%d: { a: [ { b: [ 1, 2, 3, 4, 5 ] } ] }\n"), 0, 0, "the keys above each value have more than 64 MB together: write shorter ones"},
		"a long key":              {text: long + "  a: 1\n"},
		"long keys, side by side": {text: times(20, strings.Repeat("k", 10_000)+"%d: 1\n") + "l: [" + times(10_000, "1, ") + "]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := strict.Parse(one.text, 100)
			if one.says == "" {
				require.NoError(t, err)
				return
			}
			var wrong *yaml.SyntaxError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, one.says, wrong.Message)
			if one.line > 0 {
				assert.Equal(t, [2]int{one.line, one.column}, [2]int{wrong.Token.Position.Line, wrong.Token.Position.Column})
			}
		})
	}
}
