package scenario

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/pattern"
)

var (
	// unsent is a number to YAML which JSON writes without the plus sign, or with
	// a digit on both sides of the point.
	unsent = pattern.New(`^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	// unclear is what one reader takes for a number, another for another number,
	// and a third for a text: an HS code with a leading zero, octal, hexadecimal,
	// digits with underscores, infinity.
	unclear = pattern.New(`^[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?$|` +
		`^[-+]?0[xXoObB][0-9a-fA-F_]+$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
)

// resolve gives a plain scalar its kind: YAML 1.2's core schema, of which the
// numbers are those that JSON can send as they are written.
func (n *node) resolve() error {
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		n.kind = Null
		return nil
	case "true", "True", "TRUE":
		n.kind, n.scalar = Bool, true
		return nil
	case "false", "False", "FALSE":
		n.kind, n.scalar = Bool, false
		return nil
	}
	switch {
	case !strings.ContainsRune("+-.0123456789", rune(n.text[0])): // no number begins otherwise
	case jsonNumber.MatchString(n.text):
		n.kind, n.scalar = Number, numberOf(n.text)
	case unsent.MatchString(n.text):
		return fmt.Errorf("%s is no number of JSON: write %s, or quote it", n.text, asJSON(n.text))
	case unclear.MatchString(n.text):
		return fmt.Errorf("%s is a number to some and a text to others: quote it, or write it as a plain decimal number", n.text)
	}
	return nil
}

// asJSON writes a number of YAML as JSON writes it.
func asJSON(text string) string {
	text, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	whole, rest, point := strings.Cut(text, ".")
	if whole == "" {
		whole = "0"
	}
	if point {
		if rest == "" || rest[0] == 'e' || rest[0] == 'E' {
			text = whole + rest
		} else {
			text = whole + "." + rest
		}
	}
	if negative {
		return "-" + text
	}
	return text
}

// at is the place of a byte of n's text.
func (d *decoder) at(n *node, offset int) Pos {
	if n.asWritten(d.lines) {
		at := n.pos
		if n.style != plain {
			at.Column++ // the quote
		}
		at.Column += utf8.RuneCountInString(n.text[:offset])
		return at
	}
	return place(n, n.places(d.lines), offset)
}

// asWritten tells whether n's text stands in its line character by character, where
// nobody has to walk it to know a place in it.
func (n *node) asWritten(lines []string) bool {
	line, skipped := lineAt(lines, n.pos.Line), n.pos.Column-1
	switch n.style {
	case literal, folded:
		return false
	case plain:
		if strings.TrimSpace(n.text) != n.text {
			return false
		}
	default:
		if strings.ContainsAny(n.text, "'\\") { // they may be written as two
			return false
		}
		skipped++
	}
	line, _ = beyond(line, skipped)
	return strings.HasPrefix(line, n.text)
}

// places returns the place in the file of each character of n's text, and one
// more for its end. It returns nil where the text can't be traced back, as for
// folded blocks; the scalar's start must do there.
func (n *node) places(lines []string) []Pos {
	c := &cursor{lines: lines, pos: n.pos}
	c.enter()
	step := c.plain
	switch n.style {
	case singleQuoted:
		step = c.single
		c.pos.Column++
	case doubleQuoted:
		step = c.double
		c.pos.Column++
	case literal:
		c.enterBlock()
		step = c.block
	case folded:
		return nil
	}
	out := make([]Pos, 0, len(n.text)+1)
	for _, r := range n.text {
		at, ok := step(r)
		if !ok {
			return nil
		}
		out = append(out, at)
	}
	return append(out, c.pos)
}

// cursor walks the source of a scalar while its decoded text is read.
type cursor struct {
	lines  []string
	line   []rune // the current line
	inked  int    // how many characters of it there are without the space at its end
	pos    Pos    // of the next character
	indent int    // of a block scalar
	broken bool   // the character before was a line break
}

// peek returns the next character of the line, or false at its end.
func (c *cursor) peek() (rune, bool) {
	if c.pos.Column < 1 || c.pos.Column > len(c.line) {
		return 0, false
	}
	return c.line[c.pos.Column-1], true
}

// take consumes n characters that decode to one, and returns where they start.
func (c *cursor) take(n int) (Pos, bool) {
	at := c.pos
	c.pos.Column += n
	c.broken = false
	return at, true
}

// nextLine goes to the start of the next line.
func (c *cursor) nextLine() bool {
	if c.pos.Line >= len(c.lines) {
		return false
	}
	c.pos = Pos{c.pos.Line + 1, 1}
	c.enter()
	return true
}

// enter reads the line that pos is in.
func (c *cursor) enter() {
	text := lineAt(c.lines, c.pos.Line)
	c.line = []rune(text)
	c.inked = utf8.RuneCountInString(strings.TrimRightFunc(text, unicode.IsSpace))
}

// blank tells whether nothing but space is left of the line. It is asked at each space of
// a text, and a line may have 256 kB.
func (c *cursor) blank() bool { return c.pos.Column-1 >= c.inked }

// fold reads the line break that a space or newline of the text stands for.
func (c *cursor) fold(r rune) (Pos, bool) {
	if r != ' ' && r != '\n' || !c.blank() {
		return Pos{}, false
	}
	at := c.pos
	breaks := 1
	if r == '\n' && !c.broken {
		breaks = 2 // of several line breaks the first stands for nothing
	}
	for range breaks {
		if !c.nextLine() {
			return Pos{}, false
		}
		for next, ok := c.peek(); ok && (next == ' ' || next == '\t'); next, ok = c.peek() {
			c.pos.Column++
		}
	}
	c.broken = r == '\n'
	return at, true
}

func (c *cursor) plain(r rune) (Pos, bool) {
	if next, ok := c.peek(); ok && next == r {
		if r != ' ' || !c.blank() {
			return c.take(1)
		}
	}
	return c.fold(r)
}

func (c *cursor) single(r rune) (Pos, bool) {
	if next, ok := c.peek(); ok && next == '\'' {
		if r != '\'' {
			return Pos{}, false
		}
		return c.take(2)
	}
	return c.plain(r)
}

// escapes are the two-character escapes of a double-quoted scalar.
var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', 'e': 0x1b,
	' ': ' ', '"': '"', '/': '/', '\\': '\\', 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
}

