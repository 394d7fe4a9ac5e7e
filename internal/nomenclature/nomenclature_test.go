package nomenclature_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// The tables are the file whose digest stands beside its sources and terms, and it is
// small.
func TestTablesAreThoseOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("tables/README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("tables/*.bin")
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join("tables", "codes.bin")}, files)
	data, err := os.ReadFile("tables/codes.bin")
	require.NoError(t, err)
	says := fmt.Sprintf("%d bytes and the SHA-256\n`%x`", len(data), sha256.Sum256(data))
	assert.Contains(t, string(readme), says, "make it with maketables, and put what it prints into the README")
	assert.Less(t, len(data), 520_000, "bytes in the binary")
}

// Every line of both schedules is under a subheading of the Harmonized System, apart
// from the chapters that a country has for itself, and every subheading has a line.
func TestTablesFitEachOther(t *testing.T) {
	t.Parallel()
	var none *nomenclature.Schedules
	hts, ok := none.Of("US")
	require.True(t, ok)
	cn, ok := none.Of("DE")
	require.True(t, ok)
	lines := map[string]int{}
	for chapter := 1; chapter <= 99; chapter++ {
		two := fmt.Sprintf("%02d", chapter)
		for name, table := range map[string]*nomenclature.Table{"hts": hts, "cn": cn} {
			for _, l := range table.Under(two) {
				lines[name]++
				assert.True(t, two > "97" || nomenclature.Exists(l.Code[:6]), "%s %s", name, l.Code)
				assert.Len(t, l.Code, table.Digits())
				assert.NotEmpty(t, l.Text())
			}
		}
		for _, l := range nomenclature.HS().Under(two) {
			if len(l.Code) == 6 {
				lines["hs"]++
				assert.NotEmpty(t, hts.Under(l.Code), "the US has nothing under %s", l.Code)
				assert.NotEmpty(t, cn.Under(l.Code), "the EU has nothing under %s", l.Code)
			}
		}
	}
	assert.Equal(t, map[string]int{"hs": 5612, "hts": 23397, "cn": 9791}, lines)
}

func TestLines(t *testing.T) {
	t.Parallel()
	var none *nomenclature.Schedules
	hts, _ := none.Of("us")
	under := hts.Under("610910")
	require.Len(t, under, 14)
	assert.Equal(t, "6109100012", under[3].Code)
	assert.Equal(t, []string{"T-shirts, singlets, tank tops and similar garments, knitted or crocheted", "Of cotton", "Men's or boys'", "Other T-shirts", "Men's (338)"}, under[3].Path)
	text, ok := nomenclature.Heading("6109")
	assert.True(t, ok)
	assert.Contains(t, text, "T-shirts")
	_, ok = nomenclature.Heading("6199")
	assert.False(t, ok)
	_, ok = nomenclature.Heading("610910")
	assert.False(t, ok, "a subheading is no heading")
	assert.True(t, nomenclature.Exists("610910"))
	for _, no := range []string{"", "6", "6109", "999999", "610911", "6109100012", "990000"} {
		assert.False(t, nomenclature.Exists(no), no)
	}
	assert.Empty(t, hts.Under(""))
	assert.Empty(t, hts.Under("77"))
	assert.Equal(t, "HS 2022, HTS 2026", none.Edition("US"))
	assert.Equal(t, "HS 2022, CN 2026", none.Edition("fr"))
	assert.Equal(t, "HS 2022", none.Edition("GB"))
}

func TestLegal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ country, code, wrong string }{
		{"US", "6109100012", ""},
		{"us", "6109.10.00.12", ""},
		{"US", "9801001012", ""}, // a chapter of the United States' own
		{"US", "6109100000", "6109100000 is no line of HTS 2026: under 610910 there are 14, from 6109100004 to 6109100070"},
		{"US", "610910", "610910 can't be declared in US: HTS 2026 has 14 lines under it, the first 6109100004"},
		{"US", "61091000124", "61091000124 is no line of HTS 2026: under 610910 there are 14, from 6109100004 to 6109100070"},
		{"US", "9999999999", "9999999999 is no line of HTS 2026, which has none under 999999"},
		{"US", "6109990000", "6109990000 is no code of HTS 2026: there is no subheading 610999"},
		{"DE", "61091000", ""},
		{"DE", "61099010", "61099010 is no line of CN 2026: under 610990 there are 2, from 61099020 to 61099090"},
		{"DE", "61091010", "61091010 is no line of CN 2026: under 610910 there is 61091000 alone"},
		{"DE", "6109100010", "6109100010 can't be judged: CN 2026 has the 8 digits 61091000, and there is no schedule for DE with more"},
		{"DE", "6109101010", "6109101010 is no line of CN 2026: under 610910 there is 61091000 alone"},
		{"GB", "6109100010", "6109100010 can't be judged: there is no schedule for GB"},
		{"GB", "6199990010", "6199990010 is no code of HS 2022: it has no subheading 619999"},
		{"", "610910", ""},
		{"", "6109.10.00", ""},
		{"", "999999", "999999 is no code of HS 2022: it has no subheading 999999"},
		{"", "6109", "6109 is too short: a code has six digits or more"},
		{"US", "shirt", `"shirt" is no code: a code is digits, which dots or spaces may part`},
		{"US", "", `"" is no code: a code is digits, which dots or spaces may part`},
	} {
		err := (*nomenclature.Schedules)(nil).Legal(tt.country, tt.code)
		if tt.wrong == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, tt.wrong)
		}
	}
}
