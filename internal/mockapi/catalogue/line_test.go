package catalogue_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// expertTitles are shop titles with the ten-digit US codes that experts gave them:
// HSCodeComp, of AIDC-AI/Marco-Search-Agent, Apache-2.0.
func expertTitles(t testing.TB) [][]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/shop-titles.csv")
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"code", "title"}, rows[0])
	return rows[1:]
}

func schedule(t testing.TB, country string) *nomenclature.Table {
	t.Helper()
	table, ok := (*nomenclature.Schedules)(nil).Of(country)
	require.True(t, ok)
	return table
}

// Under the six digits that an expert gave, the line is chosen by the text: far more
// often the expert's than the first is, and more often than the last.
func TestChosenLineIsTheExperts(t *testing.T) {
	t.Parallel()
	hts := schedule(t, "US")
	all, right, first, last := 0, 0, 0, 0
	for _, row := range expertTitles(t) {
		code, title := row[0], row[1]
		under := hts.Under(code[:6])
		if len(under) < 2 {
			continue // there is nothing to choose
		}
		chosen, ok := catalogue.Choose(hts, code[:6], title)
		require.True(t, ok)
		all++
		for count, line := range map[*int]nomenclature.Line{&right: chosen, &first: under[0], &last: under[len(under)-1]} {
			if line.Code == code {
				*count++
			}
		}
	}
	t.Logf("of %d titles with a choice the expert's line is chosen for %d (%.1f %%); it is the first for %d, the last for %d",
		all, right, 100*float64(right)/float64(all), first, last)
	assert.GreaterOrEqual(t, right, 97)
	assert.Greater(t, right, last)
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ hs6, text, us, eu string }{
		{"610910", "men's cotton t-shirt", "6109100012", "61091000"},
		{"610910", "Boys Cotton T-Shirt", "6109100014", "61091000"},
		{"610910", "women's cotton tank top", "6109100060", "61091000"},
		{"610990", "mens wool t-shirt with long sleeves", "6109901520", "61099020"},
		{"640399", "slippers of leather for home", "", "64039950"},
		{"010121", "purebred mare, female horse", "0101210020", "01012100"},
	} {
		l, ok := catalogue.Choose(schedule(t, "US"), tt.hs6, tt.text)
		require.True(t, ok)
		if tt.us != "" {
			assert.Equal(t, tt.us, l.Code, tt.text)
		}
		l, ok = catalogue.Choose(schedule(t, "DE"), tt.hs6, tt.text)
		require.True(t, ok)
		assert.Equal(t, tt.eu, l.Code, tt.text)
	}
	for _, none := range []string{"999999", "6109", ""} {
		_, ok := catalogue.Choose(schedule(t, "US"), none, "t-shirt")
		assert.False(t, ok, none)
	}
}

// BenchmarkChoose is a line chosen among the 14 of cotton T-shirts.
func BenchmarkChoose(b *testing.B) {
	hts := schedule(b, "US")
	b.ReportAllocs()
	for b.Loop() {
		catalogue.Choose(hts, "610910", "Mens Cotton T-Shirt Short Sleeve Crew Neck Summer Casual")
	}
}
