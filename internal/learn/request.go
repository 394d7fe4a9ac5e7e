package learn

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/pattern"
)

// How members are named, in English, German, French and Spanish.
var (
	textName     = pattern.New(`(?i)(descr|beschreib|bezeichn|designation|libell|denomina|title|titel|titre|titulo|goods|ware|mercanc|marchand|text|name|nombre|nom$|product|produkt|producto|produit|article|artikel|articulo)`)
	lesserName   = pattern.New(`(?i)(id|code|sku|ref|number|nummer|url|group|gruppe|groupe|grupo|categ|kateg|brand|marke|marque|marca|unit|currency|type|material|note)$`)
	countryName  = pattern.New(`(?i)(country|land|pays|pais|market|markt|nation|region|iso2?$)`)
	destination  = pattern.New(`(?i)(dest|ziel|bestimm|shipto|to$|import|arriv|llegada|nach$|vers$|hacia)`)
	originName   = pattern.New(`(?i)(origin|ursprung|herkunft|proven|from|manufact|herstell|coo$|export|seller)`)
	languageName = pattern.New(`(?i)(lang|locale|sprache|idioma|culture)`)
	itemsName    = pattern.New(`(?i)(items|lines|products|goods|positionen|posten|artikel|articles|lignes|lineas|articulos|requests|batch)$`)
	sixName      = pattern.New(`(?i)(hs_?6|six|hs_?code|hs$|subheading|unterposition|sous_?position|subpartida)`)
	languageTag  = pattern.New(`^[a-z]{2}([-_][A-Za-z]{2})?$`)
	sixDigits    = pattern.New(`^\d{4}[. ]?\d{2}$`)
)

// pointers lists the members of a value, those of items too where at is the pointer of
// their list.
func pointers(v shape.Value, at string, items string, into func(pointer string, v shape.Value)) {
	if at != "" {
		into(at, v)
	}
	switch {
	case v.Kind == shape.Object:
		for i, name := range v.Names {
			pointers(v.Items[i], at+"/"+shape.Escaped(name), items, into)
		}
	case v.Kind == shape.List && items != "" && at+"/*" == items:
		for _, item := range v.Items {
			pointers(item, items, items, into)
		}
	}
}

// member is what requests have at a pointer.
type member struct {
	pointer string
	values  []shape.Value
	in      int // so many requests
}

// members are those of the requests, in the order of the first that has them.
func members(all []*exchange, items string) []*member {
	var list []*member
	byPointer := map[string]*member{}
	for _, e := range all {
		had := map[string]bool{}
		add := func(p string, v shape.Value) {
			m := byPointer[p]
			if m == nil {
				m = &member{pointer: p}
				byPointer[p] = m
				list = append(list, m)
			}
			m.values = append(m.values, v)
			if !had[p] {
				had[p] = true
				m.in++
			}
		}
		pointers(e.request, "", items, add)
		for _, name := range slices.Sorted(maps.Keys(e.query)) {
			add("?"+name, shape.Of(e.query.Get(name)))
		}
	}
	return list
}

// leafName is the last step of a pointer.
func leafName(pointer string) string {
	steps := strings.Split(strings.TrimPrefix(pointer, "?"), "/")
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i] != "*" && steps[i] != "" {
			return shape.Unescaped(steps[i])
		}
	}
	return ""
}

// texts are a member's values, where all of them are texts.
func (m *member) texts() []string {
	var all []string
	for _, v := range m.values {
		if v.Kind != shape.Text {
			return nil
		}
		all = append(all, v.Text)
	}
	return all
}

// Country is the two letters of a country by two or three; empty for what is none.
func Country(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) != 2 && len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() || code == "ZZ" || code == "ZZZ" {
		return ""
	}
	return region.String()
}

// findItems is the list of a batch, empty for none.
func findItems(operation string, good []*exchange) string {
	for _, m := range members(good, "") {
		batch, several := true, false
		for _, v := range m.values {
			batch = batch && v.Kind == shape.List && len(v.Items) > 0 && v.Items[0].Kind == shape.Object
			several = several || len(v.Items) > 1
		}
		if batch && (several || itemsName.MatchString(leafName(m.pointer)) || strings.HasSuffix(operation, "classify_from_hs6")) {
			return m.pointer + "/*"
		}
	}
	return ""
}

// findRequest finds out which members have what.
func findRequest(operation string, good []*exchange) shape.Request {
	r := shape.Request{Items: findItems(operation, good), Members: map[string]string{}}
	all := members(good, r.Items)
	var country, text *member
	countryScore, textScore := -1, leastText
	for _, m := range all {
		r.Members[m.pointer] = m.describe(len(good))
		texts, name := m.texts(), leafName(m.pointer)
		if len(texts) == 0 {
			continue
		}
		every := func(ok func(string) bool) bool {
			return !slices.ContainsFunc(texts, func(s string) bool { return !ok(s) })
		}
		switch {
		case every(func(s string) bool { return languageTag.MatchString(s) }) && languageName.MatchString(name):
			r.Language = append(r.Language, m.pointer)
		case every(func(s string) bool { return Country(s) != "" }) && !lesserName.MatchString(strings.TrimSuffix(strings.ToLower(name), "code")):
			score := 0
			if countryName.MatchString(name) {
				score++
			}
			if destination.MatchString(name) {
				score += 2
			}
			if originName.MatchString(name) {
				score -= 3
			}
			if score > countryScore {
				country, countryScore = m, score
			}
		case every(sixDigits.MatchString) && (sixName.MatchString(name) || strings.HasSuffix(operation, "from_hs6")):
			r.HS6 = append(r.HS6, m.pointer)
		case every(hasLetters):
			if score := textLike(name, texts); score > textScore {
				text, textScore = m, score
			}
		}
	}
	if country != nil {
		r.Country = []string{country.pointer}
	}
	if text != nil {
		r.Text = []string{text.pointer}
		for _, m := range all {
			if m != text && textLike(leafName(m.pointer), m.texts()) > 0 && !isRole(r, m.pointer) {
				r.More = append(r.More, m.pointer)
			}
		}
	}
	return r
}

func isRole(r shape.Request, pointer string) bool {
	return slices.Contains(slices.Concat(r.Text, r.Country, r.Language, r.HS6), pointer)
}

// leastText is what a member must score to be taken for a text.
const leastText = -2.0

// textLike is how much a member looks like one that says what the goods are.
func textLike(name string, texts []string) float64 {
	if len(texts) == 0 {
		return -100
	}
	words := 0
	for _, s := range texts {
		words += len(strings.Fields(s))
		if !hasLetters(s) {
			return -100
		}
	}
	score := min(float64(words)/float64(len(texts)), 6) - 1.5
	if textName.MatchString(name) {
		score += 3
	}
	if lesserName.MatchString(name) {
		score -= 3
	}
	return score
}

func hasLetters(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

var kinds = map[byte]string{
	shape.Object: "object", shape.List: "list", shape.Text: "text", shape.Number: "number",
	shape.True: "boolean", shape.False: "boolean", shape.Null: "null",
}

// describe says what a member is.
func (m *member) describe(requests int) string {
	var types []string
	for _, v := range m.values {
		if kind := kinds[v.Kind]; !slices.Contains(types, kind) {
			types = append(types, kind)
		}
	}
	slices.Sort(types)
	text := strings.Join(types, " or ")
	if m.in < requests {
		text += ", sometimes"
	}
	return text
}
