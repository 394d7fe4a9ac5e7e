package mockapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// learnedOperation serves an operation in the shape that was learned of it; nil where none
// was. Of several with its path it is the one of the method, else the last. Own templates win.
func (h *host) learnedOperation(asked, path string) (method string, serve func(*call) reply) {
	for _, op := range h.learned.Operations() {
		if m, p, _ := strings.Cut(op.Operation, " "); p == path && method != asked {
			method, serve = m, func(c *call) reply { return h.answerLearned(op, c) }
		}
	}
	return method, serve
}

// longBody is how long a body may be, in bytes, of which several are read at a time where a
// shape was learned: as a tree it takes a hundred times as much.
const longBody = 64 << 10

// answerLearned answers in the shape that the recordings show. What they don't show is as
// it is without them.
func (h *host) answerLearned(op *shape.Operation, c *call) reply {
	if len(c.body) > longBody {
		h.long.Lock()
		defer h.long.Unlock()
	}
	ask := shape.Ask{Now: h.clock.Now(), Serial: h.serial.Add(1), Language: c.language(), ItemsAt: op.Request.Items}
	ask.Query, _ = url.ParseQuery(c.query)
	say := func(when string, otherwise reply) reply {
		if rep, ok := op.Render(when, ask); ok {
			return learnedReply(rep)
		}
		return otherwise
	}
	unreadable := failure(http.StatusBadRequest, targetRequest, problem(avalara.ModelStateInvalid, ""))
	if len(c.body) > 0 || len(ask.Query) == 0 {
		var free json.RawMessage
		switch rep, ok := c.jsonValue(&free); {
		case !ok && rep.status == http.StatusBadRequest:
			return say(shape.WhenBadBody, rep)
		case !ok:
			return rep
		}
		ask.Body, _ = shape.Parse(c.body) // it was decoded
	}
	if op.Request.Items != "" {
		list, there := ask.Body.Find(strings.TrimSuffix(op.Request.Items, "/*"))
		switch {
		case there && list.Kind != shape.List:
			return say(shape.WhenBadBody, unreadable)
		case len(list.Items) == 0:
			return say(shape.WhenNoItems, invalid(avalara.ValueRequiredError, leafOf(op.Request.Items)))
		}
		ask.Items = make([]shape.Ask, len(list.Items)) // each is ten times as large as the shortest item
		for i, item := range list.Items {
			ask.Items[i].Body = item
		}
	}
	products, when, otherwise := h.learnedProducts(op, ask)
	if when != "" {
		if ask.Items != nil {
			ask.Refused = &ask.Items[len(products)]
		}
		return say(when, otherwise)
	}
	if rep, ok := h.spend(c.account, len(products)); !ok {
		return rep
	}
	least, most := op.Most()
	when = shape.WhenFound
	var from provenance
	for i, p := range products {
		var found []shape.Match
		for _, f := range h.learnedFound(p, least, most) {
			found = append(found, shape.Match{Code: f.code, Title: f.title, Confidence: f.confidence})
			from.add(h.goods, p.country, f)
		}
		if ask.Items == nil {
			ask.Found, ask.Country = found, p.country
		} else {
			ask.Items[i].Found, ask.Items[i].Country = found, p.country
		}
		if len(found) == 0 && len(products) == 1 {
			when = shape.WhenNothing
		}
	}
	rep := say(when, unreadable)
	if rep.header == nil {
		rep.header = map[string]string{}
	}
	maps.Copy(rep.header, from.header())
	return rep
}

// learnedReply is an answer of a template.
func learnedReply(rep shape.Reply) reply {
	out := reply{status: rep.Status, header: rep.Headers}
	if rep.Body != nil {
		out.body = json.RawMessage(rep.Body)
	}
	return out
}

// invalid is the error of a field.
func invalid(code avalara.ErrorCode, path string, args ...string) reply {
	var w wrongs
	w.add(code, path, append(args, leaf(path))...)
	return failure(http.StatusUnprocessableEntity, targetData, w.details...)
}

// leafOf is the last name of a pointer.
func leafOf(pointer string) string {
	steps := strings.Split(strings.TrimPrefix(strings.TrimSuffix(pointer, "/*"), "?"), "/")
	return shape.Unescaped(steps[len(steps)-1])
}

