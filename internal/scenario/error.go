package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Error is one thing that is wrong at one place of a file.
type Error struct {
	File string
	Pos
	// Msg says what is wrong. Suggestion is what was probably meant, or "".
	Msg        string
	Suggestion string
	// Source is the line, without its end; an empty one is not shown.
	Source string

	// excerpt has what others of the file show. Nil is none.
	excerpt *excerpts
}

// Error writes the place, the message, the source line and a caret. What looks
// like a secret in the line is masked: messages end up in public logs.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", e.Suggestion)
	}
	if e.Source == "" { // of a row of a table that could be read, or there is nothing to see
		return b.String()
	}
	number := strconv.Itoa(e.Line)
	line, column := e.excerpt.of(e.Source, e.Line, max(e.Column, 1))
	fmt.Fprintf(&b, "\n  %s | %s", number, printable(line))
	fmt.Fprintf(&b, "\n  %*s | %*s", len(number), "", column, "^")
	return b.String()
}

// printable keeps a line in one line and its columns in place, and keeps
// control characters away from the reader's terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, line)
}

// Errors is everything that is wrong with one file, in the order of the file.
// It is never empty when Parse returns it.
type Errors []*Error

// Error writes every error, one after the other.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// sort puts errors in the order of the file of that name, and those of its data behind.
func (es Errors) sort(name string) {
	elsewhere := func(e *Error) int {
		if e.File == name {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(es, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(elsewhere(a), elsewhere(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Problem returns an error that points at a place of s. The runner reports
// failed expectations with it.
func (s *Scenario) Problem(pos Pos, msg string) *Error {
	return &Error{File: s.File, Pos: pos, Msg: msg, Source: lineAt(s.source, pos.Line), excerpt: s.excerpts}
}

// lineAt returns a line by its number from 1, or "".
func lineAt(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}
