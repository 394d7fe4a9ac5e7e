// Package catalogue finds HS codes for descriptions of goods, so that the mock
// classification API gives believable answers: a description of a cotton
// T-shirt gets a code of heading 6109.
//
// It touches nothing but the table that [Load] is given.
//
// It holds the mock's own list of everyday goods (goods.txt), in our words and
// with HS 2022 subheadings, and searches it by BM25F: every kind of goods has a
// name and the phrases that shops use for it, the last word of a phrase counts
// more than those before it, and words that say of what or for whom count
// little. [Load] reads the public table of the Harmonized System as well.
//
// Same catalogue, same text, same answer: scores are whole numbers and ties go
// to the lower code. What the real service answers is not known here; nothing
// in this package is evidence of how it classifies.
package catalogue

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// NotEnough is the reason given where a description is too thin for a code. It
// is the example text that Avalara documents for a classification's resolution
// (facts of the managed API: status CANNOT_BE_CLASSIFIED).
const NotEnough = "Not enough details."

// Kind is one kind of goods.
type Kind struct {
	HS6  string // six digits, no dots
	Name string // a short name in English
}

// Query is what is known about the goods.
type Query struct {
	Text string   // the description or title
	More []string // further texts, such as a category or a material; they count half
}

// Match is a kind of goods that a query found.
type Match struct {
	Kind
	Confidence float64 // 0 to 1, two decimals; 0 only where there is no match
	Reason     string  // why there is no match; empty where there is one
}

// Catalogue is a set of kinds of goods and an index over their words. It never
// changes once it is made and is safe for concurrent use.
type Catalogue struct {
	kinds   []Kind
	wearer  []string       // of each kind: "man", "woman" or empty
	byCode  map[string]int // the first kind of each HS6
	index   index
	tally   sync.Pool
	ranker  *ranker
	under   [][]int32 // of each heading of the ranker, the kinds
	phrases []int     // of each heading, how many phrases our goods have
	whole   bool      // answers with any code that the Harmonized System has
}

// Default is the catalogue of everyday goods that comes with the package. It
// is opened at the first call.
func Default() *Catalogue { return builtIn() }

var builtIn = sync.OnceValue(func() *Catalogue {
	index, err := defaultIndex()
	var c *Catalogue
	if err == nil {
		c, err = openIndex(index)
	}
	if err != nil {
		panic("tables/index.zst: " + err.Error()) // it is part of the program
	}
	return c
})

// Find returns the first kind listed under a six-digit code, and whether there
// is one. Dots and spaces in the code are ignored.
func (c *Catalogue) Find(hs6 string) (Kind, bool) {
	i, ok := c.byCode[digits(hs6)]
	if !ok {
		return Kind{}, false
	}
	return c.kinds[i], true
}

// Codes returns the HS6 codes of the catalogue, each once, in order.
func (c *Catalogue) Codes() []string {
	codes := make([]string, 0, len(c.byCode))
	for code := range c.byCode {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// Len is the number of kinds; several may share one HS6.
func (c *Catalogue) Len() int { return len(c.kinds) }

// Classify returns the kind that a description fits best. It returns false,
// and a Match with a Reason alone, for a description too thin to say what the
// goods are: no known word, or none but colours, sizes, materials and the like.
func (c *Catalogue) Classify(q Query) (Match, bool) {
	if found := c.find(q, 1); len(found) > 0 {
		return found[0], true
	}
	return Match{Reason: NotEnough}, false
}

// Search returns at most n kinds with different HS6 codes, best first, or none
// where Classify would find none. Further headings come before further codes of one.
func (c *Catalogue) Search(text string, n int) []Match { return c.find(Query{Text: text}, n) }

// wearers holds back men's goods where a woman is said to wear them, and the
// reverse.
func (c *Catalogue) wearers(t *tally, said string) {
	if said == "" {
		return
	}
	for _, e := range t.touched {
		if w := c.wearer[e]; w != "" && w != said {
			t.score[e] -= t.score[e] / 4
		}
	}
}

// wearer is "man" or "woman" where the tokens say one and not the other, else
// empty.
func wearer(tokens []token) string {
	said := ""
	for _, t := range tokens {
		if t.text == "man" || t.text == "woman" {
			if said != "" && said != t.text {
				return ""
			}
			said = t.text
		}
	}
	return said
}

// maxMore bounds the work that one query can cause.
const maxMore = 16

// saysWhat reports whether an entry was found by what the goods are, not only
// by words that go with many kinds of goods.
func saysWhat(t *tally, entry int32) bool {
	return t.named[entry] > 0 || t.content[entry] > 1
}

// best returns up to n entries with different codes, best first: the higher
// score, then the lower code.
func (c *Catalogue) best(t *tally, n int) []int32 {
	var top []int32
	order := func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.score[b], t.score[a]), strings.Compare(c.kinds[a].HS6, c.kinds[b].HS6), cmp.Compare(a, b))
	}
	for _, e := range t.touched {
		if !saysWhat(t, e) || len(top) == n && order(e, top[n-1]) > 0 {
			continue
		}
		same := slices.IndexFunc(top, func(o int32) bool { return c.kinds[o].HS6 == c.kinds[e].HS6 })
		if same >= 0 {
			if order(e, top[same]) > 0 {
				continue
			}
			top = slices.Delete(top, same, same+1)
		}
		at, _ := slices.BinarySearchFunc(top, e, order)
		top = slices.Insert(top, at, e)
		if len(top) > n {
			top = top[:n]
		}
	}
	return top
}
