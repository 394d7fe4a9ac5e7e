//go:build unix

package plain_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/plain"
)

// TestWord has a shell read words of all kinds: it takes each as it was, and what is to be
// typed can't command the terminal that shows it.
func TestWord(t *testing.T) {
	t.Parallel()
	special := rapid.StringOf(rapid.SampledFrom([]rune(" \t\n\r\x1b\a'\"\\$`!*?~#&|;<>(){}[]%=-:aé\u202e\u200b😀")))
	word := rapid.OneOf(special, rapid.String(), rapid.Map(rapid.SliceOf(rapid.ByteRange(1, 255)), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(word.Filter(func(w string) bool { return !strings.Contains(w, "\x00") }), 20, 20).Draw(t, "words")
		line := "printf '%s\\0'"
		for _, w := range words {
			typed := plain.Word(w)
			require.Equal(t, typed, plain.Line(typed))
			line += " " + typed
		}
		out, err := exec.CommandContext(t.Context(), "bash", "--norc", "-c", line).Output()
		require.NoError(t, err, line)
		require.Equal(t, strings.Join(words, "\x00")+"\x00", string(out))
	})
	assert.Equal(t, "it", plain.Word("it"))
	assert.Equal(t, "$'::error::it'", plain.Word("::error::it"), "a word that commands a CI system where it begins a line")
	assert.Equal(t, `$'a\043\043[it'`, plain.Word("a##[it"), "or anywhere")
	assert.Equal(t, "''", plain.Word(""))
}
