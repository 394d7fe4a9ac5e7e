package catalogue

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Mention says how much a text of the nomenclature, or terms of its index, say a
// word of goods: of a six-digit code, or of a whole heading, whose code here ends in
// 00.
type Mention struct {
	Code  string
	Count float64
}

// lexicon is the words that public tables have for the codes of the Harmonized
// System. It never changes once it is made.
type lexicon struct {
	codes []string         // six digits; a heading as a whole ends in 00
	terms map[string]int32 // words, and pairs of words with a space between
	from  []uint32         // of each term, where its mentions begin; one more at the end
	code  []uint16         // of each mention, the code by its place in codes
	level []byte           // of each mention
}

// appendMentions is what a ranker keeps of a term's mentions.
func (x *lexicon) appendMentions(b []byte, id int) []byte {
	if id >= len(x.from)-1 {
		return appendNumber(b, 0)
	}
	b = appendNumber(b, int(x.from[id+1]-x.from[id]))
	before := 0
	for i := x.from[id]; i < x.from[id+1]; i++ {
		b = appendNumber(b, int(x.code[i])-before)
		b = appendNumber(b, int(x.level[i]))
		before = int(x.code[i])
	}
	return b
}

// words is the lexicon that the ranker was made of.
func (r *ranker) words() *lexicon {
	x := &lexicon{codes: r.codes, terms: make(map[string]int32, r.terms.n), from: make([]uint32, 1, r.terms.n+1)}
	for term, kept := range r.terms.all() {
		for range 2 * kept.next() { // its headings
			kept.next()
		}
		mentions, code := kept.next(), 0
		if mentions == 0 {
			continue
		}
		x.terms[term] = int32(len(x.terms)) //nolint:gosec // some ten thousand
		for range mentions {
			code += kept.next()
			x.code, x.level = append(x.code, uint16(code)), append(x.level, byte(kept.next())) //nolint:gosec // written from them
		}
		x.from = append(x.from, uint32(len(x.code))) //nolint:gosec // some hundred thousand
	}
	return x
}

// A packed lexicon is a DEFLATE stream of numbers (binary.Uvarint) and bytes:
//
//	how many codes, and each as its distance from the code before
//	how many terms, and each, in order: how many bytes it shares with the term
//	before, how many more there are, these, and how many mentions it has
//	of all mentions in order the place of the code: the distance from the one before
//	of all mentions in order the level of the count, one byte each
//
// A level is four times the binary logarithm of one more than the count.
const levels = 4

// counts is what each level stands for.
var counts = func() (c [256]float32) {
	for level := range c {
		c[level] = float32(math.Exp2(float64(level)/levels) - 1)
	}
	return c
}()

// readLexicon unpacks what PackWords made.
func readLexicon(packed []byte) (*lexicon, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	broken := false
	next := func() int {
		v, n := binary.Uvarint(raw)
		if n <= 0 || v > math.MaxInt32 {
			broken = true
			return 0
		}
		raw = raw[n:]
		return int(v) //nolint:gosec // bounded above
	}
	take := func(n int) []byte {
		if n > len(raw) {
			broken = true
			return nil
		}
		b := raw[:n]
		raw = raw[n:]
		return b
	}
	n := next()
	if n > math.MaxUint16 || n > len(raw) {
		return nil, errors.New("too many codes")
	}
	x := &lexicon{codes: make([]string, n)}
	last := 0
	for i := range x.codes {
		last += next()
		x.codes[i] = fmt.Sprintf("%06d", last)
	}
	n = next()
	if n > len(raw) {
		return nil, errors.New("too many words")
	}
	x.terms, x.from = make(map[string]int32, n), make([]uint32, 1, n+1)
	var all strings.Builder // the terms share one piece of memory
	all.Grow(4 * len(raw))
	ends := make([]int, 0, n)
	term := []byte(nil)
	total := 0
	for range n {
		shared := next()
		if shared > len(term) {
			return nil, errors.New("a word shares more than there is")
		}
		term = append(term[:shared], take(next())...)
		all.Write(term)
		ends = append(ends, all.Len())
		total += next()
		x.from = append(x.from, uint32(total)) //nolint:gosec // checked below
	}
	if broken || total > len(raw) {
		return nil, errors.New("it ends too soon")
	}
	text, at := all.String(), 0
	for id, end := range ends {
		x.terms[text[at:end]] = int32(id) //nolint:gosec // some ten thousand
		at = end
	}
	x.code = make([]uint16, total)
	for id := range n {
		place := 0
		for i := x.from[id]; i < x.from[id+1]; i++ {
			place += next()
			if place >= len(x.codes) {
				return nil, errors.New("a code that is not there")
			}
			x.code[i] = uint16(place) //nolint:gosec // bounded above
		}
	}
	x.level = bytes.Clone(take(total))
	if broken || len(raw) > 0 {
		return nil, errors.New("it has another length than it says")
	}
	return x, nil
}

// Lexicon is what the tool that makes tables/words.bin writes into it: of each word,
// or pair of words with a space between, where it is mentioned.
type Lexicon map[string]map[string]float64

// Add counts the words of a text for a code of four digits or more, with a weight.
func (l Lexicon) Add(code, text string, weight float64) {
	if code = strings.TrimSpace(code); len(code) < 6 {
		code += "00"
	}
	code = code[:6]
	count := func(term string) {
		if l[term] == nil {
			l[term] = make(map[string]float64)
		}
		l[term][code] += weight
	}
	tokens := tokenize(nil, affirmed(text), false)
	for i, t := range tokens {
		count(t.text)
		if i+1 < len(tokens) && tokens[i+1].seg == t.seg {
			count(t.text + " " + tokens[i+1].text)
		}
	}
}

// Pack is the compressed form of the lexicon.
func (l Lexicon) Pack() ([]byte, error) {
	codes := make(map[string]int)
	for _, mentions := range l {
		for code := range mentions {
			codes[code] = 0
		}
	}
	var b []byte
	put := func(v int) { b = binary.AppendUvarint(b, uint64(v)) } //nolint:gosec // none is negative
	put(len(codes))
	last := 0
	for i, code := range sorted(codes) {
		var n int
		if _, err := fmt.Sscanf(code, "%06d", &n); err != nil {
			return nil, fmt.Errorf("code %q: %w", code, err)
		}
		put(n - last)
		codes[code], last = i, n
	}
	put(len(l))
	terms := sorted(l)
	before := ""
	for _, term := range terms {
		shared := 0
		for shared < len(term) && shared < len(before) && term[shared] == before[shared] {
			shared++
		}
		put(shared)
		put(len(term) - shared)
		b = append(b, term[shared:]...)
		put(len(l[term]))
		before = term
	}
	var counts []byte
	for _, term := range terms {
		place := 0
		for _, code := range sorted(l[term]) {
			put(codes[code] - place)
			place = codes[code]
			counts = append(counts, byte(min(255, math.Round(levels*math.Log2(1+l[term][code])))))
		}
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append(b, counts...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
