package strict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func numbers() Table {
	return Table{Version: 1, Settings: []Setting{{Path: "n", Kind: Integer, Max: 9}, {Path: "t", Kind: Text}, {Path: "l", Kind: List}, {Path: "l[].n", Kind: Integer, Max: 9}}}
}

// TestFileThatIsTooLarge: no file of settings takes minutes, memory without end or
// the whole screen.
func TestFileThatIsTooLarge(t *testing.T) {
	t.Parallel()
	times := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, tt := range map[string]struct{ text, at, says string }{
		"bytes":    {strings.Repeat("# c\n", 1<<18) + "t: a\n", ":1:1: ", "the file has 1048592 bytes"},
		"line":     {"t: " + strings.Repeat("ledger: x", 3000), ":2:16384: ", "the line has 27003 bytes"},
		"digits":   {"n: " + strings.Repeat("9", 10_000), ":2:4: ", `n is "9999`},
		"brackets": {"t: " + strings.Repeat("[", 5000), ":2:104: ", "nested more than 100 levels"},
		"braces":   {"t: " + strings.Repeat("{a: ", 3000), ":2:404: ", "nested more than 100 levels"},
		"dashes":   {"l:\n" + strings.Repeat("- ", 3000), ":3:", "nested more than 100 levels"},
		"indents": {func() string {
			s := ""
			for i := range 150 {
				s += strings.Repeat(" ", i) + "a:\n"
			}
			return s
		}(), ":102:101: ", "nested more than 100 levels"},
		"members":          {times(3000, "k%d: 1\n"), ":2001:1: ", "more than 2000 lines"},
		"flow":             {"t: {\n" + times(3000, "  k%d: 1,\n") + "}\n", ":2003:3: ", "more than 2000 lines"},
		"empty values":     {"l:\n" + strings.Repeat("- n:\n", 3000), ":2004:1: ", "more than 2000 values are left empty"},
		"a key above many": {strings.Repeat("k", 16_000) + ":\n" + strings.Repeat("- 1\n", 50_000), ":", "the keys above each value have more than 64 MB together"},
		"a long key":       {strings.Repeat("k", 10_000) + ": 1", ":2:1: ", "unknown setting"},
	} {
		start := time.Now()
		f, err := numbers().Read("f.yaml", []byte("version: 1\n"+tt.text))
		if err == nil {
			err = f.Err()
		}
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), "f.yaml"+tt.at, name)
		assert.Contains(t, err.Error(), tt.says, name)
		assert.Less(t, len(err.Error()), 3000, name)
		assert.Less(t, time.Since(start), 10*time.Second, name)
	}
}

// TestManyProblemsAreToldInPart: the first of them, and how many there are.
func TestManyProblemsAreToldInPart(t *testing.T) {
	t.Parallel()
	f, err := numbers().Read("f.yaml", []byte("version: 1\nl:\n"+strings.Repeat("  - { n: 0.5 }\n", 5000)))
	require.NoError(t, err, "a list may be long")
	told := f.Err().Error()
	assert.Contains(t, told, "f.yaml:3:10: ")
	assert.Contains(t, told, "f.yaml:22:10: ")
	assert.NotContains(t, told, "f.yaml:24:10: ")
	assert.Contains(t, told, "f.yaml: and 4980 more")
	assert.Len(t, f.Problems(), 5000)
}

func TestEmptyFileHasAPlace(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# c\n", "---", "---\n# c\n---\nversion: 1\n"} {
		f, err := numbers().Read("f.yaml", []byte(text))
		require.NoError(t, err, text)
		assert.ErrorContains(t, f.Err(), "f.yaml:1:1: the file is empty", text)
	}
}

func TestLongLineIsShownAroundItsCaret(t *testing.T) {
	t.Parallel()
	f, err := numbers().Read("f.yaml", []byte("version: 1\nl: ["+strings.Repeat("{ n: 1 }, ", 500)+"{ n: 0.5 }]\n"))
	require.NoError(t, err)
	lines := strings.Split(f.Err().Error(), "\n")
	require.Len(t, lines, 4)
	assert.Equal(t, "0.5", lines[2][len(lines[3])-1:][:3], lines)
	assert.Less(t, len(lines[2]), 250)
}
