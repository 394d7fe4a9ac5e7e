package recording

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Whatever is done to a whole body is done while it is read: a tree of it is forty times
// as long as a text of short values, and callers send 30 MB.

// isJSON tells whether raw is exactly one JSON value in UTF-8, within encoding/json's
// depth of nesting.
func isJSON(raw []byte) bool { return utf8.Valid(raw) && json.Valid(raw) }

// mostMoved is how often a text may be copied to bring members into their order, and
// copiedAnyway how many bytes may be. Members that stand in another order at each of ten
// thousand levels would be copied as often.
const (
	mostMoved    = 64
	copiedAnyway = 1 << 20
)

// canonicalOf is the canonical form (RFC 8785) of a JSON text without what the pointers
// name, as [node.without] leaves it out. It is false where there is none, where it would
// change the value of a number, and where it takes too long to make.
func canonicalOf(text []byte, ignore []pointer) ([]byte, bool) {
	c := canonicalizer{reader: reader{rest: text}, out: make([]byte, 0, len(text)), moves: mostMoved*len(text) + copiedAnyway}
	ok := c.value(ignore)
	return c.out, ok
}

// canonicalizer writes the canonical form of what it reads.
type canonicalizer struct {
	reader
	out     []byte
	members []placed // of the objects that are not at their end yet
	moves   int      // how many bytes may still be copied
	scratch []byte
}

// placed is where a member is in out.
type placed struct{ name, value, end int }

func (c *canonicalizer) value(ignore []pointer) bool {
	switch c.next() {
	case '{':
		return c.object(ignore)
	case '[':
		return c.list(ignore)
	}
	scalar := c.reader.value()
	if !scalar.exact() {
		return false
	}
	out, err := scalar.canonical(c.out)
	if err != nil {
		return false
	}
	c.out = out
	return true
}

func (c *canonicalizer) list(ignore []pointer) bool {
	c.take(1)
	c.out = append(c.out, '[')
	for i := 0; c.next() != ']'; i++ {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		below, gone := []pointer(nil), false
		if len(ignore) > 0 {
			below, gone = stepped(ignore, strconv.Itoa(i))
		}
		if gone { // the number of elements counts
			c.skip()
			c.out = append(c.out, "null"...)
		} else if !c.value(below) {
			return false
		}
	}
	c.take(1)
	c.out = append(c.out, ']')
	return true
}

func (c *canonicalizer) object(ignore []pointer) bool {
	c.take(1)
	c.out = append(c.out, '{')
	from, first := len(c.out), len(c.members)
	for c.next() != '}' {
		spelled := c.quoted()
		below, gone := []pointer(nil), false
		if len(ignore) > 0 {
			below, gone = stepped(ignore, unquote(spelled))
		}
		if gone {
			c.skip()
			continue
		}
		if loneSurrogate(spelled) {
			return false
		}
		if len(c.members) > first {
			c.out = append(c.out, ',')
		}
		m := placed{name: len(c.out)}
		c.out = append(canonicalString(c.out, value(spelled)), ':')
		m.value = len(c.out)
		if !c.value(below) {
			return false
		}
		m.end = len(c.out)
		c.members = append(c.members, m)
	}
	c.take(1)
	ok := c.sort(from, c.members[first:])
	c.members = c.members[:first]
	c.out = append(c.out, '}')
	return ok
}

// sort brings members that were written from a place on into their order.
func (c *canonicalizer) sort(from int, members []placed) bool {
	name := func(m placed) []byte { return value(c.out[m.name : m.value-1]) }
	compare := func(a, b placed) int { return compareUTF16(name(a), name(b)) }
	sorted := slices.IsSortedFunc(members, compare)
	if !sorted {
		slices.SortFunc(members, compare)
	}
	for i := 1; i < len(members); i++ {
		if bytes.Equal(name(members[i-1]), name(members[i])) {
			return false // which one counts nobody knows
		}
	}
	if sorted {
		return true
	}
	if c.moves -= len(c.out) - from; c.moves < 0 {
		return false
	}
	c.scratch = append(c.scratch[:0], c.out[from:]...)
	c.out = c.out[:from]
	for i, m := range members {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, c.scratch[m.name-from:m.end-from]...)
	}
	return true
}

// stepped is what is left of pointers at a child, and whether one of them names it.
func stepped(pointers []pointer, child string) (below []pointer, gone bool) {
	for _, p := range pointers {
		if p[0] != "*" && p[0] != child {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		below = append(below, p[1:])
	}
	return below, false
}

// skip reads a value and forgets it.
func (r *reader) skip() {
	for depth := 0; ; {
		switch r.next() {
		case '{', '[':
			depth++
			r.take(1)
		case '}', ']':
			depth--
			r.take(1)
		case '"':
			r.quoted()
		default:
			r.value()
		}
		if depth == 0 {
			return
		}
	}
}
