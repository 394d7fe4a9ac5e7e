package catalogue

import (
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The figures that stand in docs/mock-api.md are printed here:
//
//	go test ./internal/mockapi/catalogue -run TestFigures -v
//
// What is measured, and on what, stands in testdata/README.md.

// text is a text with the code that is right for it.
type text struct{ code, words string }

// shopTitles are the 200 titles of shops.
func shopTitles(t testing.TB) (list []text) {
	for _, r := range records(t, "testdata/shop-titles.csv") {
		list = append(list, text{r[0], r[1]})
	}
	return list
}

// unseenTerms are the third of a set of index terms that nothing is learned from.
func unseenTerms(t testing.TB, set string) (list []text) {
	for _, r := range records(t, "testdata/uk-index-terms.csv") {
		if r[0] == set && Unseen(r[2]) {
			list = append(list, text{r[1], r[2]})
		}
	}
	return list
}

func records(t testing.TB, file string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	return rows[1:]
}

// count is how many texts got the right heading first, and among three.
type count struct{ first, three, six, all int }

func (n *count) add(found []string, code string) {
	n.all++
	at := slices.IndexFunc(found, func(f string) bool { return f[:4] == code[:4] })
	if at < 0 || at > 2 {
		return
	}
	n.three++
	if at == 0 {
		n.first++
		if len(found[0]) == 6 && strings.HasPrefix(code, found[0]) {
			n.six++
		}
	}
}

func (n count) share() (first, three float64) {
	return 100 * float64(n.first) / float64(n.all), 100 * float64(n.three) / float64(n.all)
}

func (n count) String() string {
	first, three := n.share()
	said := fmt.Sprintf("%d texts: right heading first %.1f %%, among three %.1f %%", n.all, first, three)
	if n.six > 0 {
		said += fmt.Sprintf("; the six digits too of %.1f %% of those first", 100*float64(n.six)/float64(n.first))
	}
	return said
}

func ask(c *Catalogue, list []text) (n count) {
	for _, x := range list {
		var found []string
		for _, m := range c.Search(x.words, 3) {
			found = append(found, m.HS6)
		}
		n.add(found, x.code)
	}
	return n
}

// atLeast asserts both shares, and prints them.
func atLeast(t *testing.T, what string, n count, first, three float64) {
	t.Helper()
	t.Logf("%s: %s", what, n)
	f, th := n.share()
	assert.GreaterOrEqual(t, f, first, "%s: first", what)
	assert.GreaterOrEqual(t, th, three, "%s: among three", what)
	if n.six > 0 {
		assert.GreaterOrEqual(t, 100*n.six, 71*n.first, "%s: the six digits", what)
	}
}

func TestFiguresOnIndexTerms(t *testing.T) {
	t.Parallel()
	atLeast(t, "the unseen third of uk-index", ask(Default(), unseenTerms(t, "uk-index")), 59, 74)
	atLeast(t, "the unseen third of fpo-extra", ask(Default(), unseenTerms(t, "fpo-extra")), 41, 54)
}

// The weights and what shops sell are learned anew from four fifths of the titles, and
// asked for the fifth. Our own goods are the same each time: whoever wrote them down
// knew these titles, so the second figure is without each phrase that stands whole in
// a title of its heading.
func TestFiguresOnShopTitles(t *testing.T) {
	t.Parallel()
	list := shopTitles(t)
	atLeast(t, "shop titles, five-fold", folds(Default(), list), 76, 92)
	atLeast(t, "shop titles, five-fold, without the phrases that stand in them", folds(without(t, list), list), 51, 79)
}

// without is the catalogue without the phrases that stand whole in a text of their heading.
func without(t testing.TB, list []text) *Catalogue {
	t.Helper()
	said := make(map[string][]map[string]bool)
	for _, x := range list {
		has := make(map[string]bool)
		for _, tok := range tokenize(nil, x.words, false) {
			has[tok.text] = true
		}
		said[x.code[:4]] = append(said[x.code[:4]], has)
	}
	stands := func(hs6, phrase string) bool {
		tokens := tokenize(nil, phrase, true)
		return slices.ContainsFunc(said[hs6[:4]], func(has map[string]bool) bool {
			return !slices.ContainsFunc(tokens, func(tok token) bool { return !has[tok.text] })
		})
	}
	goods, err := defaultGoods()
	require.NoError(t, err)
	b := newBuilder(len(goods), Default().ranker.words())
	left := 0
	for _, g := range goods {
		before := len(g.phrases)
		g.phrases = slices.DeleteFunc(g.phrases, func(p string) bool { return stands(g.HS6, p) })
		left += before - len(g.phrases)
		b.good(g)
	}
	t.Logf("%d phrases are left out", left)
	b.c.whole = true
	return b.build()
}

// sample is the clues of the headings that may be a text's.
type sample struct {
	text
	headings []string
	clue     [][clues]float64
	right    int // -1 where the right heading is none of them
}

func observe(c *Catalogue, x text) sample {
	s := c.ranker.sums()
	defer c.ranker.room.Put(s)
	c.read(Query{Text: x.words}, new(tally), s)
	out := sample{text: x, right: -1}
	pick := make(map[int]bool)
	for k := range cluePhrases {
		var order []int
		for h, v := range s.clue[k] {
			if v > 0 {
				order = append(order, h)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.clue[k][b], s.clue[k][a]) })
		for _, h := range order[:min(15, len(order))] {
			pick[h] = true
		}
	}
	for h, heading := range c.ranker.headings {
		if !pick[h] {
			continue
		}
		var row [clues]float64
		for k := range row {
			row[k] = float64(s.clue[k][h]) / unit
		}
		if heading == x.code[:4] {
			out.right = len(out.clue)
		}
		out.headings, out.clue = append(out.headings, heading), append(out.clue, row)
	}
	return out
}