// learnedProducts reads what is asked for, by the members that the recordings have and else
// by the names that are assumed. When is why the first that is not among all can't be
// answered.
func (h *host) learnedProducts(op *shape.Operation, ask shape.Ask) (all []product, when string, otherwise reply) {
	asks := ask.Items
	if asks == nil {
		asks = []shape.Ask{{Body: ask.Body}}
	}
	for _, one := range asks {
		get := func(list []string) (texts []string) {
			for _, pointer := range list {
				var v shape.Value
				name, isQuery := strings.CutPrefix(pointer, "?")
				rest, isItem := strings.CutPrefix(pointer, op.Request.Items)
				switch {
				case isQuery:
					v = shape.Of(ask.Query.Get(name))
				case isItem && op.Request.Items != "":
					v, _ = one.Body.Find(rest)
				default:
					v, _ = ask.Body.Find(pointer)
				}
				if text := strings.TrimSpace(v.Text); text != "" && (v.Kind == shape.Text || v.Kind == shape.Number) {
					texts = append(texts, text)
				}
			}
			return texts
		}
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(one.Body.Append(nil), &fields) // what is no object has none
		p := h.templates.names.product(fields)
		if texts := get(op.Request.Text); len(texts) > 0 {
			p.text, p.more = texts[0], append(texts[1:], get(op.Request.More)...)
		}
		country := p.country
		if texts := get(op.Request.Country); len(texts) > 0 {
			country = strings.ToUpper(texts[0])
		}
		p.country = twoLetters(country)
		six := len(op.Request.HS6) > 0
		if texts := get(op.Request.HS6); len(texts) > 0 {
			p.hs6 = digits(texts[0])
		}
		if !six {
			p.hs6 = ""
		}
		switch {
		case six && p.hs6 == "":
			return all, shape.WhenBadCode, invalid(avalara.ValueRequiredError, leafOf(op.Request.HS6[0]))
		case six && (!isHS6(p.hs6) || !h.goods.exists(p.hs6)):
			return all, shape.WhenBadCode, invalid(avalara.InvalidHsCode, leafOf(op.Request.HS6[0]), p.hs6)
		case !six && p.text == "":
			name := "description"
			if len(op.Request.Text) > 0 {
				name = leafOf(op.Request.Text[0])
			}
			return all, shape.WhenNoText, invalid(avalara.ValueRequiredError, name)
		case country == "" && op.Has(shape.WhenNoCountry):
			return all, shape.WhenNoCountry, reply{}
		case country != "" && p.country == "":
			return all, shape.WhenBadCountry, invalid(avalara.InvalidCountry, "countryOfDestination", country)
		}
		all = append(all, p)
	}
	return all, "", reply{}
}

// twoLetters is a country's code of two letters, by two or by three; empty for none.
func twoLetters(country string) string {
	if len(country) == 3 {
		if region, err := language.ParseRegion(country); err == nil {
			country = region.String()
		}
	}
	if country == "UK" {
		country = "GB"
	}
	if !nomenclature.IsCountry(country) {
		return ""
	}
	return country
}

// learnedFound finds from least to most codes, or none. Where the text finds too few,
// those nearest to the best fill the list up.
func (h *host) learnedFound(p product, least, most int) []found {
	if p.hs6 != "" {
		return []found{h.goods.lengthen(p)}
	}
	all := h.goods.find(p, 1)
	if len(all) == 0 {
		return nil
	}
	add := func(f found) {
		same := func(other found) bool { return other.code == f.code }
		if len(all) < most && !slices.ContainsFunc(all, same) {
			f.confidence = min(f.confidence, all[len(all)-1].confidence)
			all = append(all, f)
		}
	}
	if most > 1 {
		for _, f := range h.goods.find(p, most) {
			add(f)
		}
	}
	for digits := 4; len(all) < least && digits >= 0; digits -= 2 {
		for _, code := range h.goods.catalogue().Codes() {
			if len(all) < least && strings.HasPrefix(code, all[0].code[:digits]) {
				near := p
				near.hs6 = code
				f := h.goods.lengthen(near)
				f.confidence = all[len(all)-1].confidence / 2
				add(f)
			}
		}
	}
	return all
}

// language is the first that a request asks for.
func (c *call) language() string {
	first, _, _ := strings.Cut(c.accept, ",")
	first, _, _ = strings.Cut(first, ";")
	first, _, _ = strings.Cut(strings.TrimSpace(first), "-")
	if first == "*" {
		return ""
	}
	return strings.ToLower(first)
}
