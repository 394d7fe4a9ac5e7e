package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// The kinds of a [Value]: the byte that it begins with, and Number.
const (
	Object byte = '{'
	List   byte = '['
	Text   byte = '"'
	Number byte = '0'
	True   byte = 't'
	False  byte = 'f'
	Null   byte = 'n'
)

// Value is a JSON value that keeps the order of members and the spelling of numbers.
// The zero Value is none.
type Value struct {
	Kind byte
	// Text is a text's value, or a number as it is spelled.
	Text string
	// Names are an object's members; Items[i] belongs to Names[i]. A list has Items
	// alone.
	Names []string
	Items []Value
	// At is where the value began, in bytes of what was parsed.
	At int
}

// Parse reads one JSON value in UTF-8.
func Parse(raw []byte) (Value, error) {
	if !utf8.Valid(raw) {
		return Value{}, errors.New("the text is no UTF-8")
	}
	if !json.Valid(raw) {
		return Value{}, errors.New("the text is no JSON")
	}
	p := parser{raw: raw}
	return p.value(), nil
}

// parser reads JSON that is known to be valid.
type parser struct {
	raw []byte
	at  int
}

func (p *parser) next() byte {
	for strings.IndexByte(" \t\r\n,:", p.raw[p.at]) >= 0 {
		p.at++
	}
	return p.raw[p.at]
}

func (p *parser) value() Value {
	c := p.next()
	v := Value{Kind: c, At: p.at}
	switch c {
	case Object:
		p.at++
		for p.next() != '}' {
			v.Names = append(v.Names, p.text())
			v.Items = append(v.Items, p.value())
		}
		p.at++
	case List:
		p.at++
		for p.next() != ']' {
			v.Items = append(v.Items, p.value())
		}
		p.at++
	case Text:
		v.Text = p.text()
	case True, Null:
		p.at += 4
	case False:
		p.at += 5
	default:
		v.Kind = Number
		from := p.at
		for p.at < len(p.raw) && strings.IndexByte("0123456789+-.eE", p.raw[p.at]) >= 0 {
			p.at++
		}
		v.Text = string(p.raw[from:p.at])
	}
	return v
}

func (p *parser) text() string {
	p.next()
	from := p.at
	for p.at++; p.raw[p.at] != '"'; p.at++ {
		if p.raw[p.at] == '\\' {
			p.at++
		}
	}
	p.at++
	quoted := p.raw[from:p.at]
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it was validated
	return s
}

// Append writes v without white space.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Object:
		dst = append(dst, '{')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, v.Names[i]), ':')
			dst = item.Append(dst)
		}
		return append(dst, '}')
	case List:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case Text:
		return appendText(dst, v.Text)
	case Number:
		return append(dst, v.Text...)
	case True:
		return append(dst, "true"...)
	case False:
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

// size is about how many bytes Append writes.
func (v Value) size() int {
	n := 4 + len(v.Text)
	for i, item := range v.Items {
		n += item.size()
		if v.Kind == Object {
			n += len(v.Names[i])
		}
	}
	return n
}

func appendText(dst []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// Equal tells whether two values are spelled alike, wherever they stood.
func (v Value) Equal(other Value) bool {
	return v.Kind == other.Kind && bytes.Equal(v.Append(nil), other.Append(nil))
}

// Member is an object's member; ok is false where there is none.
func (v Value) Member(name string) (Value, bool) {
	if v.Kind == Object {
		for i, n := range v.Names {
			if n == name {
				return v.Items[i], true
			}
		}
	}
	return Value{}, false
}

// Of makes a text a value.
func Of(text string) Value { return Value{Kind: Text, Text: text} }

// Find is what stands at a JSON pointer (RFC 6901); ok is false where nothing does.
func (v Value) Find(pointer string) (Value, bool) {
	for pointer != "" {
		step, rest, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
		if rest != "" || strings.Count(pointer, "/") > 1 {
			rest = "/" + rest
		}
		var ok bool
		if v, ok = v.step(Unescaped(step)); !ok {
			return Value{}, false
		}
		pointer = rest
	}
	return v, true
}

func (v Value) step(name string) (Value, bool) {
	if v.Kind != List {
		return v.Member(name)
	}
	n := 0
	for _, c := range name {
		if c < '0' || c > '9' || n > len(v.Items) {
			return Value{}, false
		}
		n = 10*n + int(c-'0')
	}
	if name == "" || n >= len(v.Items) {
		return Value{}, false
	}
	return v.Items[n], true
}

// Escaped is a member's name as a step of a pointer, and Unescaped the name of a step.
func Escaped(name string) string { return escapes.Replace(name) }

// Unescaped undoes [Escaped].
func Unescaped(step string) string { return unescapes.Replace(step) }

// They are made once: each name of each answer is asked for.
var (
	escapes   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapes = strings.NewReplacer("~1", "/", "~0", "~")
)
