package catalogue_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

func Example() {
	c := catalogue.Default()
	m, ok := c.Classify(catalogue.Query{Text: "Men's cotton T-shirt, crew neck"})
	code, padded := catalogue.National(m.HS6, "US")
	fmt.Println(ok, m.HS6, m.Name)
	fmt.Println(code, padded)

	m, ok = c.Classify(catalogue.Query{Text: "blue, size L"})
	fmt.Println(ok, m.Reason)
	// Output:
	// true 610910 T-shirt of cotton, knitted
	// 6109100000 true
	// false Not enough details.
}

func TestClassifyFindsTheHeading(t *testing.T) {
	tests := map[string]string{
		"men's cotton t-shirt":             "6109",
		"t shirt":                          "6109",
		"TSHIRT":                           "6109",
		"laptop":                           "8471",
		"gaming laptop 16GB RAM":           "8471",
		"notebook computer 14 inch":        "8471",
		"ruled notebook A5":                "4820",
		"coffee maker":                     "8516",
		"espresso machine":                 "8516",
		"hair-dryer":                       "8516",
		"hairdryers":                       "8516",
		"backpack for laptop":              "4202",
		"laptop with backpack":             "8471",
		"phone case with wallet":           "3926",
		"crème for the face, moisturising": "3304",
		"knives for the kitchen":           "8211",
		"women's jeans":                    "6204",
		"jeans men":                        "6203",
		"honey jar":                        "0409",
		"glass jar":                        "7010",
		"aluminium baking tray":            "7615",
		"car tyres":                        "4011",
	}
	for text, heading := range tests {
		t.Run(text, func(t *testing.T) {
			m, ok := catalogue.Default().Classify(catalogue.Query{Text: text})
			require.True(t, ok)
			assert.Equal(t, heading, m.HS6[:4], m.Name)
			assert.Empty(t, m.Reason)
		})
	}
	m, _ := catalogue.Default().Classify(catalogue.Query{Text: "wool scarf"})
	assert.Contains(t, []string{"6117", "6214"}, m.HS6[:4], m.Name)
}

func TestThinDescriptionGetsNoCode(t *testing.T) {
	for _, text := range []string{
		"", " ", "12345", "xqzzt", "stuff", "gift set", "blue", "size XL", "men's", "cotton", "women's blue cotton",
		"stainless steel", "premium quality item", "for men", "t", "'s", "2 kg", "\xff\xfe", "?!",
	} {
		t.Run(text, func(t *testing.T) {
			m, ok := catalogue.Default().Classify(catalogue.Query{Text: text})
			assert.False(t, ok, "%+v", m)
			assert.Equal(t, catalogue.Match{Reason: "Not enough details."}, m)
			assert.Empty(t, catalogue.Default().Search(text, 3))
		})
	}
}

func TestMoreTextsHelp(t *testing.T) {
	c := catalogue.Default()
	m, ok := c.Classify(catalogue.Query{Text: "Model X500, blue", More: []string{"hand blender"}})
	require.True(t, ok)
	assert.Equal(t, "8509", m.HS6[:4], m.Name)
	m, ok = c.Classify(catalogue.Query{Text: "hand blender", More: []string{"sofa"}})
	require.True(t, ok)
	assert.Equal(t, "8509", m.HS6[:4], "the description counts more")
}

func TestConfidence(t *testing.T) {
	c := catalogue.Default()
	at := func(text string) float64 {
		m, ok := c.Classify(catalogue.Query{Text: text})
		require.True(t, ok, text)
		return m.Confidence
	}
	assert.Greater(t, at("laptop"), at("laptop xqzzt wubble frotz"), "words that nothing explains")
	assert.Greater(t, at("laptop"), at("laptop umbrella"), "two goods in one text")
	assert.Greater(t, at("acoustic guitar"), 0.7)
	for _, l := range titles(t) {
		last := 1.0
		for _, m := range c.Search(l.text, 5) {
			assert.Positive(t, m.Confidence)
			assert.LessOrEqual(t, m.Confidence, last, "%q: confidence must fall", l.text)
			assert.InDelta(t, math.Round(m.Confidence*100), m.Confidence*100, 1e-9, "two decimals")
			last = m.Confidence
		}
	}
}

func TestSearchGivesDifferentCodes(t *testing.T) {
	c := catalogue.Default()
	found := c.Search("silicone case for phone", 10)
	require.Len(t, found, 10)
	seen := make(map[string]bool)
	for _, m := range found {
		assert.False(t, seen[m.HS6], "%s twice", m.HS6)
		seen[m.HS6] = true
	}
	one, ok := c.Classify(catalogue.Query{Text: "silicone case for phone"})
	require.True(t, ok)
	assert.Equal(t, found[0], one)
	assert.Equal(t, found[:3], c.Search("silicone case for phone", 3))
	assert.Empty(t, c.Search("laptop", 0))
}

