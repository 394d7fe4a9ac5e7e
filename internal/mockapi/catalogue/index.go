package catalogue

import (
	"math"

	"github.com/hsharness/hsharness/internal/words"
)

// The weights of BM25F, settled on titles of our own. Long entries are not held
// back (b = 0): a kind with many phrases is a common one.
const (
	k1 = 1.2 // how soon more weight stops to help

	headWeight  = 1.0  // the word of a phrase that names the thing
	soleWeight  = 2.0  // the only word of its phrase
	otherWeight = 0.45 // the words before it
	pairWeight  = 1.0  // its last two words, also written as one
	innerPair   = 0.4  // two words before the last

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
	heads    []bool  // terms that name the thing in some entry
	n        int

	// Only while building.
	added []occurrence
	last  []int32 // of each term, where in added it stands last
	count []int32 // of each term, how often it stands there
	buf   []byte
}

type occurrence struct {
	term, entry int32
	names       bool
	weight      float64
}

// add indexes tokens under an entry, the same as before or a later one, with a
// factor for the field they come from.
// A token names the thing when it is the last of part 0 in its segment.
func (x *index) add(entry int, tokens []token, factor float64, naming bool) {
	for i, t := range tokens {
		last := i+1 == len(tokens) || tokens[i+1].seg != t.seg
		names := naming && last && t.part == 0
		w := otherWeight
		switch {
		case names && len(tokens) == 1:
			w = soleWeight
		case names:
			w = headWeight
		}
		x.buf = append(x.buf[:0], t.text...)
		x.occur(entry, w*factor, names && !t.cue)
		if last {
			continue
		}
		x.buf = append(x.buf, tokens[i+1].text...)
		if i+2 == len(tokens) || tokens[i+2].seg != t.seg {
			// Two words of what it is made of name no goods: stainless steel.
			x.occur(entry, pairWeight*factor, naming && t.part == 0 && (!t.cue || !tokens[i+1].cue))
		} else {
			x.occur(entry, innerPair*factor, false)
		}
	}
}

// occur notes the term in x.buf. It counts once for an entry, by the best place
// where it stands.
func (x *index) occur(entry int, weight float64, names bool) {
	id, known := x.terms[string(x.buf)]
	if !known {
		id = int32(len(x.terms))
		x.terms[string(x.buf)] = id
		x.last, x.count = append(x.last, 0), append(x.count, 0)
	} else if o := &x.added[x.last[id]]; o.entry == int32(entry) {
		o.weight = max(o.weight, weight)
		o.names = o.names || names
		return
	}
	x.last[id] = int32(len(x.added))
	x.count[id]++
	x.added = append(x.added, occurrence{id, int32(entry), names, weight})
}

// finish turns what was added into postings for n entries.
func (x *index) finish(n int) {
	x.n = n
	x.postings = make([][]posting, len(x.count))
	x.heads = make([]bool, len(x.count))
	x.idf = make([]int32, len(x.count))
	idf := make([]float64, len(x.count))
	all := make([]posting, len(x.added))
	for id, df := range x.count {
		idf[id] = math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5))
		x.idf[id] = int32(math.Round(idf[id] * impactUnit))
		x.postings[id], all = all[:0:df], all[df:]
	}
	for _, o := range x.added {
		impact := idf[o.term] * o.weight * (k1 + 1) / (o.weight + k1)
		x.postings[o.term] = append(x.postings[o.term], posting{o.entry, int32(math.Round(impact * impactUnit)), o.names})
		x.heads[o.term] = x.heads[o.term] || o.names
	}
	x.added, x.last, x.count, x.buf = nil, nil, nil, nil
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
	tokens  []token
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
	head := x.head(t, tokens)
	for i, tok := range tokens {
		weight, cue := int64(plainWord), tok.cue
		switch {
		case i == head:
			weight = headWord
		case head >= 0 && i == head+1 && x.holds(t, tokens, i):
			cue = true
		}
		place := factor
		switch {
		case tok.part > 0:
			place = place * laterPart / 8
		case tok.seg > tokens[0].seg:
			place = place * laterSeg / 8
		}
		pair := t.pair(tokens, i) && x.tally(t, pairWord*place, false, false)
		if cue {
			weight = weight * cueFactor / 8
		}
		t.buf = append(t.buf[:0], tok.text...)
		if !x.tally(t, weight*place, true, cue) && !pair && !cue {
			t.unknown++
		}
	}
}

// head is the last word of the first segment that names goods somewhere, or -1.
// What they are sold in does not count after them: the jar of a honey jar.
func (x *index) head(t *tally, tokens []token) int {
	head := -1
	for i, tok := range tokens {
		if tok.seg != tokens[0].seg {
			break
		}
		id, known := x.terms[tok.text]
		if !known || tok.cue || tok.part > 0 || !x.heads[id] || head >= 0 && head == i-1 && x.holds(t, tokens, i) {
			continue
		}
		head = i
	}
	return head
}

// holds reports whether a token is what the goods before it are sold in.
func (x *index) holds(t *tally, tokens []token, i int) bool {
	if !words.English.Holder[tokens[i].text] || !t.pair(tokens, i-1) {
		return false
	}
	_, compound := x.terms[string(t.buf)]
	return !compound
}

// pair puts a token and the next into t.buf, and reports whether they stand
// side by side.
func (t *tally) pair(tokens []token, i int) bool {
	if i+1 >= len(tokens) || tokens[i+1].seg != tokens[i].seg {
		return false
	}
	t.buf = append(append(t.buf[:0], tokens[i].text...), tokens[i+1].text...)
	return true
}

// tally adds the postings of the term in t.buf and reports whether there are any.
func (x *index) tally(t *tally, weight int64, word, cue bool) bool {
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
