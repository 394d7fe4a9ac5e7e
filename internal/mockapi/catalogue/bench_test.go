package catalogue_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

// wholeTable is the public table where HSHARNESS_HS_DATA names it, else one of
// its size made of our own goods: their codes with their names, filled up with
// further subheadings of the same headings.
func wholeTable(t testing.TB) string {
	t.Helper()
	if name := os.Getenv("HSHARNESS_HS_DATA"); name != "" {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(raw)
	}
	const subheadings = 5613
	own := catalogue.Default()
	codes := own.Codes()
	var b bytes.Buffer
	b.WriteString(header)
	seen := make(map[string]bool)
	write := func(code, text, parent string) bool {
		if seen[code] {
			return false
		}
		seen[code] = true
		_, err := fmt.Fprintf(&b, "I,%s,%q,%s,%d\n", code, text, parent, len(code))
		require.NoError(t, err)
		return true
	}
	made := 0
	for round := 0; made < subheadings; round++ {
		for i, code := range codes {
			k, ok := own.Find(code)
			require.True(t, ok)
			write(code[:2], "Goods of chapter "+code[:2], "TOTAL")
			write(code[:4], k.Name+" and the like", code[:2])
			text := k.Name
			if round > 0 { // a made-up neighbour, named by parts of two kinds
				next, _ := own.Find(codes[(i+round*37)%len(codes)])
				code = fmt.Sprintf("%s%02d", code[:4], (i*7+round*13)%100)
				text = "Machinery and apparatus; for " + next.Name + ", other than " + k.Name
			}
			if made < subheadings && write(code, text, code[:4]) {
				made++
			}
		}
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	table := wholeTable(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := catalogue.Load(strings.NewReader(table), "hs.csv")
		require.NoError(b, err)
	}
}

func BenchmarkClassify(b *testing.B) {
	list := titles(b)
	for name, c := range map[string]*catalogue.Catalogue{
		"own goods": catalogue.Default(),
		"table":     load(b, wholeTable(b)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Classify(catalogue.Query{Text: list[i%len(list)].text})
			}
		})
	}
}

// BenchmarkShopTitles is what a title of a shop takes, on one core. Further answers
// take little more.
func BenchmarkShopTitles(b *testing.B) {
	raw, err := os.ReadFile("testdata/shop-titles.csv")
	require.NoError(b, err)
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	require.NoError(b, err)
	c := catalogue.Default()
	c.Search(rows[1][1], 3)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Search(rows[1+i%(len(rows)-1)][1], 3)
	}
}
