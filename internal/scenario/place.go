package scenario

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// characters are those of a line of a file.
type characters struct {
	all   []rune
	inked int // how many there are without the space at the line's end
}

// characters takes a line apart, once: it may be the whole file, and have thousands of
// texts in it.
func (d *decoder) characters(line int) *characters {
	if c := d.walked[line]; c != nil {
		return c
	}
	text := lineAt(d.lines, line)
	c := &characters{[]rune(text), utf8.RuneCountInString(strings.TrimRightFunc(text, unicode.IsSpace))}
	if d.walked == nil {
		d.walked = map[int]*characters{}
	}
	d.walked[line] = c
	return c
}

// at is the place of a byte of n's text.
func (d *decoder) at(n *node, offset int) Pos {
	if d.asWritten(n) {
		at := n.pos
		if n.style != plain {
			at.Column++ // the quote
		}
		at.Column += utf8.RuneCountInString(n.text[:offset])
		return at
	}
	return place(n, d.places(n), offset)
}

// asWritten tells whether n's text stands in its line character by character, where
// nobody has to walk it to know a place in it.
func (d *decoder) asWritten(n *node) bool {
	line, at := d.characters(n.pos.Line).all, n.pos.Column-1
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
		at++
	}
	for _, r := range n.text {
		if at >= len(line) || line[at] != r {
			return false
		}
		at++
	}
	return true
}

// places returns the place in the file of the character of each byte of n's text, and one
// more for its end. It returns nil where the text can't be traced back, as for
// folded blocks; the scalar's start must do there.
func (d *decoder) places(n *node) []Pos {
	c := &cursor{decoder: d, pos: n.pos}
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
	for rest := n.text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		at, ok := step(r)
		if !ok {
			return nil
		}
		for range size {
			out = append(out, at)
		}
		rest = rest[size:]
	}
	return append(out, c.pos)
}

// place is the place of a byte of n's text, n's start when places is nil.
func place(n *node, places []Pos, offset int) Pos {
	if offset < len(places) {
		return places[offset]
	}
	return n.pos
}

// cursor walks the source of a scalar while its decoded text is read.
type cursor struct {
	*decoder
	line   *characters // the current one
	pos    Pos         // of the next character
	indent int         // of a block scalar
	broken bool        // the character before was a line break
}

// peek returns the next character of the line, or false at its end.
func (c *cursor) peek() (rune, bool) {
	if c.pos.Column < 1 || c.pos.Column > len(c.line.all) {
		return 0, false
	}
	return c.line.all[c.pos.Column-1], true
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
	c.line = c.characters(c.pos.Line)
}

// blank tells whether nothing but space is left of the line. It is asked at each space of
// a text, and a line may have 256 kB.
func (c *cursor) blank() bool { return c.pos.Column-1 >= c.line.inked }

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
	if c.pos.Column >= len(c.line.all) { // a line break that stands for nothing
		c.pos.Column++
		if _, ok := c.fold(' '); !ok {
			return Pos{}, false
		}
		return c.double(r)
	}
	kind := c.line.all[c.pos.Column]
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
	if r != '\n' || c.pos.Column <= len(c.line.all) {
		return Pos{}, false
	}
	at := c.pos
	if c.nextLine() {
		c.pos.Column += c.indent
	}
	return at, true
}
