// Package plain makes text that others wrote harmless to print: names, notes, what a
// server answered. What it prints can't command a terminal, begin a line of its own,
// turn the direction of the text around it, or be read by a CI system as a command.
//
// It touches nothing.
package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Line is text on one line. Control characters, line breaks, marks of direction and
// bytes that are no UTF-8 are spelled as Go does, such as \n and \x1b; everything
// else stays, also backslashes.
func Line(text string) string { return spell(text, "") }

// Longest is how much of a text of a ledger is shown, in bytes: as much as one may have that
// this program writes. What is longer was put there past it.
const Longest = 4096

// Short is Line, and of what is longer than [Longest] its beginning and its length.
func Short(text string) string {
	if len(text) <= Longest {
		return Line(text)
	}
	end := Longest
	for end > Longest-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes)", Line(text[:end]), len(text))
}

// Lines is text that may have several lines: their breaks and tabs stay.
func Lines(text string) string { return spell(text, "\n\t") }

// Writer is Lines on the way to w. Each Write must be of whole characters.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ to io.Writer }

func (w writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.to, Lines(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Two forms of commands in the log of a CI job. GitHub's runner takes :: where a
// line begins, after any space, and like Azure's and TeamCity's the other one
// anywhere: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
var (
	lineCommand = pattern.New(`(?m)^([^\pL\pN\pP\pS\n]*):(:)`)
	anyCommand  = pattern.New(`##(\w*\[)`)
)

func spell(text, keep string) string {
	if !suspect(text, keep) {
		return text
	}
	var b strings.Builder
	last := rune(0)
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case !hidden(r, last), strings.ContainsRune(keep, r):
			b.WriteString(text[:size])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		last, text = r, text[size:]
	}
	safe := b.String()
	if strings.Contains(safe, "::") {
		safe = lineCommand.ReplaceAllString(safe, `${1}\x3a$2`)
	}
	if strings.Contains(safe, "##") {
		safe = anyCommand.ReplaceAllString(safe, `#\x23$1`)
	}
	return safe
}

// suspect tells whether there is anything to look at closely.
func suspect(text, keep string) bool {
	return !utf8.ValidString(text) || strings.Contains(text, "::") || strings.Contains(text, "##") ||
		strings.ContainsFunc(text, func(r rune) bool { return hidden(r, 0) && !strings.ContainsRune(keep, r) })
}

// hidden tells the characters that are spelled: those that show nothing and do
// something. A joiner between letters or signs of another script is part of a word.
func hidden(r, last rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case unicode.IsPrint(r):
		return false
	case r == '\u200c', r == '\u200d':
		return last < utf8.RuneSelf
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
