package catalogue

import (
	_ "embed" // the list of goods
	"fmt"
	"strings"
)

//go:embed goods.txt
var goodsText string

// good is one line of goods.txt.
type good struct {
	Kind
	phrases []string
}

// parseGoods reads lines of "HS6 | name | phrase, phrase, …"; empty lines and
// those that begin with # are comments. An error names the line.
func parseGoods(text string) ([]good, error) {
	var goods []good
	line := 0
	for l := range strings.Lines(text) {
		line++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		fields := strings.Split(l, "|")
		if len(fields) != 3 {
			return nil, fmt.Errorf("goods.txt:%d: want HS6 | name | phrases, got %d fields", line, len(fields))
		}
		g := good{Kind: Kind{HS6: strings.TrimSpace(fields[0]), Name: strings.TrimSpace(fields[1])}}
		if len(g.HS6) != 6 || digits(g.HS6) != g.HS6 || g.Name == "" {
			return nil, fmt.Errorf("goods.txt:%d: want six digits and a name, got %q and %q", line, g.HS6, g.Name)
		}
		for p := range strings.SplitSeq(fields[2], ",") {
			g.phrases = append(g.phrases, strings.TrimSpace(p))
		}
		goods = append(goods, g)
	}
	return goods, nil
}

// digits is the text without dots and spaces.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		if r == '.' || r == ' ' {
			return -1
		}
		return 'x' // no code has it, so the code is not found
	}, code)
}

// builder makes a catalogue, kind by kind.
type builder struct {
	c      *Catalogue
	tokens []token // room for a text's words
}

func newBuilder(n int) *builder {
	return &builder{c: &Catalogue{
		kinds:  make([]Kind, 0, n),
		byCode: make(map[string]int, n),
		ranker: newRanker(publicWords()),
		index:  index{terms: make(map[string]int32, 16*n), added: make([]occurrence, 0, 32*n)},
	}}
}

// kind adds a kind that has no words yet and returns its entry.
func (b *builder) kind(k Kind) int {
	entry := len(b.c.kinds)
	b.c.kinds = append(b.c.kinds, k)
	b.c.wearer = append(b.c.wearer, "")
	if _, ok := b.c.byCode[k.HS6]; !ok {
		b.c.byCode[k.HS6] = entry
	}
	return entry
}

// good adds one of our own kinds with its words and returns its entry.
func (b *builder) good(g good) int {
	entry := b.kind(g.Kind)
	b.tokens = tokenize(b.tokens[:0], g.Name, true)
	b.c.wearer[entry] = wearer(b.tokens)
	b.c.index.add(entry, b.tokens, 1, true)
	b.c.ranker.learn(g.HS6, b.tokens)
	for _, p := range g.phrases {
		b.tokens = tokenize(b.tokens[:0], p, true)
		b.c.index.add(entry, b.tokens, 1, true)
		b.c.ranker.learn(g.HS6, b.tokens)
	}
	return entry
}

func (b *builder) build() *Catalogue {
	c := b.c
	c.index.finish(len(c.kinds))
	c.ranker.finish()
	c.under = make([][]int32, len(c.ranker.headings))
	for e, k := range c.kinds {
		if h, ok := c.ranker.place[k.HS6[:4]]; ok {
			c.under[h] = append(c.under[h], int32(e)) //nolint:gosec // some thousand
		}
	}
	return c
}
