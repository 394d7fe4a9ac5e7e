package secret

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"unicode/utf8"
)

// needle is one spelling of a secret. Each of its bytes may be found as it is
// or as an escape, in any mix.
type needle struct {
	name, mark string
	text       []byte
	// fold tells that letters are found in either case.
	fold bool
	// base64 tells that text is the part of an encoded secret that its
	// neighbours do not change. The characters before and after it hold bits of
	// both: lead and tail mask the neighbour's bits, 0 where nothing is shared.
	base64     bool
	lead, tail byte
}

// needles are the spellings of one secret that can be replaced where they
// stand: itself, backwards, in hexadecimal, and in base64 at the three places
// where it can begin within a group of three bytes. base64url is the same but
// for two characters, which the search folds.
func needles(name, value string) []*needle {
	m := mark(name, value, namedDigits)
	coded := make([]byte, hex.EncodedLen(len(value)))
	hex.Encode(coded, []byte(value))
	all := []*needle{
		{name: name, mark: m, text: []byte(value), fold: true},
		{name: name, mark: m, text: backwards([]byte(value)), fold: true},
		{name: name, mark: m, text: coded, fold: true},
	}
	for offset := range 3 {
		from := append(make([]byte, offset), value...)
		coded := make([]byte, base64.RawStdEncoding.EncodedLen(len(from)))
		base64.RawStdEncoding.Encode(coded, from)
		clear(from)
		n := &needle{name: name, mark: m, base64: true}
		n.lead = [3]byte{0, 0b110000, 0b111100}[offset]
		n.tail = [3]byte{0, 0b001111, 0b000011}[(offset+len(value))%3]
		n.text = coded[(offset*8+5)/6 : (offset+len(value))*8/6]
		all = append(all, n)
	}
	return all
}

// backwards is text with its characters in the other order.
func backwards(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		_, n := utf8.DecodeLastRune(text)
		out = append(out, text[len(text)-n:]...)
		text = text[:len(text)-n]
	}
	return out
}

// begins lists the bytes that may stand for one byte of the needle, escapes
// aside.
func (n *needle) begins(i int) []byte {
	c := n.text[i]
	out := []byte{c}
	switch {
	case n.base64 && c == '+':
		out = append(out, '-')
	case n.base64 && c == '/':
		out = append(out, '_')
	case c == ' ':
		out = append(out, '+')
	case n.fold && lower(c) != upper(c):
		out = []byte{lower(c), upper(c)}
	}
	return out
}

// is tells whether c stands for the byte want of the needle.
func (n *needle) is(c, want byte) bool {
	switch {
	case c == want, c == '+' && want == ' ':
		return true
	case n.base64:
		return c == '-' && want == '+' || c == '_' && want == '/'
	case n.fold:
		return lower(c) == lower(want)
	}
	return false
}

func (n *needle) are(text, want []byte) bool {
	if len(text) > len(want) {
		return false
	}
	for i, c := range text {
		if !n.is(c, want[i]) {
			return false
		}
	}
	return true
}

// mostForks bounds how often a search may look at both readings of one
// character. Only a secret that is made of escapes has more than a few.
const mostForks = 64

// spelled is how many bytes at the start of t spell the needle; 0 is none.
func (n *needle) spelled(t []byte) int {
	forks := mostForks
	return n.rest(t, n.text, &forks)
}

func (n *needle) rest(t, want []byte, forks *int) int {
	i := 0
	for len(want) > 0 {
		if i >= len(t) {
			return 0
		}
		c := t[i]
		same := n.is(c, want[0])
		if !opens[c] {
			if !same {
				return 0
			}
			i, want = i+1, want[1:]
			continue
		}
		u, used := escaped(t[i:])
		escape := len(u) > 0 && n.are(u, want)
		switch {
		case same && escape:
			if *forks--; *forks < 0 {
				return 0
			}
			if len(want) == 1 {
				return i + 1
			}
			if more := n.rest(t[i+1:], want[1:], forks); more > 0 {
				return i + 1 + more
			}
			i, want = i+used, want[len(u):]
		case same:
			i, want = i+1, want[1:]
		case escape:
			i, want = i+used, want[len(u):]
		default:
			return 0
		}
	}
	return i
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// longest orders needles so that a part never hides the whole.
func longest(all []*needle) {
	slices.SortStableFunc(all, func(a, b *needle) int { return len(b.text) - len(a.text) })
}
