package recording

import "iter"

// indented is how long a text of JSON without white space becomes by indentation, about.
func indented(text []byte) int {
	size, depth := len(text), 0
	for c := range Marks(text) {
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		size += 1 + 2*depth
	}
	return size
}

// Marks are the brackets, braces and commas of a text of JSON that are in none of its
// strings, in their order.
func Marks(text []byte) iter.Seq[byte] {
	return func(yield func(byte) bool) {
		quoted := false
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case c == '"':
				quoted = !quoted
			case quoted && c == '\\':
				i++
			case !quoted && (c == '{' || c == '[' || c == '}' || c == ']' || c == ','):
				if !yield(c) {
					return
				}
			}
		}
	}
}
