package plain

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "",
		"größe 1, 日本, 👩\u200d👩":    "größe 1, 日本, 👩\u200d👩",
		`C:\new\table`:             `C:\new\table`,
		"a\nb\r\tc":                `a\nb\r\tc`,
		"\x1b[2J\x7f\x00":          `\x1b[2J\x7f\x00`,
		"\u0085\u009b31m":          `\u0085\u009b31m`,
		"\u202egnp.exe\u2066":      `\u202egnp.exe\u2066`,
		"\u200b\ufeff\u2028\u2029": `\u200b\ufeff\u2028\u2029`,
		"a\u200db":                 `a\u200db`,
		"\xff\xc3":                 `\xff\xc3`,
		"\U000e0041":               `\U000e0041`,
		"::error::x":               `\x3a:error::x`,
		"\u00a0 ::error::x":        "\u00a0 \\x3a:error::x",
		"a::b":                     "a::b",
		"a\n::error::x":            `a\n::error::x`,
		"see ##[error]x":           `see #\x23[error]x`,
		"###[error]":               `##\x23[error]`,
		"##vso[task.x]":            `#\x23vso[task.x]`,
		"## title":                 "## title",
	} {
		assert.Equal(t, want, Line(text), "%q", text)
		assert.Equal(t, want, Line(want), "it stays so: %q", text)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\n\tb\n":                 "a\n\tb\n",
		"a\r\n\x1b":                "a\\r\n\\x1b",
		"a\n::error::x":            "a\n\\x3a:error::x",
		"a\n \u3000::set-env::x\n": "a\n \u3000\\x3a:set-env::x\n",
		"\n\n::x":                  "\n\n\\x3a:x",
	} {
		assert.Equal(t, want, Lines(text), "%q", text)
	}
	var b bytes.Buffer
	n, err := Writer(&b).Write([]byte("a\x1b\n::x"))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	assert.Equal(t, "a\\x1b\n\\x3a:x", b.String())
}

func FuzzLine(f *testing.F) {
	for _, text := range []string{"::error\n\x1b", "  ::error::x", "##[error]x", "a\r::set-output", "\u202e\u2066", "\u0085::x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Line(text)
		assert.NotRegexp(t, `[\x00-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]|^\s*::|##\w*\[`, got)
		assert.Equal(t, got, Line(got))
	})
}

func TestShort(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("ä", Longest/2)
	for text, want := range map[string]string{
		"":                           "",
		"a\nb":                       `a\nb`,
		whole:                        whole,
		whole + "b":                  whole + "… (4097 bytes)",
		"a" + whole:                  "a" + whole[:Longest-2] + "… (4097 bytes)",
		strings.Repeat("\xbf", 5000): strings.Repeat(`\xbf`, Longest-utf8.UTFMax) + "… (5000 bytes)",
	} {
		assert.Equal(t, want, Short(text))
	}
}
