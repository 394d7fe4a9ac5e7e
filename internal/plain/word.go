package plain

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/hsharness/hsharness/internal/pattern"
)

// bare are words that a shell takes as they are.
var bare = pattern.New(`^[A-Za-z0-9_./:@%+,=-]+$`)

// Word is text as one word of a command that is to be typed: a POSIX shell reads it as
// it is. What Line would spell is written in octal, which shells know as $'…'.
func Word(text string) string {
	if Line(text) != text || strings.ContainsFunc(text, unicode.IsControl) {
		return octal(text)
	}
	if bare.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// octal spells a word that has what can't be seen, byte by byte.
func octal(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c >= 0x7f || c == '\'' || c == '\\' {
			fmt.Fprintf(&b, `\%03o`, c)
			continue
		}
		b.WriteByte(c)
	}
	return "$'" + b.String() + "'"
}
