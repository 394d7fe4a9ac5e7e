package mockapi_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// Every code that the mock answers to real shop titles can be declared where the goods
// go, in the United States and in Germany. The titles are of HSCodeComp, of
// AIDC-AI/Marco-Search-Agent, Apache-2.0.
func TestAnswersAreLegalLines(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("catalogue/testdata/shop-titles.csv")
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	s := serve(t, mockapi.Config{})
	for country, edition := range map[string]string{"US": "HS 2022, HTS 2026", "DE": "HS 2022, CN 2026"} {
		answered, legal := 0, 0
		for _, row := range rows[1:] {
			body, err := json.Marshal(map[string]string{"description": row[1], "countryOfDestination": country})
			require.NoError(t, err)
			got := s.do(avalara.Current, http.MethodPost, avalara.PathHints, string(body))
			require.Equal(t, http.StatusOK, got.status)
			var hints struct {
				Hints []struct{ HSCode string }
			}
			require.NoError(t, json.Unmarshal([]byte(got.body), &hints))
			for _, h := range hints.Hints {
				answered++
				if err := (*nomenclature.Schedules)(nil).Legal(country, h.HSCode); assert.NoError(t, err, "%s: %s", country, row[1]) {
					legal++
				}
			}
			if len(hints.Hints) > 0 {
				assert.Equal(t, edition, got.header.Get("Hsharness-Edition"))
				assert.Empty(t, got.header.Get("Hsharness-Code"), "nothing is assumed")
			}
		}
		require.Greater(t, answered, 600)
		t.Logf("%s: of %d codes for %d shop titles %d are legal lines (%.1f %%)", country, answered, len(rows)-1, legal, 100*float64(legal)/float64(answered))
	}
}

// The line is chosen by the text, also under six digits that the caller gives.
func TestLineIsChosenByTheText(t *testing.T) {
	t.Parallel()
	s := serve(t, mockapi.Config{ManagedReads: -1})
	for text, want := range map[string]string{
		"men's cotton t-shirt": "6109100012", "boys cotton t-shirt": "6109100014", "women's cotton tank top": "6109100060",
	} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"items":[{"hs6":"6109.10","description":"`+text+`","countryOfDestination":"US"}]}`)
		assert.Equal(t, want, got.at(t, "items", 0, "hsCode"), text)
	}
	got := s.create(map[string]any{"countryOfDestination": "US"})
	assert.Equal(t, "6109100012", got.at(t, "hsCode"))
	assert.Contains(t, got.at(t, "confidenceDescription"), "; HS 2022, HTS 2026")
}

// Where nobody knows the country's lines the code is filled up, and says so.
func TestFilledUpCodesSaySo(t *testing.T) {
	t.Parallel()
	s := serve(t, mockapi.Config{})
	ask := func(s *service) answer {
		return s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"men's cotton t-shirt","countryOfDestination":"GB"}`)
	}
	got := ask(s)
	assert.Equal(t, "6109100000", got.at(t, "hsCode"))
	assert.Equal(t, "assumed", got.header.Get("Hsharness-Code"))
	assert.Equal(t, "HS 2022", got.header.Get("Hsharness-Edition"))

	table, err := nomenclature.Read("gb.csv", strings.NewReader("code,description\n6109100010,Men's T-shirts\n6109100090,Others\n"))
	require.NoError(t, err)
	own := serve(t, mockapi.Config{Schedules: nomenclature.NewSchedules(map[string]*nomenclature.Table{"GB": table})})
	got = ask(own)
	assert.Equal(t, "6109100010", got.at(t, "hsCode"))
	assert.Empty(t, got.header.Get("Hsharness-Code"))
	assert.Equal(t, "HS 2022, gb.csv", got.header.Get("Hsharness-Edition"))
	laptop := own.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"laptop","countryOfDestination":"GB"}`)
	assert.Equal(t, "8471300000", laptop.at(t, "hsCode"), "the file has no such line")
	assert.Equal(t, "assumed", laptop.header.Get("Hsharness-Code"))
}

// What does not exist gets no code: neither six digits that are none, nor a country.
func TestNoCodeForWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	s := serve(t, mockapi.Config{})
	for _, body := range []string{
		`{"items":[{"hs6":"999999","countryOfDestination":"US"}]}`,
		`{"items":[{"hs6":"610910","countryOfDestination":"US"},{"hs6":"619999","countryOfDestination":"GB"}]}`,
		`{"items":[{"hs6":"610910","countryOfDestination":"ZZ"}]}`,
	} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, body)
		assert.Equal(t, http.StatusUnprocessableEntity, got.status, body)
		assert.NotContains(t, got.body, "hsCode\":", body)
		assert.Empty(t, got.header.Get("Hsharness-Edition"))
	}
	for _, path := range []string{avalara.PathClassify, avalara.PathEnhanced, avalara.PathHints} {
		got := s.do(avalara.Current, http.MethodPost, path, `{"description":"laptop","countryOfDestination":"ZZ"}`)
		assert.Equal(t, http.StatusUnprocessableEntity, got.status, path)
	}
	assert.Zero(t, s.Usage().Served, "and nothing is counted")
}
