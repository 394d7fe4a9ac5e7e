package catalogue

import (
	"math"
	"slices"
	"sync"
)

// ranker finds headings for the words of a text by the words of public tables and of
// our own goods together. It never changes once it is made and is safe for
// concurrent use.
type ranker struct {
	*lexicon
	headings []string         // four digits, in order
	place    map[string]int32 // of each heading, in headings
	of       []int32          // of each code of the lexicon, its heading
	fresh    map[string]int32 // terms that our goods alone have, after those of the lexicon
	postings [][]impact       // of each term, by heading
	prior    []int64          // of each heading, what shops sell: in 1/unit
	phrases  []int64          // of each heading, how many phrases our goods have: in 1/unit
	similar  similar
	room     sync.Pool

	// Only while it learns.
	added [][]counted // of each term, by heading
	key   []byte
}

// What a word of our own phrases counts beside one of the nomenclature: the only word
// of its phrase, the last or a pair, and those before.
const (
	ownSole = 6
	ownName = 3
	ownWord = 0.7
)

// impact is what a term adds to a heading's score, in 1/impactUnit.
type impact struct {
	heading, value uint16
}

// unit is one in the whole numbers that headings are compared by.
const unit = 4096

// How the words of a heading count, as BM25 has it.
const (
	headingK1 = 1.2
	headingB  = 0.4
)

// newRanker is a ranker that has yet to learn our own goods.
func newRanker(x *lexicon) *ranker {
	r := &ranker{
		lexicon: x, place: make(map[string]int32), of: make([]int32, len(x.codes)),
		fresh: make(map[string]int32, len(x.terms)), added: make([][]counted, len(x.terms), 2*len(x.terms)),
	}
	for i, code := range x.codes {
		if n := len(r.headings); n == 0 || r.headings[n-1] != code[:4] {
			r.place[code[:4]] = int32(n) //nolint:gosec // some thousand
			r.headings = append(r.headings, code[:4])
		}
		r.of[i] = int32(len(r.headings) - 1) //nolint:gosec // some thousand
	}
	n := len(r.headings)
	r.phrases, r.prior = make([]int64, n), make([]int64, n)
	return r
}

// finish makes the ranker ready when it has learned the last goods.
func (r *ranker) finish() {
	r.weigh()
	for h, count := range r.phrases {
		r.phrases[h] = int64(math.Round(unit * math.Log1p(float64(count))))
	}
	r.sell()
	r.similar = newSimilar(r)
}

// counted is how much a heading says a term.
type counted struct {
	heading int32
	count   float32
}

// learn counts the words of a phrase for the heading of our own goods.
func (r *ranker) learn(hs6 string, tokens []token) {
	h, ok := r.place[hs6[:4]]
	if !ok || len(tokens) == 0 {
		return
	}
	r.phrases[h]++
	for i, t := range tokens {
		r.key = append(r.key[:0], t.text...)
		last := i+1 == len(tokens) || tokens[i+1].seg != t.seg
		switch {
		case last && len(tokens) == 1:
			r.note(h, ownSole)
			continue
		case last:
			r.note(h, ownName)
			continue
		}
		r.note(h, ownWord)
		r.key = append(append(r.key, ' '), tokens[i+1].text...)
		r.note(h, ownName)
	}
}

// note adds to what a heading has of the term in r.key.
func (r *ranker) note(h int32, weight float32) {
	id, known := r.term(r.key)
	if !known {
		id = int32(len(r.added)) //nolint:gosec // some ten thousand
		r.fresh[string(r.key)] = id
		r.added = append(r.added, nil)
	}
	r.added[id] = gather(r.added[id], counted{h, weight})
}

// weigh makes the postings of the lexicon's counts and those added.
func (r *ranker) weigh() {
	added := r.added
	length := make([]float64, len(r.headings))
	total := 0.0
	all := make([][]counted, len(added))
	var room []counted
	for id := range added {
		room = room[:0]
		if id < len(r.from)-1 {
			for i := r.from[id]; i < r.from[id+1]; i++ {
				room = gather(room, counted{r.of[r.code[i]], r.count[i]})
			}
		}
		slices.SortStableFunc(added[id], func(a, b counted) int { return int(a.heading - b.heading) })
		merged := make([]counted, 0, len(room)+len(added[id]))
		for i, j := 0, 0; i < len(room) || j < len(added[id]); {
			if j == len(added[id]) || i < len(room) && room[i].heading <= added[id][j].heading {
				merged = gather(merged, room[i])
				i++
				continue
			}
			merged = gather(merged, added[id][j])
			j++
		}
		all[id] = merged
		for _, c := range merged {
			length[c.heading] += float64(c.count)
			total += float64(c.count)
		}
	}
	n := float64(len(r.headings))
	for h := range length {
		length[h] = headingK1 * (1 - headingB + headingB*length[h]*n/total)
	}
	r.added = nil
	r.postings = make([][]impact, len(all))
	for id, list := range all {
		df := float64(len(list))
		idf := math.Log(1 + (n-df+0.5)/(df+0.5))
		r.postings[id] = make([]impact, len(list))
		for i, c := range list {
			v := idf * float64(c.count) * (headingK1 + 1) / (float64(c.count) + length[c.heading])
			r.postings[id][i] = impact{uint16(c.heading), uint16(math.Round(v * impactUnit))} //nolint:gosec // idf is below 8, the rest below 2.2
		}
	}
}

// gather adds to the last of a list, or after it.
func gather(list []counted, c counted) []counted {
	if n := len(list); n > 0 && list[n-1].heading == c.heading {
		list[n-1].count += c.count
		return list
	}
	return append(list, c)
}

// term is the number of a term.
func (r *ranker) term(key []byte) (int32, bool) {
	if id, ok := r.terms[string(key)]; ok {
		return id, true
	}
	id, ok := r.fresh[string(key)]
	return id, ok
}

// word is a token with what it counts, in 1/1000.
type word struct {
	token
	weight int64
	early  bool // in the first half, and before "for" or "with"
}

// What a token of a text counts, in 1/1000.
const (
	plainToken = 1000
	headToken  = 1600
	partTenths = 4 // after "for" or "with": tenths of the above
	cueTenths  = 6 // for whom, of what
)

// weigh says what each token of a text counts. head is the place of the token that
// names the goods, or -1.
func weighWords(dst []word, tokens []token, head int) []word {
	for i, t := range tokens {
		w := word{token: t, weight: plainToken, early: i <= len(tokens)/2 && t.part == 0}
		if i == head {
			w.weight = headToken
		}
		if t.part > 0 {
			w.weight = w.weight * partTenths / 10
		}
		if t.cue {
			w.weight = w.weight * cueTenths / 10
		}
		dst = append(dst, w)
	}
	return dst
}
