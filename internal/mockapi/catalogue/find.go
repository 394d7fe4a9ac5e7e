package catalogue

import (
	"cmp"
	"math"
	"slices"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// find returns at most n matches: the best kind of each of the best headings, and then
// further kinds.
func (c *Catalogue) find(q Query, n int) []Match {
	if n < 1 {
		return nil
	}
	t, _ := c.tally.Get().(*tally)
	if t == nil {
		t = new(tally)
	}
	defer c.tally.Put(t)
	s := c.ranker.sums()
	defer c.ranker.room.Put(s)
	c.read(q, t, s)
	c.ranker.rank(s, func(h int32) bool { return s.clue[clueGoods][h] > 0 && c.names(t, h) || c.whole && s.says[h] })
	if len(s.order) == 0 {
		return nil
	}
	slices.SortFunc(s.order, func(a, b int32) int { return cmp.Or(cmp.Compare(s.score[b], s.score[a]), cmp.Compare(a, b)) })
	limit := c.confidence(t, s)
	var out []Match
	for _, h := range s.order[:min(n, len(s.order))] {
		if len(out) > 0 {
			limit = min(limit, (1-out[0].Confidence)*share(s, h))
		}
		out = append(out, Match{Kind: c.choose(t, s, h), Confidence: hundredths(limit)})
	}
	for _, e := range c.best(t, n) {
		if len(out) < n && !slices.ContainsFunc(out, func(m Match) bool { return m.HS6 == c.kinds[e].HS6 }) {
			out = append(out, Match{Kind: c.kinds[e], Confidence: out[len(out)-1].Confidence})
		}
	}
	return out
}

// read fills the tally and the sums with what a query says.
func (c *Catalogue) read(q Query, t *tally, s *sums) {
	t.begin(c.index.n)
	t.tokens = tokenize(t.tokens[:0], q.Text, false)
	said := wearer(t.tokens)
	c.index.search(t, t.tokens, 8)
	s.words = weighWords(s.words, t.tokens, c.index.head(t, t.tokens))
	for i, more := range q.More {
		if i == maxMore {
			break
		}
		t.tokens = tokenize(t.tokens[:0], more, false)
		c.index.search(t, t.tokens, 4)
		from := len(s.words)
		s.words = weighWords(s.words, t.tokens, -1)
		for j := range s.words[from:] {
			w := &s.words[from+j]
			w.weight, w.early = w.weight/2, false
			w.seg += 1000 * (i + 1) // another text: no pair with the words before
		}
	}
	c.wearers(t, said)
	for _, e := range t.touched {
		h, ok := c.ranker.place[c.kinds[e].HS6[:4]]
		if !ok {
			continue
		}
		score := t.score[e]
		if !saysWhat(t, e) {
			score /= 2
		}
		s.clue[clueGoods][h] = max(s.clue[clueGoods][h], score)
	}
	c.ranker.read(s)
}

// names tells whether a kind of a heading was found by what it is.
func (c *Catalogue) names(t *tally, h int32) bool {
	return slices.ContainsFunc(c.under[h], func(e int32) bool { return t.score[e] > 0 && saysWhat(t, e) })
}

// choose returns the kind of a heading that the text fits best: by our own words for
// it, and by those that the nomenclatures have for its code. Ours count less where there
// are words that they lack.
func (c *Catalogue) choose(t *tally, s *sums, h int32) Kind {
	var best Kind
	top := int64(-1)
	try := func(k Kind, score int64) {
		if score > top || score == top && k.HS6 < best.HS6 {
			best, top = k, score
		}
	}
	var most, mentions int64
	for _, e := range c.under[h] {
		most = max(most, t.score[e])
	}
	ours := int64(unit * (1 - min(1, float64(t.unknown)/float64(max(1, len(s.words))))))
	codes := c.ranker.under(h)
	for i := codes.from; i < codes.to; i++ {
		mentions = max(mentions, s.code[i])
	}
	mentioned := func(code string) int64 {
		if i, ok := slices.BinarySearch(c.ranker.codes[codes.from:codes.to], code); ok && mentions > 0 {
			return s.code[codes.from+i] * unit / mentions * codeTenths / 10
		}
		return 0
	}
	for _, e := range c.under[h] {
		score := mentioned(c.kinds[e].HS6)
		if most > 0 {
			score += t.score[e] * ours / most
		}
		try(c.kinds[e], score)
	}
	if !c.whole {
		return best
	}
	for _, l := range nomenclature.HS().Under(c.ranker.headings[h]) {
		if _, ours := c.byCode[l.Code]; !ours && len(l.Code) == 6 {
			try(Kind{HS6: l.Code, Name: l.Path[len(l.Path)-1]}, mentioned(l.Code))
		}
	}
	return best
}

// codeTenths is what the nomenclatures' words count beside our own, in tenths.
const codeTenths = 6

// span is some codes of the lexicon, by their places.
type span struct{ from, to int }

// under is where the codes of a heading stand.
func (r *ranker) under(h int32) span {
	from, _ := slices.BinarySearch(r.of, h)
	to, _ := slices.BinarySearch(r.of, h+1)
	return span{from, to}
}

// share is the part of all belief that a heading has.
func share(s *sums, h int32) float64 {
	total := 0.0
	for _, o := range s.order {
		total += math.Exp(float64(s.score[o]-s.score[s.order[0]]) / (1000 * unit))
	}
	return math.Exp(float64(s.score[h]-s.score[s.order[0]])/(1000*unit)) / total
}

// belief is what the parts of a confidence count in the logarithm of its odds. It is
// fitted to answers of which it is known whether they are right, on texts that the
// words were not learned from: see docs/mock-api.md.
var belief = struct{ base, share, known, length, agree, ours, words, like float64 }{
	base: -4.37, share: 0.435, known: 1.71, length: 0.615, agree: 3.39, ours: -0.75, words: -0.41, like: 0.98,
}

// confidence is how often a first answer like this one is right.
func (c *Catalogue) confidence(t *tally, s *sums) float64 {
	best, n := s.order[0], float64(max(1, len(s.words)))
	clue := func(k int) float64 { return float64(s.clue[k][best]) / unit }
	p := share(s, best)
	agree := 0.0
	if s.most > 0 {
		agree = float64(s.raw) / float64(s.most) * clue(clueWords)
	}
	odds := belief.base + belief.share*min(4, math.Log(p/(1-p+1e-9))) + belief.length*math.Log(n) +
		belief.known*(1-min(1, float64(t.unknown)/n)) + belief.agree*agree +
		belief.ours*c.explained(t, best) + belief.words*clue(clueWords) + belief.like*clue(clueLike)
	return min(surest, 1/(1+math.Exp(-odds)))
}

// surest is how many of the answers were right that the odds are best for.
const surest = 0.88

// hundredths rounds a confidence, which is never nothing where there is an answer.
func hundredths(p float64) float64 { return max(0.01, math.Round(p*100)/100) }

// explained is the part of a text's words that one of our own kinds of a heading has.
func (c *Catalogue) explained(t *tally, h int32) float64 {
	mass := int64(0)
	for _, e := range c.under[h] {
		if t.score[e] > 0 && saysWhat(t, e) {
			mass = max(mass, t.mass[e])
		}
	}
	whole := float64(t.total) * (1 + unknownShare*float64(min(t.unknown, 4)))
	if whole == 0 {
		return 0
	}
	return min(1, float64(mass)/whole)
}

// unknownShare is how much a word that no entry knows adds to what a match
// would have to explain; brand names are such words, so it is little.
const unknownShare = 0.05
