package mockapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
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

// The bodies are assumed, all of them: no public source shows one. Their shapes
// stand in the folder templates, and a Config may replace them.

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

// product looks for the fields in the object itself, then in the members that
// may hold them.
func (n requestNames) product(fields map[string]json.RawMessage) product {
	flat := make(map[string]string, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var inner map[string]json.RawMessage
		if slices.Contains(n.Inside, plainName(name)) && json.Unmarshal(fields[name], &inner) == nil {
			addTexts(flat, inner)
		}
	}
	addTexts(flat, fields)
	p := product{
		material: first(flat, n.Material),
		country:  strings.ToUpper(first(flat, n.Country)),
		hs6:      digits(first(flat, n.HS6)),
	}
	for _, name := range slices.Concat(n.Description, n.More) {
		switch text := flat[name]; {
		case text == "":
		case p.text == "" && slices.Contains(n.Description, name):
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
func plainName(name string) string { return strings.ToLower(marks.Replace(name)) }

// marks are what parts the words of a name. They are made ready once, for all names of all items.
var marks = strings.NewReplacer("_", "", "-", "")

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
	p := h.templates.names.product(fields)
	var w wrongs
	w.required("description", p.text)
	w.country("countryOfDestination", p.country)
	if len(w.details) > 0 {
		return product{}, failure(http.StatusUnprocessableEntity, targetData, w.details...), false
	}
	rep, ok := h.spend(c.account, 1)
	return p, rep, ok
}

func (h *host) classify(c *call) reply { return h.predict(c, classifyFile, 1) }
func (h *host) enhanced(c *call) reply { return h.predict(c, enhancedFile, 1) }
func (h *host) hints(c *call) reply    { return h.predict(c, hintsFile, maxHints) }

// maxHints is how many codes /hscode/hints gives at most.
const maxHints = 5

// predict answers with a template and at most n codes.
func (h *host) predict(c *call, file string, n int) reply {
	p, rep, ok := h.accept(c)
	if !ok {
		return rep
	}
	data := p.answer()
	var from provenance
	for _, f := range h.goods.find(p, n) {
		data.Found = append(data.Found, f.match())
		from.add(h.goods, p.country, f)
	}
	if len(data.Found) == 0 {
		data.Resolution = catalogue.NotEnough
	}
	return h.answer(file, data, from)
}

// answer writes an answer of a template.
func (h *host) answer(file string, data answerData, from provenance) reply {
	body, err := h.templates.render(file, data)
	if err != nil {
		return failed(err)
	}
	return reply{status: http.StatusOK, header: from.header(), body: body}
}

func (p product) answer() answerData {
	data := answerData{Text: p.text, HS6: p.hs6}
	if p.country != "" {
		data.Country = &p.country
	}
	return data
}

func (f found) match() match { return match{Code: f.code, Title: f.title, Confidence: f.confidence} }

// classifyFromHS6 costs a unit for each item. All of them are served, or none.
func (h *host) classifyFromHS6(c *call) reply {
	var fields map[string]json.RawMessage
	if rep, ok := c.jsonBody(&fields); !ok {
		return rep
	}
	items, ok := h.templates.names.items(fields)
	if !ok {
		return failure(http.StatusBadRequest, targetRequest, problem(avalara.ModelStateInvalid, ""))
	}
	var w wrongs
	if len(items) == 0 {
		w.required("items", "")
	}
	var products []product
	for i, item := range items {
		if w.full() { // nobody is told of more, and there may be 300,000 empty ones
			break
		}
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(item, &fields) // an object, or null
		p := h.templates.names.product(fields)
		at := "items[" + strconv.Itoa(i) + "]."
		w.required(at+"hs6", p.hs6)
		if p.hs6 != "" && (!isHS6(p.hs6) || !h.goods.exists(p.hs6)) { // that one must exist is assumed
			w.add(avalara.InvalidHsCode, at+"hs6", p.hs6)
		}
		w.country(at+"countryOfDestination", p.country)
		products = append(products, p)
	}
	if len(w.details) > 0 {
		return failure(http.StatusUnprocessableEntity, targetData, w.details...)
	}
	if rep, ok := h.spend(c.account, len(products)); !ok {
		return rep
	}
	var data answerData
	var from provenance
	for _, p := range products {
		one, f := p.answer(), h.goods.lengthen(p)
		one.Found = []match{f.match()}
		data.Items = append(data.Items, one)
		from.add(h.goods, p.country, f)
	}
	return h.answer(fromHS6File, data, from)
}

// items finds the array of a batch, of objects that are read one by one: all at once
// they would be a hundred times as large as their text. It returns false where there is
// something else instead.
func (n requestNames) items(fields map[string]json.RawMessage) (items []json.RawMessage, ok bool) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(n.Items, plainName(name)) {
			err := json.Unmarshal(fields[name], &items)
			other := func(item json.RawMessage) bool { return item[0] != '{' && string(item) != "null" }
			return items, err == nil && !slices.ContainsFunc(items, other)
		}
	}
	return nil, true
}

func isHS6(code string) bool {
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}
