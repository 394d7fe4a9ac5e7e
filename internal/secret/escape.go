package secret

import (
	"bytes"
	"html"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// opens are the bytes that an escape begins with.
var opens = [256]bool{'%': true, '\\': true, '&': true, '\'': true, '"': true}

// longestEntity bounds the name of an HTML entity that is looked for.
const longestEntity = 32

// escaped decodes the escape that t begins with: of a URL, of JSON and of most
// programming languages, of HTML, or a quote that a shell, SQL or CSV doubles.
// 0 used is none.
func escaped(t []byte) (value []byte, used int) {
	if len(t) < 2 {
		return nil, 0
	}
	switch t[0] {
	case '%':
		return percent(t)
	case '\\':
		return backslash(t)
	case '&':
		return entity(t)
	case '\'':
		if bytes.HasPrefix(t, []byte(`'\''`)) {
			return t[:1], 4
		}
		fallthrough
	case '"':
		if t[1] == t[0] {
			return t[:1], 2
		}
	}
	return nil, 0
}

// percent decodes %41, and %u0041, which some servers write.
func percent(t []byte) ([]byte, int) {
	if t[1] == 'u' || t[1] == 'U' {
		return point(t, 2, 4)
	}
	if n, ok := digits(t, 1, 2, 16); ok {
		return []byte{byte(n)}, 3
	}
	return nil, 0
}

// backslash decodes \n, \x41, \101, A with its surrogate pairs, \u{41} and
// \U00000041.
func backslash(t []byte) ([]byte, int) {
	switch t[1] {
	case 'u':
		if len(t) > 2 && t[2] == '{' {
			end := bytes.IndexByte(t[:min(len(t), 12)], '}')
			if end < 4 {
				return nil, 0
			}
			n, ok := digits(t, 3, end-3, 16)
			return character(n, ok), end + 1
		}
		return point(t, 2, 4)
	case 'U':
		return point(t, 2, 8)
	case 'x':
		if n, ok := digits(t, 2, 2, 16); ok {
			return []byte{byte(n)}, 4
		}
		return nil, 0
	case '0', '1', '2', '3':
		if n, ok := digits(t, 1, 3, 8); ok {
			return []byte{byte(n)}, 4
		}
		return nil, 0
	}
	if i := bytes.IndexByte([]byte(`"\/'bfnrt`), t[1]); i >= 0 {
		return []byte{"\"\\/'\b\f\n\r\t"[i]}, 2
	}
	return nil, 0
}

// point decodes a code point of some hexadecimal digits at t[from], or the two
// halves of one.
func point(t []byte, from, length int) ([]byte, int) {
	n, ok := digits(t, from, length, 16)
	if ok && utf16.IsSurrogate(rune(n)) {
		second := t[from+length:]
		if len(second) < from || !bytes.EqualFold(second[:from], t[:from]) {
			return nil, 0
		}
		low, ok := digits(second, from, length, 16)
		return character(uint64(utf16.DecodeRune(rune(n), rune(low))), ok), 2 * (from + length)
	}
	return character(n, ok), from + length
}

// character is a code point in UTF-8, nil for what is none.
func character(n uint64, ok bool) []byte {
	if !ok || n > utf8.MaxRune || n == utf8.RuneError || !utf8.ValidRune(rune(n)) {
		return nil
	}
	return utf8.AppendRune(nil, rune(n))
}

// digits reads a number of exactly length digits at t[from].
func digits(t []byte, from, length, base int) (n uint64, ok bool) {
	if length < 1 || len(t) < from+length {
		return 0, false
	}
	for _, c := range t[from : from+length] {
		v := fourBits[c]
		if int(v) >= base {
			return 0, false
		}
		n = n*uint64(base) + uint64(v)
	}
	return n, true
}

// entity decodes &amp; and all others that HTML knows, &#65; and &#x41;.
func entity(t []byte) ([]byte, int) {
	end := bytes.IndexByte(t[:min(len(t), longestEntity)], ';')
	if end < 2 {
		return nil, 0
	}
	whole := string(t[:end+1])
	text := html.UnescapeString(whole)
	if text == whole || len(text) >= end || text[len(text)-1] == ';' && text != ";" {
		return nil, 0 // none, or one without its semicolon
	}
	return []byte(text), end + 1
}

// kind is one kind of escapes.
type kind struct {
	opens  byte
	escape func([]byte) ([]byte, int)
	// signs are what a text with such escapes has one of; none means that any
	// will do.
	signs []string
	// plus tells that a plus is a space, where there are escapes too.
	plus bool
}

// unescapes are undone each by itself: a text that was escaped twice in two ways
// holds what looks like an escape of the other kind.
var unescapes = []kind{
	{opens: '%', escape: percent}, {opens: '%', escape: percent, signs: []string{"+"}, plus: true},
	{opens: '\\', escape: backslash}, {opens: '&', escape: entity},
	{opens: '=', escape: printable, signs: []string{"=3D", "=\n", "=\r\n"}}, // or each query would be taken for one
}

// printable decodes what quoted-printable text (RFC 2045 §6.7) escapes: =3D and
// a line break that is none.
func printable(t []byte) ([]byte, int) {
	switch {
	case bytes.HasPrefix(t, []byte("=\n")):
		return []byte{}, 2
	case bytes.HasPrefix(t, []byte("=\r\n")):
		return []byte{}, 3
	}
	if n, ok := digits(t, 1, 2, 16); ok {
		return []byte{byte(n)}, 3
	}
	return nil, 0
}

// undo undoes the escapes of one kind wherever they are; ok tells that there was
// one.
func (k kind) undo(t []byte) (plain []byte, ok bool) {
	if len(k.signs) > 0 && !slices.ContainsFunc(k.signs, func(sign string) bool { return bytes.Contains(t, []byte(sign)) }) {
		return nil, false
	}
	if k.plus {
		t = bytes.ReplaceAll(t, []byte("+"), []byte(" "))
	}
	done := 0
	for i := 0; i < len(t)-1; {
		next := bytes.IndexByte(t[i:len(t)-1], k.opens)
		if next < 0 {
			break
		}
		i += next
		value, used := k.escape(t[i:])
		if value == nil {
			i++
			continue
		}
		if plain == nil {
			plain = make([]byte, 0, len(t))
		}
		plain = append(append(plain, t[done:i]...), value...)
		i += used
		done = i
	}
	if done == 0 {
		return nil, false
	}
	return append(plain, t[done:]...), true
}
