package catalogue

import (
	"cmp"
	"math"
	"slices"
)

// The weights of BM25F, settled on titles of our own (see TestTitles).
const (
	k1         = 1.2  // how soon repetition stops to help
	lengthNorm = 0.15 // how much a long entry is held back

	headWeight  = 1.0  // the word of a phrase that names the thing
	otherWeight = 0.45 // the words before it
	pairWeight  = 1.0  // two words side by side, also written as one
	nameFactor  = 1.4  // a phrase that is the kind's own name

	impactUnit = 1024 // scores are whole numbers, so that sums do not depend on order or machine
)

// How much a word of a text counts, in eighths.
const (
	plainWord = 8
	headWord  = 11 // the last word before "for", "with" or a comma
	pairWord  = 10
	cueFactor = 3 // for whom, of what: eighths of the above
	laterSeg  = 6 // after a comma
	laterPart = 2 // after "for" or "with"
)

// posting says that an entry has a term.
type posting struct {
	entry  int32
	impact int32 // idf times saturated weight, in 1/impactUnit
	names  bool  // the term names the thing: the last word of a phrase, or a compound
}

// index is an inverted index over entries: numbers 0 to n-1 given by the
// caller. It is not changed once finish has returned.
type index struct {
	terms    map[string]int32
	postings [][]posting
	idf      []int32 // of each term, in 1/impactUnit
	n        int

	// Only while building.
	added   []occurrence
	lengths []float64
	buf     []byte
}

type occurrence struct {
	term, entry int32
	weight      float64
	names       bool
}

// add indexes tokens under an entry with a factor for the field they come from.
// A token names the thing when it is the last of part 0 in its segment.
func (x *index) add(entry int, tokens []token, factor float64, naming bool) {
	for len(x.lengths) <= entry {
		x.lengths = append(x.lengths, 0)
	}
	for i, t := range tokens {
		last := i+1 == len(tokens) || tokens[i+1].seg != t.seg
		names := naming && last && t.part == 0
		w := otherWeight
		if names {
			w = headWeight
		}
		x.buf = append(x.buf[:0], t.text...)
		x.occur(entry, w*factor, names && !t.cue)
		if !last {
			x.buf = append(x.buf, tokens[i+1].text...)
			x.occur(entry, pairWeight*factor, naming)
		}
	}
}

func (x *index) occur(entry int, weight float64, names bool) {
	id, ok := x.terms[string(x.buf)]
	if !ok {
		id = int32(len(x.terms))
		x.terms[string(x.buf)] = id
	}
	x.added = append(x.added, occurrence{id, int32(entry), weight, names})
	x.lengths[entry] += weight
}

// finish turns what was added into postings for n entries.
func (x *index) finish(n int) {
	x.n = n
	var total float64
	for _, l := range x.lengths {
		total += l
	}
	average := max(total/float64(max(n, 1)), 1e-9)
	slices.SortStableFunc(x.added, func(a, b occurrence) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.entry, b.entry))
	})
	x.postings = make([][]posting, len(x.terms))
	x.idf = make([]int32, len(x.terms))
	for rest := x.added; len(rest) > 0; {
		var merged []occurrence
		end := 0
		for end < len(rest) && rest[end].term == rest[0].term {
			if o := rest[end]; len(merged) > 0 && merged[len(merged)-1].entry == o.entry {
				m := &merged[len(merged)-1]
				m.weight += o.weight
				m.names = m.names || o.names
			} else {
				merged = append(merged, o)
			}
			end++
		}
		df := float64(len(merged))
		idf := math.Log(1 + (float64(n)-df+0.5)/(df+0.5))
		list := make([]posting, len(merged))
		for i, m := range merged {
			norm := k1 * (1 - lengthNorm + lengthNorm*x.lengths[m.entry]/average)
			impact := idf * m.weight * (k1 + 1) / (m.weight + norm)
			list[i] = posting{m.entry, int32(math.Round(impact * impactUnit)), m.names}
		}
		x.postings[rest[0].term] = list
		x.idf[rest[0].term] = int32(math.Round(idf * impactUnit))
		rest = rest[end:]
	}
	x.added, x.lengths, x.buf = nil, nil, nil
}

// tally is what a search found out about each entry. The zero tally is made
// for its index by begin.
type tally struct {
	score   []int64 // the entry's score
	mass    []int64 // idf of the words it explains, each by its weight
	named   []int16 // terms that name the thing
	content []int16 // words that are no cue
	touched []int32
	total   int64 // idf of all words of the text that say what the goods are
	unknown int   // words that no entry has
	buf     []byte
}

func (t *tally) begin(n int) {
	if len(t.score) < n {
		t.score, t.mass = make([]int64, n), make([]int64, n)
		t.named, t.content = make([]int16, n), make([]int16, n)
	}
	for _, e := range t.touched {
		t.score[e], t.mass[e], t.named[e], t.content[e] = 0, 0, 0, 0
	}
	t.touched, t.total, t.unknown = t.touched[:0], 0, 0
}

// search adds up what each entry has of the tokens. factor is in eighths.
func (x *index) search(t *tally, tokens []token, factor int64) {
	head := -1 // the last known word of the first segment that is no cue
	for i, tok := range tokens {
		if _, known := x.terms[tok.text]; known && !tok.cue && tok.part == 0 && tok.seg == tokens[0].seg {
			head = i
		}
	}
	for i, tok := range tokens {
		weight := int64(plainWord)
		if i == head {
			weight = headWord
		}
		place := factor
		switch {
		case tok.part > 0:
			place = place * laterPart / 8
		case tok.seg > tokens[0].seg:
			place = place * laterSeg / 8
		}
		pair := false
		if i+1 < len(tokens) && tokens[i+1].seg == tok.seg {
			t.buf = append(append(t.buf[:0], tok.text...), tokens[i+1].text...)
			pair = x.count(t, pairWord*place, false, false)
		}
		if tok.cue {
			weight = weight * cueFactor / 8
		}
		t.buf = append(t.buf[:0], tok.text...)
		if !x.count(t, weight*place, true, tok.cue) && !pair && !tok.cue {
			t.unknown++
		}
	}
}

// count adds the postings of the term in t.buf and reports whether there are any.
func (x *index) count(t *tally, weight int64, word, cue bool) bool {
	id, ok := x.terms[string(t.buf)]
	if !ok || weight == 0 {
		return ok
	}
	idf := int64(x.idf[id]) * weight
	if word && !cue {
		t.total += idf
	}
	for _, p := range x.postings[id] {
		if t.score[p.entry] == 0 {
			t.touched = append(t.touched, p.entry)
		}
		t.score[p.entry] += int64(p.impact)*weight + 1
		if p.names {
			t.named[p.entry]++
		}
		if word && !cue {
			t.mass[p.entry] += idf
			t.content[p.entry]++
		}
	}
	return true
}