// shops puts what four fifths sell in the place of what all do. A title that is learned
// from does not count for itself.
func (x sample) shops(heading, chapter map[string]int, own bool) sample {
	x.clue = slices.Clone(x.clue)
	for i, h := range x.headings {
		n, c := heading[h], chapter[h[:2]]
		if own && h == x.code[:4] {
			n, c = n-1, c-1
		}
		x.clue[i][clueShops] = expected(n, c)
	}
	return x
}

func folds(c *Catalogue, list []text) (n count) {
	all := make([]sample, len(list))
	for i, x := range list {
		all[i] = observe(c, x)
	}
	for fold := range 5 {
		heading, chapter := make(map[string]int), make(map[string]int)
		for i, x := range all {
			if i%5 != fold {
				heading[x.code[:4]]++
				chapter[x.code[:2]]++
			}
		}
		var learn []sample
		for i, x := range all {
			if i%5 != fold && x.right >= 0 {
				learn = append(learn, x.shops(heading, chapter, true))
			}
		}
		w := fit(learn)
		for i, x := range all {
			if i%5 == fold {
				n.add(x.shops(heading, chapter, false).best(w), x.code)
			}
		}
	}
	return n
}

// best is three headings by these weights.
func (x sample) best(w [clues]float64) (found []string) {
	order := make([]int, len(x.clue))
	z := make([]float64, len(x.clue))
	for i, row := range x.clue {
		order[i] = i
		for k := range row {
			z[i] += w[k] * row[k]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(z[b], z[a]) })
	for _, i := range order[:min(3, len(order))] {
		found = append(found, x.headings[i])
	}
	return found
}

// fit learns weights by which the right heading of each sample comes first: softmax, by
// steepest descent, held near the weights of the program.
func fit(list []sample) (w [clues]float64) {
	var start, m, v [clues]float64
	for k := range w {
		start[k] = float64(weights[k]) / 1000
	}
	w = start
	for step := 1; step <= 60; step++ {
		var g [clues]float64
		for _, x := range list {
			top, total := math.Inf(-1), 0.0
			z := make([]float64, len(x.clue))
			for i, row := range x.clue {
				for k := range row {
					z[i] += w[k] * row[k]
				}
				top = max(top, z[i])
			}
			for i := range z {
				z[i] = math.Exp(z[i] - top)
				total += z[i]
			}
			for i, row := range x.clue {
				d := z[i] / total
				if i == x.right {
					d--
				}
				for k := range row {
					g[k] += d * row[k] / float64(len(list))
				}
			}
		}
		for k := range w {
			g[k] += 0.01 * (w[k] - start[k])
			m[k] = 0.9*m[k] + 0.1*g[k]
			v[k] = 0.99*v[k] + 0.01*g[k]*g[k]
			w[k] -= 0.06 * m[k] / (1 - math.Pow(0.9, float64(step))) / (math.Sqrt(v[k]/(1-math.Pow(0.99, float64(step)))) + 1e-9)
		}
	}
	return w
}

