package catalogue

import (
	"encoding/binary"
	"math"
)

// similar finds the words of a ranker that share pieces of four and five letters with
// a word that may be none of them: earbuds and earbud, rainboots and boot.
//
// The body has blocks of perBlock pieces, and of each piece: how many words have it, how
// many bytes their numbers take, and these, in order, each as its distance from the one
// before; none where the piece is a common one.
type similar struct {
	words  int
	blocks []byte // where each block begins in body, as fixed says
	body   []byte
}

const (
	pieces   = 1 << 16 // pieces that fall together count as one
	common   = 400     // a piece of more words than these finds none
	likeness = 4       // of a word's pieces a quarter must be shared
)

// newSimilar finds the words among terms, whose numbers are their places.
func newSimilar(terms []string) similar {
	var s similar
	of := make([][]int, pieces)
	var room []uint16
	for id, term := range terms {
		if pair(term) {
			continue
		}
		s.words++
		room = split(room[:0], term)
		for _, p := range room {
			of[p] = append(of[p], id)
		}
	}
	var kept []byte
	for p, list := range of {
		if p%perBlock == 0 {
			s.blocks = binary.LittleEndian.AppendUint32(s.blocks, uint32(len(s.body))) //nolint:gosec // some hundred thousand
		}
		kept = kept[:0]
		if before := 0; len(list) <= common {
			for _, id := range list {
				kept = appendNumber(kept, id-before)
				before = id
			}
		}
		s.body = appendNumber(s.body, len(list))
		s.body = appendNumber(s.body, len(kept))
		s.body = append(s.body, kept...)
	}
	return s
}

// of is how many words have a piece, and the numbers of these, none where it is a
// common one.
func (s similar) of(piece uint16) (count int, ids numbers) {
	rest := numbers(s.body[binary.LittleEndian.Uint32(s.blocks[fixed*(int(piece)/perBlock):]):])
	for range piece % perBlock {
		rest.next()
		rest.take(rest.next())
	}
	return rest.next(), rest.take(rest.next())
}

// rare is how much a piece says that count words have, in 1/impactUnit.
func (s similar) rare(count int) int64 {
	return int64(math.Round(impactUnit * math.Log1p(float64(s.words)/float64(count+1))))
}

// pair tells whether a term is two words.
func pair(term string) bool {
	for i := range len(term) {
		if term[i] == ' ' {
			return true
		}
	}
	return false
}

// split appends the pieces of a word, each once: four and five letters, with a mark at
// its beginning and end.
func split(dst []uint16, text string) []uint16 {
	var buf [64]byte
	b := append(buf[:0], '^')
	b = append(append(b, text[:min(len(text), 60)]...), '$')
	for n := 4; n <= 5; n++ {
		for i := 0; i+n <= len(b); i++ {
			h := uint32(2166136261) // FNV-1a
			for _, c := range b[i : i+n] {
				h = (h ^ uint32(c)) * 16777619
			}
			p := uint16(h ^ h>>16) //nolint:gosec // folded on purpose
			seen := false
			for _, o := range dst {
				seen = seen || o == p
			}
			if !seen {
				dst = append(dst, p)
			}
		}
	}
	return dst
}
