package recording

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// node is a JSON value that keeps what encoding/json forgets: the order of
// members, duplicate members, and the spelling of numbers and strings.
type node struct {
	// kind is the value's first byte: { [ " t f n, or 0 for a number.
	kind byte
	// text is a scalar as it is spelled, a string with its quotes.
	text []byte
	// names are an object's member names, spelled; items[i] belongs to names[i].
	names [][]byte
	items []node
}

// parseJSON returns the value in raw. It is false for anything that is not
// exactly one JSON value in UTF-8, within encoding/json's depth of nesting.
func parseJSON(raw []byte) (node, bool) {
	if !isJSON(raw) {
		return node{}, false
	}
	var names [8][]byte // enough for most
	var items [8]node
	r := reader{rest: raw, names: names[:0], items: items[:0]}
	return r.value(), true
}

// reader reads JSON that is known to be valid.
type reader struct {
	rest []byte
	// names and items are of the objects and arrays that are not at their end yet.
	names [][]byte
	items []node
}

// next skips white space, commas and colons: their places are known to be right.
func (r *reader) next() byte {
	for {
		switch c := r.rest[0]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			r.rest = r.rest[1:]
		default:
			return c
		}
	}
}

func (r *reader) take(n int) []byte {
	text := r.rest[:n:n]
	r.rest = r.rest[n:]
	return text
}

// split takes the last of all off, as many as there are from at.
func split[T any](all []T, at int) (last, rest []T) {
	if at < len(all) {
		last = make([]T, len(all)-at)
		copy(last, all[at:])
	}
	return last, all[:at]
}

func (r *reader) value() node {
	names, items := len(r.names), len(r.items)
	switch c := r.next(); c {
	case '{':
		n := node{kind: c}
		r.take(1)
		for r.next() != '}' {
			name, item := r.quoted(), r.value()
			r.names, r.items = append(r.names, name), append(r.items, item)
		}
		r.take(1)
		n.names, r.names = split(r.names, names)
		n.items, r.items = split(r.items, items)
		return n
	case '[':
		n := node{kind: c}
		r.take(1)
		for r.next() != ']' {
			item := r.value()
			r.items = append(r.items, item)
		}
		r.take(1)
		n.items, r.items = split(r.items, items)
		return n
	case '"':
		return node{kind: c, text: r.quoted()}
	case 't', 'n':
		return node{kind: c, text: r.take(4)}
	case 'f':
		return node{kind: c, text: r.take(5)}
	default:
		end := 0
		for end < len(r.rest) && isNumber(r.rest[end]) {
			end++
		}
		return node{text: r.take(end)}
	}
}

func (r *reader) quoted() []byte {
	r.next()
	end := 1
	for r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	return r.take(end + 1)
}

func isNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// unquote is the value of a spelled string.
func unquote(text []byte) string { return string(value(text)) }

// value is the same, a part of the text where it is spelled as it is.
func value(text []byte) []byte {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	// It was validated: only a string can come out.
	_ = json.Unmarshal(text, &s)
	return []byte(s)
}

// append writes n without white space, its order and spelling kept.
func (n node) append(dst []byte) []byte {
	switch n.kind {
	case '{':
		dst = append(dst, '{')
		for i, name := range n.names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, name...)
			dst = append(dst, ':')
			dst = n.items[i].append(dst)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.items[i].append(dst)
		}
		return append(dst, ']')
	default:
		return append(dst, n.text...)
	}
}

// child names the i-th item of n: a member name or an index.
func (n node) child(i int) string {
	if n.kind == '{' {
		return unquote(n.names[i])
	}
	return strconv.Itoa(i)
}
