package catalogue_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/mockapi/catalogue"
)

// titlesSum is the hash of testdata/titles.tsv, which was committed before the
// search existed: the list that judges is not fitted to the search.
const titlesSum = "9b4e25294a66a86570ec6186ffc7aff9132a4e5eae52a4d8a92b2e094e0a9c80"

// title is a product title and the headings that are right for it.
type title struct {
	text     string
	headings []string
}

func titles(t testing.TB) []title {
	t.Helper()
	raw, err := os.ReadFile("testdata/titles.tsv")
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	require.Equal(t, titlesSum, hex.EncodeToString(sum[:]), "testdata/titles.tsv is not the list that was committed first")
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
	list := titles(t)
	require.GreaterOrEqual(t, len(list), 120)
	first, third := score(t, catalogue.Default(), list)
	assert.GreaterOrEqual(t, 100*first, 75*len(list), "right heading first")
	assert.GreaterOrEqual(t, 100*third, 90*len(list), "right heading among three")
}
