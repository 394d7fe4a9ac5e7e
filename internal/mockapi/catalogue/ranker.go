package catalogue

import (
	"maps"
	"math"
	"slices"
	"sync"
)

// ranker finds headings for the words of a text by the words of public tables and of
// our own goods together. It never changes once it is made and is safe for
// concurrent use.
//
// Of each term, a word or two with a space between, it keeps how many headings have it,
// and of each, in order: the distance from the one before, and what it adds to the
// heading's score, in 1/impactUnit. Then how many codes the public tables mention it
// for, and of each, in order: the distance from the one before, and the level of the
// count (see levels).
type ranker struct {
	codes    []string         // six digits, in order; a heading as a whole ends in 00
	headings []string         // four digits, in order
	place    map[string]int32 // of each heading, in headings
	of       []int32          // of each code, its heading
	terms    dictionary
	prior    []int64 // of each heading, what shops sell: in 1/unit
	phrases  []int64 // of each heading, how many phrases our goods have: in 1/unit
	similar  similar
	room     sync.Pool
}

// learner is a ranker that is being made.
type learner struct {
	*ranker
	*lexicon
	fresh   map[string]int32 // terms that our goods alone have, after those of the lexicon
	added   [][]counted      // of each term, by heading
	phrases []int            // of each heading
	key     []byte
}

// What a word of our own phrases counts beside one of the nomenclature: the only word
// of its phrase, the last or a pair, and those before.
const (
	ownSole = 6
	ownName = 3
	ownWord = 0.7
)

// unit is one in the whole numbers that headings are compared by.
const unit = 4096

// How the words of a heading count, as BM25 has it.
const (
	headingK1 = 1.2
	headingB  = 0.4
)

// newRanker is a ranker that knows its codes and headings alone.
func newRanker(codes []string) *ranker {
	r := &ranker{codes: codes, place: make(map[string]int32), of: make([]int32, len(codes))}
	for i, code := range codes {
		if n := len(r.headings); n == 0 || r.headings[n-1] != code[:4] {
			r.place[code[:4]] = int32(n) //nolint:gosec // some thousand
			r.headings = append(r.headings, code[:4])
		}
		r.of[i] = int32(len(r.headings) - 1) //nolint:gosec // some thousand
	}
	n := len(r.headings)
	r.phrases, r.prior = make([]int64, n), make([]int64, n)
	r.sell()
	return r
}

// has sets how many phrases our goods have for each heading.
func (r *ranker) has(phrases []int) {
	for h, count := range phrases {
		r.phrases[h] = int64(math.Round(unit * math.Log1p(float64(count))))
	}
}

// newLearner is a learner that has yet to learn our own goods.
func newLearner(x *lexicon) *learner {
	l := &learner{
		ranker: newRanker(x.codes), lexicon: x, fresh: make(map[string]int32, len(x.terms)),
		added: make([][]counted, len(x.terms), 2*len(x.terms)),
	}
	l.phrases = make([]int, len(l.headings))
	return l
}

// counted is how much a heading says a term.
type counted struct {
	heading int32
	count   float32
}

// learn counts the words of a phrase for the heading of our own goods.
func (r *learner) learn(hs6 string, tokens []token) {
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
func (r *learner) note(h int32, weight float32) {
	id, known := r.term(r.key)
	if !known {
		id = int32(len(r.added)) //nolint:gosec // some ten thousand
		r.fresh[string(r.key)] = id
		r.added = append(r.added, nil)
	}
	r.added[id] = gather(r.added[id], counted{h, weight})
}

// learned is the ranker, when the last goods were learned.
func (r *learner) learned() *ranker {
	of := make([][]counted, len(r.added)) // of each term
	length := make([]float64, len(r.headings))
	total := 0.0
	for id := range r.added {
		of[id] = r.merged(id)
		for _, c := range of[id] {
			length[c.heading] += float64(c.count)
			total += float64(c.count)
		}
	}
	n := float64(len(r.headings))
	for h := range length {
		length[h] = headingK1 * (1 - headingB + headingB*length[h]*n/total)
	}
	ids := make(map[string]int32, len(of))
	maps.Copy(ids, r.lexicon.terms)
	maps.Copy(ids, r.fresh)
	terms, last, kept := sorted(ids), "", []byte(nil)
	for _, term := range terms {
		id := ids[term]
		idf := idf(len(r.headings), len(of[id]))
		kept = appendNumber(kept[:0], len(of[id]))
		before := 0
		for _, c := range of[id] {
			v := idf * float64(c.count) * (headingK1 + 1) / (float64(c.count) + length[c.heading])
			kept = appendNumber(kept, int(c.heading)-before)
			kept = appendNumber(kept, int(math.Round(v*impactUnit)))
			before = int(c.heading)
		}
		kept = r.appendMentions(kept, int(id))
		r.ranker.terms.put(last, term, kept)
		last = term
	}
	r.has(r.phrases)
	r.similar = newSimilar(terms)
	return r.ranker
}

// merged is how much each heading says a term, by the lexicon and by our own goods.
func (r *learner) merged(id int) []counted {
	var room []counted
	if id < len(r.from)-1 {
		for i := r.from[id]; i < r.from[id+1]; i++ {
			room = gather(room, counted{r.of[r.code[i]], counts[r.level[i]]})
		}
	}
	added := r.added[id]
	slices.SortStableFunc(added, func(a, b counted) int { return int(a.heading - b.heading) })
	merged := make([]counted, 0, len(room)+len(added))
	for i, j := 0, 0; i < len(room) || j < len(added); {
		if j == len(added) || i < len(room) && room[i].heading <= added[j].heading {
			merged = gather(merged, room[i])
			i++
			continue
		}
		merged = gather(merged, added[j])
		j++
	}
	return merged
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
func (r *learner) term(key []byte) (int32, bool) {
	if id, ok := r.lexicon.terms[string(key)]; ok {
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
