package mockapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/harness/mockapi/catalogue"
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

// The names under which a request may carry what it says, best first, as
// plainName writes them.
var (
	textFields    = []string{"description", "title", "name", "productdescription", "productname", "summary", "text"}
	moreFields    = []string{"category", "itemgroup"}
	countryFields = []string{"countryofdestination", "destinationcountry", "destination", "country", "countrycode"}
	codeFields    = []string{"hs6", "hs6code", "hscode"}
)

// product is what the lenient reading finds in a request.
type product struct {
	text, material string
	// more are further texts, which count less.
	more []string
	// country is empty when the request names none: the answer then has the
	// six international digits.
	country string
	hs6     string
}

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
	p := product{
		material: flat["material"],
		country:  strings.ToUpper(first(flat, countryFields)),
		hs6:      digits(first(flat, codeFields)),
	}
	for _, name := range slices.Concat(textFields, moreFields) {
		switch text := flat[name]; {
		case text == "":
		case p.text == "" && slices.Contains(textFields, name):
			p.text = text
		default:
			p.more = append(p.more, text)
		}
	}
	return p
}

// addTexts goes by the names in order: of two that plainName makes one, the
// same has to win each time.
func addTexts(flat map[string]string, fields map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var text string
		if json.Unmarshal(fields[name], &text) != nil {
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

// accept reads the request of an operation that takes one product, and spends
// its unit. When it returns false the reply is the answer.
func (h *host) accept(c *call) (product, reply, bool) {
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
	p, rep, ok := h.accept(c)
	if !ok {
		return rep
	}
	return reply{status: http.StatusOK, body: h.predict(p)}
}

func (h *host) predict(p product) prediction {
	if best := h.goods.find(p, 1); len(best) > 0 {
		return best[0].prediction(p)
	}
	out := found{title: p.text}.prediction(p)
	out.HSCode, out.Resolution = nil, catalogue.NotEnough
	return out
}

func (f found) prediction(p product) prediction {
	out := prediction{HSCode: &f.code, Description: f.title, Confidence: f.confidence}
	if p.country != "" {
		out.CountryOfDestination = &p.country
	}
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
	p, rep, ok := h.accept(c)
	if !ok {
		return rep
	}
	out := enriched{prediction: h.predict(p)}
	if code := out.HSCode; code != nil {
		out.Chapter, out.Heading, out.Subheading = (*code)[:2], (*code)[:4], (*code)[:6]
	}
	return reply{status: http.StatusOK, body: out}
}

// maxHints is how many codes /hscode/hints gives at most.
const maxHints = 5

// hinted is the answer to /hscode/hints: the codes that come into question,
// best first. The list is empty for a thin description.
type hinted struct {
	Hints []prediction `json:"hints"`
}

func (h *host) hints(c *call) reply {
	p, rep, ok := h.accept(c)
	if !ok {
		return rep
	}
	out := hinted{Hints: []prediction{}}
	for _, f := range h.goods.find(p, maxHints) {
		out.Hints = append(out.Hints, f.prediction(p))
	}
	return reply{status: http.StatusOK, body: out}
}

// batch is the shape of both the request and the answer of
// /hscode/classify_from_hs6. That it is a batch is verified by its title.
type batch[T any] struct {
	Items []T `json:"items"`
}

// lengthened is a prediction with the six digits that it was made from. Its
// confidence is zero where the catalogue does not know them.
type lengthened struct {
	HS6 string `json:"hs6"`
	prediction
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
		out.Items[i] = lengthened{HS6: p.hs6, prediction: h.goods.lengthen(p).prediction(p)}
	}
	return reply{status: http.StatusOK, body: out}
}

func isHS6(code string) bool {
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}
