package catalogue

import (
	_ "embed" // the index and the goods
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

//go:generate go run ./testdata/makewords testdata/uk-index-terms.csv

// packedIndex is the catalogue of goods.txt, as AppendIndex writes it, packed: a program
// that asks one question would need a tenth of a second to make it, and a hundredth of
// that to unpack it. Packed it is a megabyte less in every program.
//
//go:embed tables/index.zst
var packedIndex []byte

// packedGoods is goods.txt, for catalogues that [Load] makes. Packed it is 0.3 MB less.
//
//go:embed tables/goods.zst
var packedGoods []byte

// defaultIndex unpacks the index.
func defaultIndex() ([]byte, error) { return unpack(packedIndex) }

// defaultGoods unpacks the goods.
func defaultGoods() ([]good, error) {
	text, err := unpack(packedGoods)
	if err != nil {
		return nil, err
	}
	return parseGoods(string(text))
}

func unpack(packed []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(packed, nil)
}

// MakeDefault makes the catalogue of everyday goods from the text of goods.txt and from
// words, which is what [Lexicon.Pack] made. It is the one that [Default] opens.
func MakeDefault(text string, words []byte) (*Catalogue, error) {
	x, err := readLexicon(words)
	if err != nil {
		return nil, err
	}
	goods, err := parseGoods(text)
	if err != nil {
		return nil, err
	}
	b := newBuilder(len(goods), x)
	for _, g := range goods {
		b.good(g)
	}
	b.c.whole = true
	return b.build(), nil
}

// AppendIndex appends the catalogue in the form that is read where it stands:
//
//	the goods: how many, and of each its code, its wearer's number and its name
//	the codes of the tables: how many, and of each the distance from the one before
//	of each heading, how many phrases our goods have
//	the index, the terms of the ranker and the pieces of its words: of each how many
//	entries or words there are, and then, as it stands in memory, what it has
//
// Texts stand after their length in bytes; numbers are written by binary.AppendUvarint.
func (c *Catalogue) AppendIndex(b []byte) []byte {
	text := func(s []byte) { b = append(appendNumber(b, len(s)), s...) }
	b = appendNumber(b, len(c.kinds))
	for i, k := range c.kinds {
		b = appendNumber(b, number(k.HS6))
		b = appendNumber(b, slices.Index(wearerNumbers, c.wearer[i]))
		text([]byte(k.Name))
	}
	b = appendNumber(b, len(c.ranker.codes))
	last := 0
	for _, code := range c.ranker.codes {
		b = appendNumber(b, number(code)-last)
		last = number(code)
	}
	b = appendNumber(b, len(c.phrases))
	for _, count := range c.phrases {
		b = appendNumber(b, count)
	}
	for _, d := range []dictionary{c.index.terms, c.ranker.terms, {c.ranker.similar.words, c.ranker.similar.blocks, c.ranker.similar.body}} {
		b = appendNumber(b, d.n)
		text(d.blocks)
		text(d.body)
	}
	return b
}

// wearerNumbers are the wearers by their numbers.
var wearerNumbers = []string{"", "man", "woman"}

// openIndex is the catalogue that AppendIndex wrote. It keeps b.
func openIndex(b []byte) (c *Catalogue, err error) {
	defer func() {
		if recover() != nil { // a place outside of b
			err = errors.New("the index ends too soon")
		}
	}()
	rest := numbers(b)
	n := rest.next()
	c = &Catalogue{kinds: make([]Kind, 0, n), wearer: make([]string, 0, n), byCode: make(map[string]int, n), whole: true}
	for range n {
		code, wearer := sixDigits(nil, rest.next()), wearerNumbers[rest.next()]
		c.add(Kind{HS6: string(code), Name: string(rest.take(rest.next()))}, wearer)
	}
	codes, last := make([]string, rest.next()), 0
	all := make([]byte, 0, 6*len(codes)) // they share one piece of memory
	for range codes {
		last += rest.next()
		all = sixDigits(all, last)
	}
	for i, text := 0, string(all); i < len(codes); i++ {
		codes[i], text = text[:6], text[6:]
	}
	c.ranker = newRanker(codes)
	c.phrases = make([]int, rest.next())
	for h := range c.phrases {
		c.phrases[h] = rest.next()
	}
	c.ranker.has(c.phrases)
	part := func() dictionary { return dictionary{rest.next(), rest.take(rest.next()), rest.take(rest.next())} }
	c.index = index{part(), n}
	c.ranker.terms = part()
	s := part()
	c.ranker.similar = similar{s.n, s.blocks, s.body}
	if len(rest) > 0 {
		return nil, fmt.Errorf("the index has %d bytes more than it says", len(rest))
	}
	c.arrange()
	return c, nil
}

// number is that of a code of digits.
func number(code string) (n int) {
	for i := range len(code) {
		n = 10*n + int(code[i]-'0')
	}
	return n
}

// sixDigits appends the code of a number.
func sixDigits(b []byte, n int) []byte {
	for unit := 100_000; unit > 0; unit /= 10 {
		b = append(b, byte('0'+n/unit%10)) //nolint:gosec // a digit
	}
	return b
}
