package secret

import (
	"unicode/utf16"
	"unicode/utf8"
)

// narrowed is the text that t may be the UTF-16 of, in either byte order: all of
// it where about every other byte is 0, else each stretch that is like that.
func narrowed(t []byte) [][]byte {
	var zeros [2]int
	for i, c := range t {
		if c == 0 {
			zeros[i%2]++
		}
	}
	if n := zeros[0] + zeros[1]; len(t) < 2*shortest || n < shortest-1 {
		return nil
	} else if n*4 < len(t) {
		return narrowStretches(t)
	}
	high := 0 // where the zeros are
	if zeros[1] > zeros[0] {
		high = 1
	}
	return [][]byte{wide(t[high:], 0), wide(t[1-high:], 1)}
}

// narrowStretches finds characters with a zero between them, whichever of the
// two comes first.
func narrowStretches(t []byte) [][]byte {
	var all [][]byte
	for i := 0; i+1 < len(t); i++ {
		var text []byte
		for i+1 < len(t) && t[i] != 0 && t[i+1] == 0 {
			text = utf8.AppendRune(text, rune(t[i]))
			i += 2
		}
		if len(text) < shortest-1 {
			continue
		}
		if i < len(t) {
			text = utf8.AppendRune(text, rune(t[i])) // the last, where the zeros come first
		}
		all = append(all, text)
	}
	return all
}

// wide decodes UTF-16 whose high bytes are at one of each two places.
func wide(t []byte, high int) []byte {
	out := make([]byte, 0, len(t)/2)
	for i := 0; i+1 < len(t); i += 2 {
		r := rune(t[i+high])<<8 | rune(t[i+1-high])
		if utf16.IsSurrogate(r) && i+3 < len(t) {
			if pair := utf16.DecodeRune(r, rune(t[i+2+high])<<8|rune(t[i+3-high])); pair != utf8.RuneError {
				r, i = pair, i+2
			}
		}
		if r != 0 {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
