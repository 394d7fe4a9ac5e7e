package mockapi_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

func TestClassify(t *testing.T) {
	s := serve(t, mockapi.Config{})
	for _, api := range []avalara.API{avalara.Current, avalara.Legacy} {
		got := s.do(api, http.MethodPost, avalara.PathClassify, shirt)
		assert.Equal(t, http.StatusOK, got.status)
		assert.Regexp(t, `^\{"hsCode":"6109\d{6}","description":"[^"]+","countryOfDestination":"US","confidence":(1|0\.\d+)\}$`, got.body)
		assert.Equal(t, got.body, s.do(api, http.MethodPost, avalara.PathClassify, shirt).body, "the same answer each time")
	}
}

func TestClassifyReadsLeniently(t *testing.T) {
	s := serve(t, mockapi.Config{})
	for _, body := range []string{
		`{"description":"cotton t-shirt","countryOfDestination":"US"}`,
		`{"title":"cotton t-shirt","country":"us"}`,
		`{"Name":"cotton t-shirt","destination_country":"US"}`,
		`{"summary":"cotton t-shirt","destination":" US ","extra":{"a":[1]}}`,
		`{"item":{"description":"cotton t-shirt"},"countryOfDestination":"US"}`,
		`{"product":{"title":"cotton t-shirt","country":"US"},"description":7}`,
	} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, body)
		assert.Equal(t, http.StatusOK, got.status, body)
		assert.Regexp(t, `^6109\d{6}$`, got.at(t, "hsCode"), body)
		assert.Equal(t, "US", got.at(t, "countryOfDestination"), body)
	}
	got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"cotton t-shirt"}`)
	assert.Regexp(t, `^6109\d\d$`, got.at(t, "hsCode"), "no country: the international digits")
	assert.Nil(t, got.at(t, "countryOfDestination"))
}

func TestBelievableCodes(t *testing.T) {
	s := serve(t, mockapi.Config{ManagedReads: -1})
	for text, want := range map[string]string{
		"men's cotton t-shirt":    `^6109\d{6}$`,
		"laptop":                  `^8471\d{6}$`,
		"laptop computer 15 inch": `^8471\d{6}$`,
		"coffee maker":            `^8516\d{6}$`,
		"wool scarf":              `^(6117|6214)\d{6}$`,
	} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"`+text+`","countryOfDestination":"US"}`)
		assert.Regexp(t, want, got.at(t, "hsCode"), text)
		assert.Regexp(t, want, s.create(map[string]any{"item.description": text, "item.itemGroup": "Shop"}).at(t, "hsCode"), text)
	}
	for country, digits := range map[string]int{"US": 10, "DE": 8, "JP": 9, "BR": 8, "TR": 12} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"laptop","country":"`+country+`"}`)
		assert.Len(t, got.at(t, "hsCode"), digits, country)
	}
	why := s.create(nil).at(t, "confidenceDescription")
	assert.Contains(t, why, "the digits after the sixth are zeros", "filling is never passed off as a tariff line")
}

func TestClassifyIsDeterministicWhereNamesClash(t *testing.T) {
	s := serve(t, mockapi.Config{})
	const body = `{"Description":"laptop","description":"wool scarf","DESCRIPTION":"coffee maker","category":"shop"}`
	want := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, body).body
	assert.Contains(t, want, "scarves", "the name as documented comes last in order, and wins")
	for range 20 {
		assert.Equal(t, want, s.do(avalara.Current, http.MethodPost, avalara.PathClassify, body).body)
	}
}

func TestMaterialAndFurtherTextsHelp(t *testing.T) {
	s := serve(t, mockapi.Config{ManagedReads: -1})
	for material, want := range map[string]string{"leather": "^4203", "synthetic": "^6116"} {
		got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"title":"gloves","material":"`+material+`"}`)
		assert.Regexp(t, want, got.at(t, "hsCode"), material)
		got = s.create(map[string]any{"item.description": "gloves", "item.parameters": []any{
			map[string]any{"name": "material", "value": material}, map[string]any{"name": "description", "value": "for winter"},
		}})
		assert.Regexp(t, want, got.at(t, "hsCode"), material)
	}
	got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"title":"Model 300","category":"laptop"}`)
	assert.Regexp(t, "^8471", got.at(t, "hsCode"))
}

func TestClassifyThinDescription(t *testing.T) {
	s := serve(t, mockapi.Config{})
	got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"description":"thing","country":"US"}`)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, `{"hsCode":null,"description":"thing","countryOfDestination":"US","confidence":0,"resolution":"Not enough details."}`, got.body)
	assert.EqualValues(t, 1, s.served())
}

