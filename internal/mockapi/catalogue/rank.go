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
	s := &sums{says: make([]bool, n), code: make([]int64, len(r.codes)), alike: make([]int64, len(r.postings)), score: make([]int64, n)}
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
	id, known := r.term(s.key)
	if !known {
		return
	}
	best := int64(0)
	for _, p := range r.postings[id] {
		v := int64(p.value) * weight
		best = max(best, v)
		s.clue[clueWords][p.heading] += v
		if early {
			s.clue[clueEarly][p.heading] += v
		}
		s.says[p.heading] = s.says[p.heading] || says
	}
	s.most += best
	if int(id) < len(r.from)-1 {
		spread := int64(r.from[id+1] - r.from[id])
		for i := r.from[id]; i < r.from[id+1]; i++ {
			s.code[r.code[i]] += weight * int64(16*min(r.count[i], 4)) / (spread + 8)
		}
	}
}

// like counts the words that share pieces with w, by the square of what they share.
func (r *ranker) like(s *sums, w word) {
	s.pieces = split(s.pieces[:0], w.text)
	whole := int64(0)
	for _, p := range s.pieces {
		rare := r.similar.rare[p]
		whole += rare
		terms := r.similar.terms[r.similar.from[p]:r.similar.from[int(p)+1]]
		if len(terms) > common {
			continue
		}
		for _, id := range terms {
			if s.alike[id] == 0 {
				s.touched = append(s.touched, id)
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
		for _, p := range r.postings[id] {
			s.clue[clueLike][p.heading] += int64(p.value) * factor
			if 2*shared > whole && !w.cue {
				s.says[p.heading] = true
			}
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
