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

// index is an inverted index over entries: numbers 0 to n-1 given by whoever made it.
// It never changes. Of each term it keeps twice the number of entries that have it, and
// one more where it names the thing in some entry; then of each entry, in order: the
// distance from the one before, and twice the impact, and one more where the term names
// the thing there. The impact is idf times saturated weight, in 1/impactUnit. What names
// a thing is the last word of a phrase, or a compound.
type index struct {
	terms dictionary
	n     int
}

// indexing is an index that is being made.
type indexing struct {
	terms map[string]int32
	added []occurrence
	last  []int32 // of each term, where in added it stands last
	count []int32 // of each term, how many entries have it
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
func (x *indexing) add(entry int, tokens []token, factor float64, naming bool) {
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
func (x *indexing) occur(entry int, weight float64, names bool) {
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

// index is what was added, of n entries.
func (x *indexing) index(n int) index {
	of := make([][]occurrence, len(x.count)) // of each term
	for _, o := range x.added {
		of[o.term] = append(of[o.term], o)
	}
	made, last, kept := index{n: n}, "", []byte(nil)
	for _, term := range sorted(x.terms) {
		list := of[x.terms[term]]
		idf := idf(n, len(list))
		names := false
		for _, o := range list {
			names = names || o.names
		}
		kept = appendNumber(kept[:0], flagged(len(list), names))
		before := 0
		for _, o := range list {
			impact := idf * o.weight * (k1 + 1) / (o.weight + k1)
			kept = appendNumber(kept, int(o.entry)-before)
			kept = appendNumber(kept, flagged(int(math.Round(impact*impactUnit)), o.names))
			before = int(o.entry)
		}
		made.terms.put(last, term, kept)
		last = term
	}
	return made
}

// idf is how much a term says that df of n entries have.
func idf(n, df int) float64 {
	return math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5))
}

// flagged is a number and a yes or no in one.
func flagged(n int, yes bool) int {
	if yes {
		return 2*n + 1
	}
	return 2 * n
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
		if tok.cue || tok.part > 0 || !x.heads(t, tok.text) || head >= 0 && head == i-1 && x.holds(t, tokens, i) {
			continue
		}
		head = i
	}
	return head
}

// heads reports whether a word names the thing in some entry.
func (x *index) heads(t *tally, text string) bool {
	t.buf = append(t.buf[:0], text...)
	kept, _, known := x.terms.find(t.buf)
	return known && kept.next()%2 == 1
}

// holds reports whether a token is what the goods before it are sold in.
func (x *index) holds(t *tally, tokens []token, i int) bool {
	if !words.English().Holder[tokens[i].text] || !t.pair(tokens, i-1) {
		return false
	}
	_, _, compound := x.terms.find(t.buf)
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
	kept, _, ok := x.terms.find(t.buf)
	if !ok || weight == 0 {
		return ok
	}
	df := kept.next() / 2
	idf := int64(math.Round(idf(x.n, df)*impactUnit)) * weight
	if word && !cue {
		t.total += idf
	}
	entry := int32(0)
	for range df {
		entry += int32(kept.next()) //nolint:gosec // some thousand
		impact := kept.next()
		if t.score[entry] == 0 {
			t.touched = append(t.touched, entry)
		}
		t.score[entry] += int64(impact/2)*weight + 1
		if impact%2 == 1 {
			t.named[entry]++
		}
		if word && !cue {
			t.mass[entry] += idf
			t.content[entry]++
		}
	}
	return true
}
