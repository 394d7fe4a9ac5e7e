package secret

import (
	"bytes"
)

const (
	base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	hexAlphabet    = "0123456789ABCDEF"
	none           = 0xff
)

// What each byte is worth in each code, none where it is no part of it.
var (
	sixBits  = table(base64Alphabet, "-+_/", false)
	fiveBits = table(base32Alphabet, "", true)
	fourBits = table(hexAlphabet, "", true)
)

// table is the worth of the characters of an alphabet. aliases are pairs of
// another character and the one it stands for.
func table(alphabet, aliases string, fold bool) *[256]byte {
	var t [256]byte
	for i := range t {
		t[i] = none
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
		if fold {
			t[lower(alphabet[i])] = byte(i)
		}
	}
	for i := 0; i+1 < len(aliases); i += 2 {
		t[aliases[i]] = t[aliases[i+1]]
	}
	return &t
}

// code is a way to write bytes in characters that are worth fewer bits.
type code struct {
	worth *[256]byte
	bits  int
	// starts is at how many places of a character a byte can begin.
	starts int
	// least is how many characters are worth a look.
	least int
	// oneCase tells that a stretch is all capitals or none.
	oneCase bool
	// direct tells that needles don't find what is in this code.
	direct bool
}

var codes = []code{
	{worth: sixBits, bits: 6, starts: 4, least: 11},
	{worth: fiveBits, bits: 5, starts: 8, least: 10, oneCase: true, direct: true},
	{worth: fourBits, bits: 4, starts: 2, least: 16},
}

// runs looks at what the stretches of t may be the code of.
func (s *search) runs(t []byte, depth int) {
	for i := range codes {
		c := &codes[i]
		c.runs(t, func(run []byte) bool {
			for start := range c.starts {
				s.decoded[depth] = c.decode(s.decoded[depth][:0], run[start:])
				s.piece(s.decoded[depth], depth, c, start == 0)
			}
			return !s.over(len(run))
		})
	}
	for _, base := range []int{10, 16} {
		numbers(t, base, func(b []byte) bool {
			s.look(b, depth)
			clear(b)
			return !s.over(len(b))
		})
	}
}

// piece looks at what a stretch decodes to. Most of them are words, and decode
// to noise.
func (s *search) piece(b []byte, depth int, c *code, first bool) {
	if isText(b) {
		s.look(b, depth)
		return
	}
	if s.again(b, depth, first) {
		return
	}
	if c.direct {
		s.direct(b)
	}
	if depth == 0 {
		return
	}
	for _, narrow := range narrowed(b) {
		s.look(narrow, depth-1)
		clear(narrow)
	}
	s.unpack(b, depth-1, first)
	s.stretches(b, depth)
}

// runs yields the stretches of t that are long enough.
func (c *code) runs(t []byte, yield func([]byte) bool) {
	for i := 0; i < len(t); {
		if c.worth[t[i]] == none {
			i++
			continue
		}
		from := i
		for i < len(t) && c.worth[t[i]] != none && (!c.oneCase || sameCase(t[from], t[i])) {
			i++
		}
		if i-from >= c.least && !yield(t[from:i]) {
			return
		}
		for i < len(t) && c.worth[t[i]] != none && t[i-1] <= '9' && i-1 > from {
			i-- // digits before another case may belong to that
		}
	}
}

// sameCase tells whether two characters may be in a stretch of one case. A digit
// goes with both.
func sameCase(a, b byte) bool { return a <= '9' || b <= '9' || (a >= 'a') == (b >= 'a') }

// decode appends the bytes that run stands for.
func (c *code) decode(out, run []byte) []byte {
	var bits uint
	have := 0
	for _, ch := range run {
		bits = bits<<c.bits | uint(c.worth[ch])
		if have += c.bits; have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
		}
	}
	return out
}

// numbers yields the bytes that are written as a list of numbers, such as
// 115, 101 or 73:65 or 0x73 0x65. The first and the last one may have digits
// beside them that are not theirs.
func numbers(t []byte, base int, yield func([]byte) bool) {
	var list []byte
	last := 0 // where the number before ended
	end := func() bool {
		more := len(list) < shortest || yield(list)
		list = list[:0]
		return more
	}
	for i := 0; i < len(t); {
		if fourBits[t[i]] == none {
			i++
			continue
		}
		if len(list) > 0 && !apart(t[last:i]) && !end() {
			return
		}
		from := i
		if base == 16 && i+3 < len(t) && t[i] == '0' && lower(t[i+1]) == 'x' {
			from += 2
		}
		for i = from; i < len(t) && fourBits[t[i]] != none; {
			i++
		}
		last = i
		digits := t[from:i]
		if n, ok := number(digits, base); ok {
			list = append(list, n)
			continue
		}
		if n, ok := number(digits[:min(2, len(digits))], base); ok && len(list) > 0 {
			list = append(list, n)
		}
		if !end() {
			return
		}
		for most := 3; most > 1; most-- {
			if n, ok := number(digits[max(0, len(digits)-most):], base); ok {
				list = append(list, n)
				break
			}
		}
	}
	end()
}

// apart tells whether text may stand between two numbers of a list.
func apart(gap []byte) bool {
	return len(gap) > 0 && len(gap) <= 6 && len(bytes.Trim(gap, " ,:;+-_|/\t\r\n")) == 0
}

// number reads all of t as a number of one byte: two digits in base 16, up to
// three in base 10.
func number(t []byte, base int) (byte, bool) {
	if base == 16 && len(t) != 2 || len(t) > 3 {
		return 0, false
	}
	n, ok := digits(t, 0, len(t), base)
	return byte(n), ok && n <= 0xff
}

// unwrapped is t with its lines joined, as those of a long code are that was
// broken; ok tells that one of them may be.
func unwrapped(t []byte) (joined []byte, ok bool) {
	for i := 0; ; i++ {
		next := bytes.IndexByte(t[i:], '\n')
		if next < 0 {
			return nil, false
		}
		i += next
		before := bytes.TrimRight(t[:i], "\r\\")
		if len(before) == 0 || sixBits[before[len(before)-1]] == none {
			continue // of many empty lines, only the first looks where they end
		}
		if after := bytes.TrimLeft(t[i:], " \t\r\n"); len(after) > 0 && sixBits[after[0]] != none {
			break
		}
	}
	joined = make([]byte, 0, len(t))
	for line := range bytes.Lines(t) {
		joined = append(joined, bytes.TrimRight(bytes.Trim(line, " \t\r\n"), "\\")...)
	}
	return joined, true
}

// shortestLine is how long the lines of a broken code are at least.
const shortestLine = 16

// respaced is t with the words joined that may be the lines of a long code: a shell
// makes spaces of its line breaks. ok tells that there is one.
func respaced(t []byte) (joined []byte, ok bool) {
	word, done := 0, 0
	for i, c := range t {
		if sixBits[c] != none {
			word++
			continue
		}
		if c == ' ' && word >= shortestLine && i+1 < len(t) && sixBits[t[i+1]] != none {
			if joined == nil {
				joined = make([]byte, 0, len(t)) // what grows leaves copies behind
			}
			joined = append(joined, t[done:i]...)
			done = i + 1
		}
		word = 0
	}
	if joined == nil {
		return nil, false
	}
	return append(joined, t[done:]...), true
}