func (c *cursor) double(r rune) (Pos, bool) {
	next, ok := c.peek()
	if !ok || next != '\\' {
		return c.plain(r)
	}
	if c.pos.Column >= len(c.line) { // a line break that stands for nothing
		c.pos.Column++
		if _, ok := c.fold(' '); !ok {
			return Pos{}, false
		}
		return c.double(r)
	}
	kind := c.line[c.pos.Column]
	if digits, ok := map[rune]int{'x': 2, 'u': 4, 'U': 8}[kind]; ok {
		return c.take(2 + digits)
	}
	if escapes[kind] != r {
		return Pos{}, false
	}
	return c.take(2)
}

// enterBlock goes to the first line of a literal block and finds its indent.
func (c *cursor) enterBlock() {
	for i := c.pos.Line; i < len(c.lines); i++ {
		if trimmed := strings.TrimLeft(c.lines[i], " "); trimmed != "" {
			c.indent = len(c.lines[i]) - len(trimmed)
			break
		}
	}
	if c.nextLine() {
		c.pos.Column += c.indent
	}
}

func (c *cursor) block(r rune) (Pos, bool) {
	if next, ok := c.peek(); ok && next == r {
		return c.take(1)
	}
	if r != '\n' || c.pos.Column <= len(c.line) {
		return Pos{}, false
	}
	at := c.pos
	if c.nextLine() {
		c.pos.Column += c.indent
	}
	return at, true
}
