package catalogue

import (
	"fmt"
	"strings"
)

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
	index  indexing
	ranker *learner
	tokens []token // room for a text's words
}

// newBuilder has room for n kinds.
func newBuilder(n int, x *lexicon) *builder {
	return &builder{
		c:      &Catalogue{kinds: make([]Kind, 0, n), byCode: make(map[string]int, n)},
		index:  indexing{terms: make(map[string]int32, 16*n), added: make([]occurrence, 0, 32*n)},
		ranker: newLearner(x),
	}
}

// add adds a kind and returns its entry.
func (c *Catalogue) add(k Kind, wearer string) int {
	entry := len(c.kinds)
	c.kinds, c.wearer = append(c.kinds, k), append(c.wearer, wearer)
	if _, ok := c.byCode[k.HS6]; !ok {
		c.byCode[k.HS6] = entry
	}
	return entry
}

// good adds one of our own kinds with its words and returns its entry.
func (b *builder) good(g good) int {
	b.tokens = tokenize(b.tokens[:0], g.Name, true)
	entry := b.c.add(g.Kind, wearer(b.tokens))
	b.index.add(entry, b.tokens, 1, true)
	b.ranker.learn(g.HS6, b.tokens)
	for _, p := range g.phrases {
		b.tokens = tokenize(b.tokens[:0], p, true)
		b.index.add(entry, b.tokens, 1, true)
		b.ranker.learn(g.HS6, b.tokens)
	}
	return entry
}

func (b *builder) build() *Catalogue {
	b.c.index = b.index.index(len(b.c.kinds))
	b.c.ranker, b.c.phrases = b.ranker.learned(), b.ranker.phrases
	b.c.arrange()
	return b.c
}

// arrange puts the kinds under their headings.
func (c *Catalogue) arrange() {
	c.under = make([][]int32, len(c.ranker.headings))
	for e, k := range c.kinds {
		if h, ok := c.ranker.place[k.HS6[:4]]; ok {
			c.under[h] = append(c.under[h], int32(e)) //nolint:gosec // some thousand
		}
	}
}
