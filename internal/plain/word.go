package plain

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/hsharness/hsharness/internal/pattern"
)

// bare are words that a shell takes as they are, and bareWindows those that all of
// PowerShell, cmd and Git's bash do: of a -word with a dot or a colon PowerShell makes two.
var (
	bare        = pattern.New(`^[A-Za-z0-9_./:@%+,=-]+$`)
	bareWindows = pattern.New(`^(-[A-Za-z0-9_/+=-]*|(--|[A-Za-z0-9_./:+=])[A-Za-z0-9_./:+=-]*)$`)
)

// doubleQuotes and singleQuotes are what PowerShell takes for such a mark, and ends a
// text at.
const doubleQuotes = "\"\u201c\u201d\u201e"

var singleQuotes = pattern.New("['\u2018\u2019\u201a\u201b]")

// Word is text as one word of a command that is to be typed: a POSIX shell reads it as
// it is, and on Windows PowerShell does, mostly cmd and Git's bash, too. What Line would
// spell is written in octal, which POSIX shells know as $'…'.
func Word(text string) string {
	if Line(text) != text || strings.ContainsFunc(text, unicode.IsControl) {
		return octal(text)
	}
	if os.PathSeparator == '\\' {
		return onWindows(text)
	}
	if bare.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// onWindows quotes as all shells there read it, but for what only PowerShell can: cmd
// knows no single quotes, and PowerShell replaces some of what is between double ones.
// Of what is between those cmd replaces %NAME%, and bash !NAME and two backslashes.
func onWindows(text string) string {
	switch {
	case bareWindows.MatchString(text):
		return text
	case strings.ContainsAny(text, "$`"+doubleQuotes):
		return "'" + singleQuotes.ReplaceAllString(text, "$0$0") + "'"
	}
	body := strings.TrimRight(text, `\`)
	return `"` + body + strings.Repeat(`\`, 2*(len(text)-len(body))) + `"` // an odd one would keep the quote
}

// octal spells a word that has what can't be seen, byte by byte, and what would command a
// CI system anywhere in a line.
func octal(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c >= 0x7f || c == '\'' || c == '\\' || c == '#' {
			fmt.Fprintf(&b, `\%03o`, c)
			continue
		}
		b.WriteByte(c)
	}
	return "$'" + b.String() + "'"
}