// Three codes of one heading are one answer to someone who has to choose.
func TestFurtherHeadingsComeBeforeFurtherCodes(t *testing.T) {
	c := catalogue.Default()
	for _, text := range []string{"cotton dress for women", "leather wallet", "lithium battery charger", "bicycle wheel"} {
		seen := make(map[string]bool)
		for _, m := range c.Search(text, 3) {
			assert.False(t, seen[m.HS6[:4]], "%q: %s twice", text, m.HS6[:4])
			seen[m.HS6[:4]] = true
		}
		assert.Len(t, seen, 3, text)
	}
}

// Goods that our own list lacks have a code, too, with the words of the nomenclature.
func TestGoodsThatTheListLacks(t *testing.T) {
	c := catalogue.Default()
	for text, want := range map[string]string{
		"lactic acid": "291811", "manure spreaders": "843241", "carding machine for textile fibres": "844511",
	} {
		m, ok := c.Classify(catalogue.Query{Text: text})
		require.True(t, ok, text)
		assert.Equal(t, want, m.HS6[:len(want)], "%q: %s", text, m.Name)
		assert.NotEmpty(t, m.Name)
	}
}

func TestTiesGoToTheLowerCode(t *testing.T) {
	c := load(t, header+"I,01,Beasts,TOTAL,2\nI,0103,Beasts again,01,4\nI,0102,Beasts,01,4\n"+
		"I,010399,Frobnicators,0103,6\nI,010392,Frobnicators,0103,6\nI,010391,Frobnicators,0103,6\n")
	for range 20 {
		found := c.Search("frobnicator", 3)
		require.Len(t, found, 3)
		assert.Equal(t, []string{"010391", "010392", "010399"}, []string{found[0].HS6, found[1].HS6, found[2].HS6})
	}
}

func TestSameAnswerForEveryone(t *testing.T) {
	list := titles(t)
	c := catalogue.Default()
	want := make([][]catalogue.Match, len(list))
	for i, l := range list {
		want[i] = c.Search(l.text, 3)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := len(list) - 1; i >= 0; i-- {
				assert.Equal(t, want[i], c.Search(list[i].text, 3), list[i].text)
			}
		})
	}
	wg.Wait()
}

func TestFind(t *testing.T) {
	c := catalogue.Default()
	k, ok := c.Find("6109.10")
	assert.True(t, ok)
	assert.Equal(t, "610910", k.HS6)
	assert.Contains(t, k.Name, "T-shirt")
	for _, code := range []string{"", "6109", "610911", "6109100000", "T-shirt", "61091x"} {
		_, ok := c.Find(code)
		assert.False(t, ok, code)
	}
}

func TestNational(t *testing.T) {
	tests := map[string]struct {
		country, want string
		padded        bool
	}{
		"United States":    {"US", "6109100000", true},
		"in lower case":    {" us ", "6109100000", true},
		"Germany":          {"DE", "6109100000", true},
		"the Union":        {"EU", "6109100000", true},
		"United Kingdom":   {"GB", "6109100000", true},
		"China":            {"CN", "6109100000", true},
		"Japan":            {"JP", "610910000", true},
		"Turkey":           {"TR", "610910000000", true},
		"Brazil":           {"BR", "61091000", true},
		"Canada":           {"CA", "6109100000", true},
		"Switzerland":      {"CH", "61091000", true},
		"not in the table": {"ZZ", "6109100000", true},
		"no country":       {"", "6109100000", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, padded := catalogue.National("6109.10", tt.country)
			assert.Equal(t, tt.want, code)
			assert.Equal(t, tt.padded, padded)
			assert.Len(t, code, catalogue.Length(tt.country))
		})
	}
	code, padded := catalogue.National("8466935340", "US")
	assert.Equal(t, "8466935340", code)
	assert.False(t, padded, "long enough already")
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"men's cotton t-shirt", "", "'s's'", "t-t-t", "for with of", "é’ß½", "\xff\x00", "3d printer 3", strings.Repeat("laptop ", 300)} {
		f.Add(s)
	}
	c := catalogue.Default()
	f.Fuzz(func(t *testing.T, text string) {
		a, b := c.Search(text, 3), c.Search(text, 3)
		assert.Equal(t, a, b)
		m, ok := c.Classify(catalogue.Query{Text: text})
		assert.Equal(t, len(a) > 0, ok)
		if ok {
			assert.Equal(t, a[0], m)
			assert.LessOrEqual(t, m.Confidence, 1.0)
			assert.Positive(t, m.Confidence)
		}
	})
}