func TestAutomatedValidation(t *testing.T) {
	s := serve(t, mockapi.Config{})
	for _, row := range []struct {
		path, body, refersTo string
		number               int
	}{
		{avalara.PathClassify, `{"countryOfDestination":"US"}`, "description", 5},
		{avalara.PathClassify, `{"description":" "}`, "description", 5},
		{avalara.PathClassify, `{"description":"x","country":"Narnia"}`, "countryOfDestination", 125},
		{avalara.PathEnhanced, `{}`, "description", 5},
		{avalara.PathHints, `{}`, "description", 5},
		{avalara.PathClassifyFromHS6, `{}`, "items", 5},
		{avalara.PathClassifyFromHS6, `{"items":[]}`, "items", 5},
		{avalara.PathClassifyFromHS6, `{"items":[{"hs6":"610910"},{}]}`, "items[1].hs6", 5},
		{avalara.PathClassifyFromHS6, `{"items":[{"hs6":"61091x"}]}`, "items[0].hs6", 2807},
		{avalara.PathClassifyFromHS6, `{"items":[{"hs6":"610910","country":"XX"}]}`, "items[0].countryOfDestination", 125},
	} {
		got := s.do(avalara.Current, http.MethodPost, row.path, row.body)
		assert.Equal(t, http.StatusUnprocessableEntity, got.status, row.body)
		assert.EqualValues(t, row.number, got.at(t, "error", "details", 0, "number"), row.body)
		assert.Equal(t, row.refersTo, got.at(t, "error", "details", 0, "refersTo"), row.body)
	}
	assert.Equal(t, http.StatusBadRequest, s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"items":{}}`).status)
	many := s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"items":[{}`+strings.Repeat(",{}", 1000)+`]}`)
	assert.Len(t, many.at(t, "error", "details"), 100, "a bad request's answer has a bound")
	assert.Zero(t, s.served(), "a refused request costs nothing")
}

func TestOtherAutomatedOperations(t *testing.T) {
	s := serve(t, mockapi.Config{})
	got := s.do(avalara.Current, http.MethodPost, avalara.PathEnhanced, shirt)
	assert.Equal(t, "61", got.at(t, "chapter"))
	assert.Equal(t, "6109", got.at(t, "heading"))
	assert.Regexp(t, `^6109\d{6}$`, got.at(t, "hsCode"))

	got = s.do(avalara.Current, http.MethodPost, avalara.PathHints, shirt)
	assert.Regexp(t, `^6109\d{6}$`, got.at(t, "hints", 0, "hsCode"))
	assert.GreaterOrEqual(t, len(got.at(t, "hints").([]any)), 3)
	assert.LessOrEqual(t, len(got.at(t, "hints").([]any)), 5)
	for _, hint := range got.at(t, "hints").([]any) {
		assert.ElementsMatch(t, []string{"hsCode", "description", "confidence"}, slices.Collect(maps.Keys(hint.(map[string]any))))
	}
	got = s.do(avalara.Current, http.MethodPost, avalara.PathHints, `{"description":"thing"}`)
	assert.Equal(t, `{"hints":[]}`, got.body)
	assert.EqualValues(t, 3, s.served())
}
