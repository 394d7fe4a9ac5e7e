package catalogue

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// BenchmarkBuiltIn is what the first call of Default costs.
func BenchmarkBuiltIn(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		index, err := defaultIndex()
		require.NoError(b, err)
		_, err = openIndex(index)
		require.NoError(b, err)
	}
}

// A lexicon that was cut off or changed is refused, not read.
func TestBrokenWordsAreRefused(t *testing.T) {
	t.Parallel()
	made := make(Lexicon)
	made.Add("610910", "T-shirts; of cotton", 1)
	made.Add("6109", "T-shirts and vests", 2)
	packed, err := made.Pack()
	require.NoError(t, err)
	x, err := readLexicon(packed)
	require.NoError(t, err)
	assert.Equal(t, []string{"610900", "610910"}, x.codes)
	id, ok := x.terms["tshirt"]
	require.True(t, ok)
	assert.Equal(t, []uint16{0, 1}, x.code[x.from[id]:x.from[id+1]])
	for i, want := range []float32{2, 1} {
		assert.InDelta(t, want, counts[x.level[int(x.from[id])+i]], 0.2)
	}
	assert.Contains(t, x.terms, "tshirt vest", "pairs of words stand in it, too")
	for n := range len(packed) {
		_, err := readLexicon(packed[:n])
		require.Error(t, err, "the first %d bytes", n)
	}
}

// The index in the program is that of goods.txt and words.bin, and the words that are
// read from it are those it was made of.
func TestIndexIsOfTheGoodsAndWords(t *testing.T) {
	t.Parallel()
	packed, err := os.ReadFile("tables/words.bin")
	require.NoError(t, err)
	goods, err := os.ReadFile("goods.txt")
	require.NoError(t, err)
	text, err := unpack(packedGoods)
	require.NoError(t, err)
	require.True(t, bytes.Equal(text, goods), "tables/goods.zst is of other goods: go generate ./internal/mockapi/catalogue")
	made, err := MakeDefault(string(goods), packed)
	require.NoError(t, err)
	index := made.AppendIndex(nil)
	shipped, err := defaultIndex()
	require.NoError(t, err)
	require.True(t, bytes.Equal(shipped, index), "tables/index.zst is of other goods, words or code: go generate ./internal/mockapi/catalogue")
	x, err := readLexicon(packed)
	require.NoError(t, err)
	assert.Equal(t, x, made.ranker.words())
	again, err := openIndex(index)
	require.NoError(t, err)
	assert.Equal(t, index, again.AppendIndex(nil))
}

// An index that was cut off is refused, not read.
func TestBrokenIndexIsRefused(t *testing.T) {
	t.Parallel()
	index, err := defaultIndex()
	require.NoError(t, err)
	for n := 0; n < len(index); n += 9973 {
		_, err := openIndex(index[:n])
		require.Error(t, err, "the first %d bytes", n)
	}
	_, err = openIndex(append(bytes.Clone(index), 0))
	require.EqualError(t, err, "the index has 1 bytes more than it says")
}

// What a dictionary says of terms and of what is none of them is what a map says.
func TestDictionary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("abé ")), 1, 6, -1)
		terms := rapid.MapOf(word, rapid.SliceOf(rapid.Byte())).Draw(t, "terms")
		var d dictionary
		last := ""
		for _, term := range sorted(terms) {
			d.put(last, term, terms[term])
			last = term
		}
		for i, term := range sorted(terms) {
			kept, id, ok := d.find([]byte(term))
			require.True(t, ok, term)
			require.Equal(t, i, id)
			require.Equal(t, len(terms[term]), len(kept))
			require.True(t, bytes.Equal(terms[term], kept))
			require.True(t, bytes.Equal(kept, d.at(id)))
		}
		other := word.Draw(t, "other")
		_, _, ok := d.find([]byte(other))
		_, there := terms[other]
		require.Equal(t, there, ok, other)
		seen := 0
		for term, kept := range d.all() {
			require.True(t, bytes.Equal(terms[term], kept))
			seen++
		}
		require.Equal(t, len(terms), seen)
	})
}

func TestGoodsErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"# a\n\n610910 | T-shirt": "goods.txt:3: want HS6 | name | phrases, got 2 fields",
		"6109 | T-shirt | tee":    `goods.txt:1: want six digits and a name, got "6109" and "T-shirt"`,
		"610910 |  | tee":         `goods.txt:1: want six digits and a name, got "610910" and ""`,
	} {
		_, err := parseGoods(text)
		assert.EqualError(t, err, want)
	}
}

func TestTokenize(t *testing.T) {
	for text, want := range map[string][]string{
		"Men's Women’s GIRLS boys'":           {"man", "woman", "woman", "man"},
		"T-Shirts, t shirt; tshirt":           {"tshirt", "tshirt", "tshirt"},
		"x-ray / e-bike":                      {"xray", "ebike"},
		"knives, scarves, dresses, batteries": {"knife", "scarf", "dress", "battery"},
		"glass glasses lens":                  {"glass", "glasses", "lens"},
		"16GB 205/55R16 5.8 qt 3D printer":    {"3d", "printer"},
		"café crème":                          {"cafe", "cream"},
		"6 x 330ml cola, 2 t 5":               {"cola"},
		"a set of 6 for the home":             nil,
	} {
		var got []string
		for _, tok := range tokenize(nil, text, false) {
			got = append(got, tok.text)
		}
		assert.Equal(t, want, got, text)
	}
}

func TestSegments(t *testing.T) {
	for text, want := range map[string][]int{
		"electric 1.7L kettle":          {0, 0},
		"salt & pepper grinder":         {0, 0, 0},
		"power 10,000mAh bank":          {0, 0},
		"shirt, cotton":                 {0, 1},
		"shirt - cotton":                {0, 1},
		"table-cloth (linen) for table": {0, 0, 1, 3},
	} {
		var got []int
		for _, tok := range tokenize(nil, text, false) {
			got = append(got, tok.seg)
		}
		assert.Equal(t, want, got, text)
	}
}
