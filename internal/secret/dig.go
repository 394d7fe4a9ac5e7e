package secret

import (
	"hash/maphash"
	"slices"
	"unicode/utf8"
)

// Depth is how many encodings within each other are undone.
const Depth = 5

// Unsearched is what [Finder.Names] says of a text that unpacks to more than it
// would search: nobody knows what is in the rest.
const Unsearched = "unsearched"

// mostWork bounds what one search looks at, in bytes, beside what its text and
// the encodings of it amount to: packed data may unpack to anything.
const (
	mostWork    = 64 << 20
	workPerByte = 64
)

// Names names the secrets and tokens that t holds, in order and each once. It
// undoes encodings within encodings, and compression.
func (f *Finder) Names(t []byte) []string {
	if f.idle() {
		return nil
	}
	s := search{finder: f, left: mostWork + workPerByte*len(t)}
	s.look(t, Depth)
	s.clean()
	slices.Sort(s.names)
	return slices.Compact(s.names)
}

// Has tells whether t holds a secret or a token, as [Finder.Names] would.
func (f *Finder) Has(t []byte) bool {
	if f.idle() {
		return false
	}
	s := search{finder: f, left: mostWork + workPerByte*len(t), one: true}
	s.look(t, Depth)
	s.clean()
	return len(s.names) > 0
}

// search is one search in one text.
type search struct {
	finder *Finder
	one    bool // the first finding is enough
	names  []string
	left   int // bytes that may still be looked at
	// seen has the texts that were looked at: undoing escapes in another order
	// often gives the same one.
	seen map[uint64]int
	// decoded has room for one decoded run at each depth.
	decoded [Depth][]byte
}

var seed = maphash.MakeSeed()

// clean leaves nothing of what was decoded: a process may have to forget it.
func (s *search) clean() {
	for _, b := range s.decoded {
		clear(b[:cap(b)])
	}
}

// over tells that nothing more is to be looked at, and pays for n bytes.
func (s *search) over(n int) bool {
	if s.one && len(s.names) > 0 {
		return true
	}
	if s.left -= n; s.left < 0 {
		s.names = append(s.names, Unsearched)
		return true
	}
	return false
}

// direct looks at a text as it is.
func (s *search) direct(t []byte) {
	for _, h := range s.finder.direct(t) {
		s.names = append(s.names, h.name)
		if s.one {
			return
		}
	}
}

// look looks at a text and at all that it may be the encoding of.
func (s *search) look(t []byte, depth int) {
	if len(t) < shortest || s.over(len(t)) || s.again(t, depth, false) {
		return
	}
	s.direct(t)
	if depth == 0 {
		return
	}
	if !isText(t) {
		s.bytes(t, depth)
		return
	}
	for _, kind := range unescapes {
		if plain, ok := kind.undo(t); ok {
			s.look(plain, depth-1)
			clear(plain)
		}
	}
	for _, join := range []func([]byte) ([]byte, bool){unwrapped, respaced} {
		if joined, ok := join(t); ok {
			s.direct(joined)
			s.runs(joined, depth-1)
			clear(joined)
		}
	}
	s.runs(t, depth-1)
}

// again tells whether t was looked at before, at that depth, and as a beginning
// or not.
func (s *search) again(t []byte, depth int, first bool) bool {
	sum := maphash.Bytes(seed, t)
	if first {
		sum++
	}
	if before, ok := s.seen[sum]; ok && before >= depth {
		return true
	}
	if s.seen == nil {
		s.seen = map[uint64]int{}
	}
	s.seen[sum] = depth
	return false
}

// bytes looks at what b, which is no text, may be made of.
func (s *search) bytes(b []byte, depth int) {
	for _, narrow := range narrowed(b) {
		s.look(narrow, depth-1)
		clear(narrow)
	}
	s.unpack(b, depth-1, true)
	s.stretches(b, depth)
}

// leastStretch is how long a code of a secret is at least, in bytes.
const leastStretch = shortest * 4 / 3

// stretches looks at each part of b that is text, and long enough to be the code
// of a secret: the rest of it may well be noise.
func (s *search) stretches(b []byte, depth int) {
	from := 0
	for i := 0; i <= len(b); {
		n := 0
		if i < len(b) && plainText[b[i]] {
			i++
			continue
		}
		if i < len(b) {
			n = textLength(b[i:])
		}
		if n > 0 {
			i += n
			continue
		}
		if i-from >= leastStretch && i-from < len(b) {
			s.look(b[from:i], depth)
		}
		i++
		from = i
	}
}

// isText tells whether t is text throughout.
func isText(t []byte) bool {
	for i := 0; i < len(t); {
		if plainText[t[i]] {
			i++
			continue
		}
		n := textLength(t[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// plainText are the characters of one byte that a text may hold.
var plainText = func() (is [256]bool) {
	for c := range utf8.RuneSelf {
		is[c] = c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t'
	}
	return is
}()

// textLength is how long the character is that t begins with if a text may hold
// it, 0 else.
func textLength(t []byte) int {
	switch c := t[0]; {
	case plainText[c]:
		return 1
	case c < 0xc2: // ASCII, or no first byte of a character
		return 0
	}
	if r, n := utf8.DecodeRune(t); r != utf8.RuneError {
		return n
	}
	return 0
}
