package scenario

import (
	"errors"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/hsharness/hsharness/internal/pattern"
)

// syntaxError reports the YAML library's error in words that say what to
// change, and where: the library often points at what follows the mistake.
func (d *decoder) syntaxError(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil || syntax.Token.Position == nil {
		msg, _, _ := strings.Cut(err.Error(), "\n")
		d.errorf(Pos{1, 1}, "%s", msg)
		return
	}
	pos, msg := posOf(syntax.Token), syntax.Message
	line := []rune(lineAt(d.lines, pos.Line))
	rest := string(line[min(pos.Column-1, len(line)):])
	before := string(line[:min(pos.Column-1, len(line))])
	has := func(s string) bool { return strings.Contains(msg, s) }
	switch {
	case has("'\t'"):
		msg = "a tab cannot indent YAML: use spaces"
	case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "{") && strings.HasSuffix(before, "{"):
		msg = `a template needs quotes: write "{{ … }}"`
	case has("map key-value is pre-defined"):
		msg = `the text ended before this: a quote inside '…' is written twice, one inside "…" as \"`
	case has("mapping value is not allowed"):
		msg = `a text that holds ": " must be quoted`
		if next, ok := d.deeper(pos); ok && !strings.Contains(rest, ": ") {
			pos, msg = next, "this line is indented deeper than the one it follows, which has a value already"
		}
	case has("value is not allowed in this context"):
		msg = "this does not fit what stands above: look at the indentation"
		if strings.HasPrefix(rest, "}") || strings.HasPrefix(rest, "]") {
			msg = "nothing is open that this closes"
		}
	case has("must be specified"):
		open, closing := d.open(pos)
		msg = `"," or "` + closing + `" expected: quote a text that holds quotes, commas or brackets`
		if closing == "" {
			msg = "a list or map in brackets is not closed"
		} else if open.Line != pos.Line {
			pos, msg = open, `this is never closed: "`+closing+`" is missing`
		}
	case has("could not find end character"):
		msg = "this text has no closing quote"
	case has("non-map value"), has("unexpected key name"):
		msg = `a key needs a colon and a space before its value, as in "name: value"`
	case has("invalid header option"):
		msg = "a text that begins with > or | must be quoted"
	case has("unknown escape character"):
		msg = `no such escape in "…": write \\ for a backslash, or put the text in '…'`
	case has("reserved character"):
		msg = "a text that begins with " + msg[:strings.LastIndex(msg, "'")+1] + " must be quoted"
	}
	d.errorf(pos, "%s", msg)
}

// deeper finds the line after pos when it is indented deeper.
func (d *decoder) deeper(pos Pos) (Pos, bool) {
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	for n := pos.Line + 1; n <= len(d.lines); n++ {
		if line := lineAt(d.lines, n); strings.TrimSpace(line) != "" {
			return Pos{n, indent(line) + 1}, indent(line) > indent(lineAt(d.lines, pos.Line))
		}
	}
	return Pos{}, false
}

// quoted is a text in quotes, or a comment, within one line.
var quoted = pattern.New(`"(\\.|[^"\\])*"|'[^']*'|(^|\s)#.*`)

// open finds the innermost bracket that is open at pos, and what closes it.
func (d *decoder) open(pos Pos) (at Pos, closing string) {
	var stack []Pos
	for n := 1; n <= pos.Line; n++ {
		text := quoted.Regexp().ReplaceAllStringFunc(lineAt(d.lines, n), func(q string) string {
			return strings.Repeat(" ", len([]rune(q)))
		})
		for i, r := range []rune(text) {
			switch {
			case n == pos.Line && i >= pos.Column-1:
			case r == '[' || r == '{':
				stack = append(stack, Pos{n, i + 1})
			case (r == ']' || r == '}') && len(stack) > 0:
				stack = stack[:len(stack)-1]
			}
		}
	}
	if len(stack) == 0 {
		return pos, ""
	}
	at = stack[len(stack)-1]
	closing = "]"
	if []rune(lineAt(d.lines, at.Line))[at.Column-1] == '{' {
		closing = "}"
	}
	return at, closing
}

// wordOrColon tells whether a text looks like a key and its value without the
// space between them.
func wordOrColon(text string) bool {
	key, value, ok := strings.Cut(text, ":")
	return ok && value != "" && !strings.ContainsFunc(key, unicode.IsSpace)
}
