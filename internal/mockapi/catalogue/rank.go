package catalogue

// The clues by which headings are compared, each 0 to 1 in whole numbers (unit): what
// the best heading of a clue has is 1, but for the last two.
const (
	clueGoods   = iota // our own goods that have the words, the best of a heading
	clueWords          // words and pairs of words, all
	clueEarly          // those of the first half of the text
	clueLike           // words alike
	cluePhrases        // how many phrases we have for the heading
	clueShops          // how often shops sell it
	clues
)

// weights is what each clue counts, in 1/1000. They are learned: see fit_test.go.
var weights = [clues]int64{1000, 2100, 1100, 2200, 80, 450}

// sums is room for one ranking: what each heading has of each clue.
type sums struct {
	clue    [clues][]int64
	says    []bool  // a word that is no cue speaks for the heading
	code    []int64 // of each code of the lexicon
	alike   []int64 // of each term, what of its pieces the word at hand has
	touched []int32
	words   []word
	pieces  []uint16
	key     []byte
	order   []int32
	score   []int64
	most    int64 // what clueWords would be if all words spoke most for one heading
	raw     int64 // what it is for the heading that has most
}

func (r *ranker) sums() *sums {
	if s, ok := r.room.Get().(*sums); ok {
		for c := range cluePhrases {
			clear(s.clue[c])
		}
		clear(s.says)
		clear(s.code)
		s.words, s.order, s.most = s.words[:0], s.order[:0], 0
		return s
	}
	n := len(r.headings)
	s := &sums{says: make([]bool, n), code: make([]int64, len(r.codes)), alike: make([]int64, r.terms.n), score: make([]int64, n)}
	for c := range cluePhrases {
		s.clue[c] = make([]int64, n)
	}
	s.clue[cluePhrases], s.clue[clueShops] = r.phrases, r.prior
	return s
}

// read adds what the words of s say to its clues.
func (r *ranker) read(s *sums) {
	for i, w := range s.words {
		s.key = append(s.key[:0], w.text...)
		if !repeated(s.words[:i], w) {
			r.add(s, w.weight, w.early, !w.cue)
			r.like(s, w)
		}
		if i+1 < len(s.words) && s.words[i+1].seg == w.seg {
			next := s.words[i+1]
			s.key = append(append(s.key, ' '), next.text...)
			r.add(s, min(w.weight, next.weight), w.early && next.early, false)
		}
	}
	for c := range cluePhrases {
		top := scale(s.clue[c])
		if c == clueWords {
			s.raw = top
		}
	}
}

// repeated tells whether a word stands among those before it.
func repeated(before []word, w word) bool {
	for _, b := range before {
		if b.text == w.text && b.weight >= w.weight {
			return true
		}
	}
	return false
}

// add counts the term in s.key for the headings and codes that have it.
func (r *ranker) add(s *sums, weight int64, early, says bool) {
	kept, _, known := r.terms.find(s.key)
	if !known {
		return
	}
	best, h := int64(0), 0
	for range kept.next() {
		h += kept.next()
		v := int64(kept.next()) * weight
		best = max(best, v)
		s.clue[clueWords][h] += v
		if early {
			s.clue[clueEarly][h] += v
		}
		s.says[h] = s.says[h] || says
	}
	s.most += best
	spread, code := kept.next(), 0
	for range spread {
		code += kept.next()
		s.code[code] += weight * int64(16*min(counts[kept.next()], 4)) / (int64(spread) + 8)
	}
}

// like counts the words that share pieces with w, by the square of what they share.
func (r *ranker) like(s *sums, w word) {
	s.pieces = split(s.pieces[:0], w.text)
	whole := int64(0)
	for _, p := range s.pieces {
		count, ids := r.similar.of(p)
		rare := r.similar.rare(count)
		whole += rare
		for id := 0; len(ids) > 0; {
			id += ids.next()
			if s.alike[id] == 0 {
				s.touched = append(s.touched, int32(id)) //nolint:gosec // some ten thousand
			}
			s.alike[id] += rare
		}
	}
	for _, id := range s.touched {
		shared := s.alike[id]
		s.alike[id] = 0
		if likeness*shared < whole {
			continue
		}
		part := shared * 1024 / whole
		factor := w.weight * part / 1024 * part / 1024
		says := 2*shared > whole && !w.cue
		kept, h := r.terms.at(int(id)), 0
		for range kept.next() {
			h += kept.next()
			s.clue[clueLike][h] += int64(kept.next()) * factor
			s.says[h] = s.says[h] || says
		}
	}
	s.touched = s.touched[:0]
}

// scale makes the greatest of the values one unit, and returns what it was.
func scale(values []int64) int64 {
	top := int64(0)
	for _, v := range values {
		top = max(top, v)
	}
	for i, v := range values {
		if v > 0 {
			values[i] = v * unit / top
		}
	}
	return top
}

// rank puts the headings into order that may name the goods: the higher score, then
// the lower heading.
func (r *ranker) rank(s *sums, may func(heading int32) bool) {
	for h := range s.score {
		if !may(int32(h)) { //nolint:gosec // some thousand
			continue
		}
		score := int64(0)
		for c, weight := range weights {
			score += weight * s.clue[c][h]
		}
		s.score[h] = score
		s.order = append(s.order, int32(h)) //nolint:gosec // some thousand
	}
}
