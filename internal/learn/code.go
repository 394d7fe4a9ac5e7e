package learn

import (
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/pattern"
)

// Codes of the Harmonized System are digits alone, or with dots, spaces or hyphens
// between them.
var (
	plainCode  = pattern.New(`^\d{6,13}$`)
	markedCode = pattern.New(`^\d{4}[. -]\d{2}([. -]?\d{1,4}){0,4}$`)
	prefixCode = pattern.New(`^\d{2}([. -]?\d{2}){0,2}$`)
)

var (
	codeName  = pattern.New(`(?i)(hs|hts|taric|tariff|tarif|zolltarif|waren|nomenclat|commodity|heading|position|arancel|partida|fraccion|douan|ncm|cn8?|classification|prediction|code|codigo)`)
	otherName = pattern.New(`(?i)(ids?|uuid|guid|ref|reference|trace|request|correlation|serial|sku|ean|gtin|upc|date|time|timestamp|at|version|edition|year|seq|sequence|account|customer|phone|zip|postal|postalcode|zipcode|batch|key|hash|token|session|etag|price|amount|value|weight|quantity|total|statuscode|errorcode)$`)
)

// digitsOf are the digits of what looks like a code at a place; empty for what does not.
func digitsOf(place string, v shape.Value) string {
	name := leafName(place)
	text := v.Text
	named := codeName.MatchString(name) && !otherName.MatchString(name)
	switch v.Kind {
	case shape.Text:
		text = strings.TrimSpace(text)
		if !markedCode.MatchString(text) && (!plainCode.MatchString(text) || !named && len(text)%2 != 0) {
			return ""
		}
	case shape.Number:
		if !named || !plainCode.MatchString(text) {
			return ""
		}
		if len(text)%2 == 1 { // of chapters 01 to 09 a number has lost the zero
			text = "0" + text
		}
	default:
		return ""
	}
	if _, layout := moment(v); layout != "" && !named {
		return ""
	}
	digits := justDigits(text)
	if !named && (otherName.MatchString(name) || len(digits) > 10) || digits < "01" || strings.HasPrefix(digits, "77") || digits >= "98" {
		return ""
	}
	return digits
}

func justDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}

// leaves lists the scalars of a value with their places, in which * is any index.
func leaves(v shape.Value, place string, into func(place string, v shape.Value)) {
	switch v.Kind {
	case shape.Object:
		for i, name := range v.Names {
			leaves(v.Items[i], place+"/"+shape.Escaped(name), into)
		}
	case shape.List:
		for _, item := range v.Items {
			leaves(item, place+"/*", into)
		}
	default:
		into(place, v)
	}
}

// findCodes finds the places of answers that have a code wherever they have something,
// and not what the request had.
func (l *learner) findCodes(good []*exchange) {
	yes, no := map[string]bool{}, map[string]bool{}
	echoed, varied := map[string]bool{}, map[string]bool{}
	for _, e := range good {
		asked := map[string]bool{}
		pointers(e.request, "", l.request.Items, func(_ string, v shape.Value) {
			if v.Kind == shape.Text || v.Kind == shape.Number {
				asked[v.Text] = true
			}
		})
		leaves(e.answer, "", func(place string, v shape.Value) {
			switch {
			case v.Kind == shape.Null || v.Kind == shape.Text && v.Text == "":
			case digitsOf(place, v) == "":
				no[place] = true
			default:
				yes[place] = true
				if asked[v.Text] {
					echoed[place] = true
				} else {
					varied[place] = true
				}
			}
		})
	}
	for place := range yes {
		if !no[place] && (varied[place] || !echoed[place]) {
			l.codes[place] = true
		}
	}
}

// hasCode tells whether an answer has a code.
func (l *learner) hasCode(e *exchange) bool {
	found := false
	leaves(e.answer, "", func(place string, v shape.Value) {
		found = found || l.codes[place] && digitsOf(place, v) != ""
	})
	return found
}

// codesBelow tells whether codes stand below a place.
func (l *learner) codesBelow(place string) bool {
	for at := range l.codes {
		if at == place || strings.HasPrefix(at, place+"/") {
			return true
		}
	}
	return false
}

// codeWithin is the code that a part of an answer is about: the longest that stands in
// it outside of lists, else the first of its first list.
func (l *learner) codeWithin(v shape.Value, place string) string {
	best, first := "", ""
	var walk func(v shape.Value, place string, listed bool)
	walk = func(v shape.Value, place string, listed bool) {
		switch v.Kind {
		case shape.Object:
			for i, name := range v.Names {
				walk(v.Items[i], place+"/"+shape.Escaped(name), listed)
			}
		case shape.List:
			for _, item := range v.Items {
				walk(item, place+"/*", true)
			}
		default:
			if !l.codes[place] {
				return
			}
			digits := digitsOf(place, v)
			if listed && first == "" {
				first = digits
			}
			if !listed && len(digits) > len(best) {
				best = digits
			}
		}
	}
	walk(v, place, false)
	if best == "" {
		return first
	}
	return best
}

// mask is a code with # for each digit.
func mask(v shape.Value) string {
	if v.Kind == shape.Number {
		return "number " + strings.Repeat("#", len(v.Text)+len(v.Text)%2)
	}
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return '#'
		}
		return c
	}, strings.TrimSpace(v.Text))
}

// code makes the template of a place with codes, or of one whose digits are the first of
// the code beside it. ok is false for another place.
func (b *builder) code(place string, all []sight) (shape.Value, bool) {
	if !b.l.codes[place] {
		for _, s := range all {
			digits := justDigits(s.v.Text)
			written := prefixCode.MatchString(s.v.Text) || plainCode.MatchString(s.v.Text) || markedCode.MatchString(s.v.Text)
			if s.code == "" || s.v.Kind != shape.Text && s.v.Kind != shape.Number || !written ||
				!strings.HasPrefix(s.code, digits) || s.v.Kind == shape.Number && len(digits) < 4 {
				return shape.Value{}, false
			}
		}
	}
	masks := map[string]int{}
	for i := range all {
		// A refusal may have a text where the answers have their code.
		if v := all[i].v; (v.Kind == shape.Text && v.Text != "" || v.Kind == shape.Number) && b.l.codes[place] && digitsOf(place, v) == "" {
			return shape.Value{}, false
		}
		all[i].text = mask(all[i].v)
		masks[all[i].text]++
	}
	usual := most(masks)
	if len(masks) == 1 {
		return shape.Of("$code " + usual), true
	}
	if made, ok := b.by(place, all, func(s sight) string { return s.text }, func(s sight) shape.Value { return shape.Of("$code " + s.text) }); ok {
		return made, true
	}
	b.assume(place, "codes are written as %s, and not in the other ways that were seen", usual)
	return shape.Of("$code " + usual), true
}

// most is the key that counts most, the first of several.
func most(count map[string]int) string {
	best := ""
	for key, n := range count {
		if best == "" && count[best] == 0 || n > count[best] || n == count[best] && key < best {
			best = key
		}
	}
	return best
}

// distinct are texts without repetition, in their order.
func distinct(all []string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}
