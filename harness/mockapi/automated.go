package mockapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
)

// automated finds an operation of "Automated Tariff Code Classification". All
// of them answer at once; that is assumed from the vendor's index, which lists
// no GET for them.
func (h *host) automated(path string) func(*call) reply {
	switch path {
	case avalara.PathClassify:
		return h.classify
	case avalara.PathClassifyFromHS6:
		return h.classifyFromHS6
	case avalara.PathEnhanced:
		return h.enhanced
	case avalara.PathHints:
		return h.hints
	}
	return nil
}

// The bodies below are assumed, all of them: no public source shows one.

// prediction is the answer to /hscode/classify. HSCode is null, and Resolution
// given, when the description is too thin.
type prediction struct {
	HSCode               *string `json:"hsCode"`
	Description          string  `json:"description"`
	CountryOfDestination *string `json:"countryOfDestination"`
	Confidence           float64 `json:"confidence"`
	Resolution           string  `json:"resolution,omitempty"`
}

// notEnough is the vendor's own example of a resolution.
const notEnough = "Not enough details."

// productFields and countryFields are the names under which a request may carry
// its text and its country, best first, as plainName writes them.
var (
	productFields = []string{"description", "title", "name", "productdescription", "productname", "summary", "text"}
	countryFields = []string{"countryofdestination", "destinationcountry", "destination", "country", "countrycode"}
)

// product is what the lenient reading finds in a request. Country is empty when
// the request names none: the answer then has the six international digits.
type product struct{ text, country, hs6 string }

// readProduct looks for the fields in the object itself, then in its member
// "item" or "product".
func readProduct(fields map[string]json.RawMessage) product {
	flat := make(map[string]string, len(fields))
	for _, nested := range []string{"item", "product"} {
		var inner map[string]json.RawMessage
		if json.Unmarshal(fields[nested], &inner) == nil {
			addTexts(flat, inner)
		}
	}
	addTexts(flat, fields)
	return product{
		text:    first(flat, productFields),
		country: strings.ToUpper(first(flat, countryFields)),
		hs6:     digits(first(flat, []string{"hs6", "hs6code", "hscode"})),
	}
}

func addTexts(flat map[string]string, fields map[string]json.RawMessage) {
	for name, raw := range fields {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			continue
		}
		if text = strings.TrimSpace(text); text != "" {
			flat[plainName(name)] = text
		}
	}
}

// plainName makes country_of_destination and countryOfDestination one name.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func first(flat map[string]string, names []string) string {
	for _, name := range names {
		if text := flat[name]; text != "" {
			return text
		}
	}
	return ""
}

// digits drops the dots and spaces that people write into codes.
func digits(code string) string { return strings.NewReplacer(".", "", " ", "").Replace(code) }

// product reads the request of an operation that takes one product, and spends
// its unit.
func (h *host) product(c *call) (product, reply, bool) {
	var fields map[string]json.RawMessage
	if rep, ok := c.jsonBody(&fields); !ok {
		return product{}, rep, false
	}
	p := readProduct(fields)
	var w wrongs
	w.required("description", p.text)
	w.country("countryOfDestination", p.country)
	if len(w.details) > 0 {
		return product{}, failure(http.StatusUnprocessableEntity, targetData, w.details...), false
	}
	rep, ok := h.spend(c.account, 1)
	return p, rep, ok
}

func (h *host) classify(c *call) reply {
	p, rep, ok := h.product(c)
	if !ok {
		return rep
	}
	return reply{status: http.StatusOK, body: h.predict(p)}
}

func (h *host) predict(p product) prediction {
	out := prediction{Description: p.text}
	if p.country != "" {
		out.CountryOfDestination = &p.country
	}
	found, ok := h.goods.find(p)
	if !ok {
		out.Resolution = notEnough
		return out
	}
	out.HSCode, out.Description, out.Confidence = &found.code, found.title, found.confidence
	return out
}

// enriched is the answer to /hscode-enhanced/classify: the prediction, with the
// code taken apart.
type enriched struct {
	prediction
	Chapter    string `json:"chapter,omitempty"`
	Heading    string `json:"heading,omitempty"`
	Subheading string `json:"subheading,omitempty"`
}

func (h *host) enhanced(c *call) reply {
	p, rep, ok := h.product(c)
	if !ok {
		return rep
	}
	out := enriched{prediction: h.predict(p)}
	if code := out.HSCode; code != nil {
		out.Chapter, out.Heading, out.Subheading = (*code)[:2], (*code)[:4], (*code)[:6]
	}
	return reply{status: http.StatusOK, body: out}
}

// hinted is the answer to /hscode/hints: the codes that come into question,
// best first. The list is empty for a thin description.
type hinted struct {
	CountryOfDestination *string      `json:"countryOfDestination"`
	Hints                []prediction `json:"hints"`
}

func (h *host) hints(c *call) reply {
	p, rep, ok := h.product(c)
	if !ok {
		return rep
	}
	best := h.predict(p)
	out := hinted{CountryOfDestination: best.CountryOfDestination, Hints: []prediction{}}
	if best.HSCode != nil {
		out.Hints = append(out.Hints, best)
	}
	return reply{status: http.StatusOK, body: out}
}

// batch is the request, and with predictions the answer, of
// /hscode/classify_from_hs6. That it is a batch is verified by its title.
type batch[T any] struct {
	Items []T `json:"items"`
}

// lengthened is one national code made from six digits.
type lengthened struct {
	HS6                  string  `json:"hs6"`
	HSCode               string  `json:"hsCode"`
	Description          string  `json:"description"`
	CountryOfDestination *string `json:"countryOfDestination"`
	Confidence           float64 `json:"confidence"`
}

// classifyFromHS6 costs a unit for each item. All of them are served, or none.
func (h *host) classifyFromHS6(c *call) reply {
	var req batch[map[string]json.RawMessage]
	if rep, ok := c.jsonBody(&req); !ok {
		return rep
	}
	var w wrongs
	if len(req.Items) == 0 {
		w.required("items", "")
	}
	products := make([]product, len(req.Items))
	for i, fields := range req.Items {
		p := readProduct(fields)
		at := "items[" + strconv.Itoa(i) + "]."
		w.required(at+"hs6", p.hs6)
		if p.hs6 != "" && !isHS6(p.hs6) {
			w.add(avalara.InvalidHsCode, at+"hs6", p.hs6)
		}
		w.country(at+"countryOfDestination", p.country)
		products[i] = p
	}
	if len(w.details) > 0 {
		return failure(http.StatusUnprocessableEntity, targetData, w.details...)
	}
	if rep, ok := h.spend(c.account, len(products)); !ok {
		return rep
	}
	out := batch[lengthened]{Items: make([]lengthened, len(products))}
	for i, p := range products {
		out.Items[i] = lengthened{HS6: p.hs6, HSCode: national(p.hs6, p.country), Description: p.text, Confidence: 1}
		if p.country != "" {
			out.Items[i].CountryOfDestination = &p.country
		}
	}
	return reply{status: http.StatusOK, body: out}
}

func isHS6(code string) bool {
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}
