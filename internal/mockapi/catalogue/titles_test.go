package catalogue_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

// titlesSum is the hash of testdata/titles.tsv, which was committed before the
// search existed: the list that judges is not fitted to the search.
const titlesSum = "9b4e25294a66a86570ec6186ffc7aff9132a4e5eae52a4d8a92b2e094e0a9c80"

// parcelsSum is the hash of testdata/parcels.tsv, whose codes are a customs
// authority's: see its head. It was committed before the search was tuned to
// titles of its kind.
const parcelsSum = "801c6083be6aa85d4f4c81cf323d08f029d29129ef8d204d6672bf432e5e905d"

// title is a product title and the headings that are right for it.
type title struct {
	text     string
	headings []string
}

func titles(t testing.TB) []title { return committed(t, "testdata/titles.tsv", titlesSum) }

func parcels(t testing.TB) []title {
	list := committed(t, "testdata/parcels.tsv", parcelsSum)
	for i := range list {
		list[i].headings[0] = list[i].headings[0][:4]
	}
	return list
}

func committed(t testing.TB, file, want string) []title {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	require.Equal(t, want, hex.EncodeToString(sum[:]), "%s is not the list that was committed first", file)
	return parseTitles(t, string(raw))
}

func parseTitles(t testing.TB, raw string) []title {
	t.Helper()
	var out []title
	for line := range strings.Lines(raw) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		headings, text, ok := strings.Cut(line, "\t")
		require.True(t, ok, "no tab: %q", line)
		out = append(out, title{text, strings.Split(headings, ",")})
	}
	return out
}

// score counts the titles whose heading comes first, and among the first three
// codes.
func score(t testing.TB, c *catalogue.Catalogue, list []title) (first, third int) {
	t.Helper()
	for _, l := range list {
		found := c.Search(l.text, 3)
		place := 0
		for i, m := range found {
			if place == 0 && has(l.headings, m.HS6) {
				place = i + 1
			}
		}
		if place == 1 {
			first++
		} else {
			t.Logf("%v %q: place %d in %v", l.headings, l.text, place, found)
		}
		if place > 0 {
			third++
		}
	}
	t.Logf("of %d titles: heading first %d (%.1f %%), among three %d (%.1f %%)", len(list),
		first, 100*float64(first)/float64(len(list)), third, 100*float64(third)/float64(len(list)))
	return first, third
}

func has(headings []string, hs6 string) bool {
	for _, h := range headings {
		if strings.HasPrefix(hs6, h) {
			return true
		}
	}
	return false
}

func TestTitles(t *testing.T) {
	for name, list := range map[string][]title{"titles": titles(t), "parcels": parcels(t)} {
		t.Run(name, func(t *testing.T) {
			require.GreaterOrEqual(t, len(list), 120)
			first, third := score(t, catalogue.Default(), list)
			assert.GreaterOrEqual(t, 100*first, 75*len(list), "right heading first")
			assert.GreaterOrEqual(t, 100*third, 90*len(list), "right heading among three")
		})
	}
}
