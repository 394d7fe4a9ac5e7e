package catalogue

import "math"

// similar finds the words of a ranker that share pieces of four and five letters with
// a word that may be none of them: earbuds and earbud, rainboots and boot.
type similar struct {
	from  []uint32 // of each piece, where its words begin in terms
	terms []int32
	rare  []int64 // of each piece, how much it says, in 1/impactUnit
	words int
}

const (
	pieces   = 1 << 16 // pieces that fall together count as one
	common   = 400     // a piece of more words than these finds none
	likeness = 4       // of a word's pieces a quarter must be shared
)

func newSimilar(r *ranker) similar {
	s := similar{from: make([]uint32, pieces+1), rare: make([]int64, pieces), words: len(r.postings)}
	type entry struct {
		text string
		id   int32
	}
	list := make([]entry, len(r.postings))
	for _, terms := range []map[string]int32{r.terms, r.fresh} {
		for text, id := range terms {
			list[id] = entry{text, id}
		}
	}
	var room []uint16
	words := 0
	for _, e := range list {
		if pair(e.text) {
			continue
		}
		words++
		room = split(room[:0], e.text)
		for _, p := range room {
			s.from[int(p)+1]++
		}
	}
	for p := range pieces {
		s.rare[p] = int64(math.Round(impactUnit * math.Log1p(float64(words)/float64(s.from[p+1]+1))))
		s.from[p+1] += s.from[p]
	}
	s.terms = make([]int32, s.from[pieces])
	at := append([]uint32(nil), s.from...)
	for _, e := range list {
		if pair(e.text) {
			continue
		}
		room = split(room[:0], e.text)
		for _, p := range room {
			s.terms[at[p]] = e.id
			at[p]++
		}
	}
	return s
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
