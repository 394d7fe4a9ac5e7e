package catalogue_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

const header = "section,hscode,description,parent,level\n"

// sample has the shape of the public table, in our words.
const sample = header +
	",TOTAL,All goods,,0\n" +
	"XI,61,\"Clothes, knitted\",TOTAL,2\n" +
	"XI,6109,\"T-shirts and vests, knitted\",61,4\n" +
	"XI,610910,\"T-shirts and vests; of cotton, knitted\",6109,6\n" +
	"XI,610990,\"T-shirts and vests; of textiles (other than cotton), knitted\",6109,6\n" +
	"XVI,84,Machines,TOTAL,2\n" +
	"XVI,8445,Machines for fibres,84,4\n" +
	"XVI,844511,\"Carding machines; for preparing textile fibres (excluding combs)\",8445,6\n" +
	"XXII,99,Not specified,TOTAL,2\n" +
	"XXII,9999,Not specified,99,4\n" +
	"XXII,999999,\"Laptops, not specified\",9999,6\n"

func load(t testing.TB, table string) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load(strings.NewReader(table), "hs.csv")
	require.NoError(t, err)
	return c
}

func TestLoad(t *testing.T) {
	for name, table := range map[string]string{
		"plain":                sample,
		"with byte order mark": "\ufeff" + sample,
		"with CRLF":            strings.ReplaceAll(sample, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, table)
			assert.Equal(t, []string{"610910", "610990", "844511"}, c.Codes())

			m, ok := c.Classify(catalogue.Query{Text: "carding machine"})
			require.True(t, ok)
			assert.Equal(t, "844511", m.HS6, "a word that the table alone has")
			assert.Contains(t, m.Name, "Carding machines; for preparing")

			m, ok = c.Classify(catalogue.Query{Text: "crew neck tee"})
			require.True(t, ok)
			assert.Equal(t, "610910", m.HS6, "a word that only our list has")

			_, ok = c.Classify(catalogue.Query{Text: "comb"})
			assert.False(t, ok, "what a text excludes is not what it names")
			_, ok = c.Classify(catalogue.Query{Text: "laptop"})
			assert.False(t, ok, "999999 is left out, and so are our codes that the table lacks")
		})
	}
}

func TestLoadPointsAtWhatIsWrong(t *testing.T) {
	const chapter = "I,01,Animals,TOTAL,2\n"
	tests := map[string]struct{ table, want string }{
		"empty":              {"", "hs.csv:1:1: want the header section,hscode,description,parent,level, found an empty file"},
		"another header":     {"a,b\n", "hs.csv:1:1: want the header section,hscode,description,parent,level, got a,b"},
		"JSON":               {`{"a":1}`, `hs.csv:1:2: want a line of comma-separated fields: bare " in non-quoted-field`},
		"header alone":       {header, "hs.csv:2:1: want subheadings (level 6), found none"},
		"chapters alone":     {header + chapter, "hs.csv:3:1: want subheadings (level 6), found none"},
		"missing field":      {header + "I,01,Animals\n", "hs.csv:2:6: want 5 fields (section,hscode,description,parent,level), got 3"},
		"level":              {header + "I,01,Animals,TOTAL,3\n", `hs.csv:2:20: want level 2, 4 or 6, got "3"`},
		"code length":        {header + "I,1,Animals,TOTAL,2\n", `hs.csv:2:3: want a code of 2 digits, as the level says, got "1"`},
		"code with a letter": {header + chapter + "I,01A1,Horses,01,4\n", `hs.csv:3:3: want a code of 4 digits, as the level says, got "01A1"`},
		"parent":             {header + chapter + "I,0201,Beef,01,4\n", `hs.csv:3:13: want the parent 02 of code 0201, got "01"`},
		"no description":     {header + "I,01,,TOTAL,2\n", `hs.csv:2:6: want a description in UTF-8, got ""`},
		"not UTF-8":          {header + "I,01,\xe9,TOTAL,2\n", `hs.csv:2:6: want a description in UTF-8, got "\xe9"`},
		"twice":              {header + chapter + chapter, "hs.csv:3:3: want each code once, got 01 again"},
		"open quote":         {header + "I,01,\"Animals\n", "hs.csv:2:15: want a line of comma-separated fields: extraneous or missing \" in quoted-field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := catalogue.Load(strings.NewReader(tt.table), "hs.csv")
			assert.EqualError(t, err, tt.want)
		})
	}
}

// The whole table is not part of the project; whoever has it names it, and the
// titles are then judged with it too.
func TestTitlesWithTheTable(t *testing.T) {
	table := wholeTable(t)
	c := load(t, table)
	list := append(titles(t), parcels(t)...)
	first, third := score(t, c, list)
	if os.Getenv("HSHARNESS_HS_DATA") != "" {
		assert.Len(t, c.Codes(), 5612)
	}
	assert.GreaterOrEqual(t, 100*first, 75*len(list), "right heading first")
	assert.GreaterOrEqual(t, 100*third, 90*len(list), "right heading among three")
}

func FuzzLoad(f *testing.F) {
	f.Add(sample)
	f.Add("\ufeff" + header)
	f.Add(header + "I,01,\"a\nb\",TOTAL,2\nI,0101,(,01,4\nI,010121,;;,0101,6\n")
	f.Fuzz(func(t *testing.T, table string) {
		c, err := catalogue.Load(strings.NewReader(table), "hs.csv")
		again, err2 := catalogue.Load(strings.NewReader(table), "hs.csv")
		if err != nil {
			assert.EqualError(t, err2, err.Error())
			assert.True(t, strings.HasPrefix(err.Error(), "hs.csv:"), err)
			return
		}
		require.NoError(t, err2)
		assert.NotEmpty(t, c.Codes())
		assert.Equal(t, c.Search("cotton t-shirt machine", 3), again.Search("cotton t-shirt machine", 3))
	})
}
