package strictjson

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// around is how many characters of a line are shown before and behind a place.
const around = 50

// Place is a message about a place in a line of a file, with file:line:column
// and a caret. Columns count characters from 1, and so does the line. Of a long
// line only what is near is shown.
func Place(name string, line int, text []byte, offset int, message string) error {
	before := []rune(strings.ToValidUTF8(string(text[:min(offset, len(text))]), "\uFFFD"))
	behind := []rune(strings.ToValidUTF8(string(text[min(offset, len(text)):]), "\uFFFD"))
	column := len(before) + 1
	cut, rest := "", ""
	if len(before) > around {
		cut, before = "…", before[len(before)-around:]
	}
	if len(behind) > around {
		rest, behind = "…", behind[:around]
	}
	head := fmt.Sprintf("> %d | %s", line, cut)
	shown := func(r []rune) string { return strings.Map(plain, string(r)) }
	return fmt.Errorf("%s:%d:%d: %s\n%s%s%s%s\n%s^", name, line, column, message,
		head, shown(before), shown(behind), rest, strings.Repeat(" ", utf8.RuneCountInString(head)+len(before)))
}

// plain keeps control characters from a terminal.
func plain(c rune) rune {
	if c < ' ' || c >= 0x7f && c < 0xa0 {
		return ' '
	}
	return c
}