// Of answers with a confidence of 0.8 about 80 % are right, on texts that the words
// were not learned from.
func TestFiguresOfConfidence(t *testing.T) {
	t.Parallel()
	type band struct {
		n, right int
		said     float64
	}
	reliability := func(c *Catalogue, list []text) (bands [10]band) {
		for _, x := range list {
			if m, ok := c.Classify(Query{Text: x.words}); ok {
				b := &bands[min(9, int(m.Confidence*10))]
				b.n++
				b.said += m.Confidence
				if m.HS6[:4] == x.code[:4] {
					b.right++
				}
			}
		}
		return bands
	}
	shops := shopTitles(t)
	a := reliability(Default(), append(unseenTerms(t, "uk-index"), unseenTerms(t, "fpo-extra")...))
	b := reliability(without(t, shops), shops)
	docs, err := os.ReadFile("../../../docs/mock-api.md")
	require.NoError(t, err)
	wrong, all := 0.0, 0.0
	t.Log("| confidence | answers | said | right |")
	for i := range a {
		n := float64(a[i].n + b[i].n)
		if n == 0 {
			continue
		}
		said, right := (a[i].said+b[i].said)/n, float64(a[i].right+b[i].right)/n
		t.Logf("| %.1f to %.1f | %.0f | %.2f | %.2f |", float64(i)/10, float64(i+1)/10, n, said, right)
		wrong, all = wrong+n*math.Abs(said-right), all+n
		_, row, ok := strings.Cut(string(docs), fmt.Sprintf("| %.1f to %.1f | ", float64(i)/10, float64(i+1)/10))
		require.True(t, ok, "docs/mock-api.md lacks the row of %.1f", float64(i)/10)
		var docsN, docsSaid, docsRight float64
		_, err := fmt.Sscanf(row, "%f | %f | %f |", &docsN, &docsSaid, &docsRight)
		require.NoError(t, err)
		assert.InDelta(t, right, docsRight, 0.03, "docs/mock-api.md, confidence from %.1f", float64(i)/10)
		if n >= 60 {
			assert.InDelta(t, said, right, 0.12, "confidence from %.1f", float64(i)/10)
		}
	}
	t.Logf("off by %.3f in the mean", wrong/all)
	assert.Less(t, wrong/all, 0.06)
}

// What the first question costs beside the others, and what stays in memory.
func TestFiguresOfMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	index, err := defaultIndex()
	require.NoError(t, err)
	c, err := openIndex(index)
	require.NoError(t, err)
	c.Classify(Query{Text: "cotton t-shirt"})
	grown := float64(heap()-before) / (1 << 20)
	t.Logf("%.1f MB in memory, %d bytes of index in the binary, %d of goods", grown, len(packedIndex), len(packedGoods))
	assert.Less(t, grown, 5.0, "with the index, unpacked")
	assert.Less(t, len(packedIndex), 1_400_000)
	runtime.KeepAlive(c)
}

// The words and what judges are those whose digests stand beside their sources and terms.
func TestDataIsThatOfTheReadmes(t *testing.T) {
	t.Parallel()
	for file, readme := range map[string]string{
		"tables/words.bin": "tables/README.md", "testdata/uk-index-terms.csv": "testdata/README.md", "testdata/shop-titles.csv": "testdata/README.md",
	} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		said, err := os.ReadFile(readme)
		require.NoError(t, err)
		assert.Contains(t, string(said), fmt.Sprintf("`%x`", sha256.Sum256(data)), "%s: is it another, %s has to say so", file, readme)
	}
}
