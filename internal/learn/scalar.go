package learn

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/secret"
)

var (
	sureName  = pattern.New(`(?i)(confiden|score|probab|certain|likel|konfidenz|wahrscheinlich|sicherheit|confian|seguridad|fiab)`)
	titleName = pattern.New(`(?i)(descr|beschreib|bezeichn|designation|libell|denomina|title|titel|titre|titulo|text|label|heading|caption|wortlaut|ware|goods)`)
	rankName  = pattern.New(`(?i)(rank|rang|rango|pos|position|index|order|no|nr|seq)$`)
	countName = pattern.New(`(?i)(count|total|size|anzahl|nombre|cantidad|length|found|results?)$`)
	rateName  = pattern.New(`(?i)(duty|rate|satz|taux|tasa|price|preis|prix|precio|weight|gewicht|poids|peso|amount|betrag)`)
	idName    = pattern.New(`(?i)(id|uuid|guid|ref|reference|referenz|trace|request|transaction|correlation|key|token|session|etag|hash|nr|no|number|nummer|vorgang)$`)
	sureText  = pattern.New(`^([0-9]+(?:\.[0-9]+)?)( ?%)?$`)
	uuidForm  = pattern.New(`^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})$`)
	plainUUID = pattern.New(`^(?:[0-9a-f]{32}|[0-9A-F]{32})$`)
	timeForm  = pattern.New(`^(\d{4}-\d{2}-\d{2})(?:([T ])(\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$`)
)

// scalar makes the template of a text, a number, true or false.
func (b *builder) scalar(place string, all []sight) shape.Value {
	exchanges := map[*exchange]bool{}
	var values []string
	for _, s := range all {
		exchanges[s.e] = true
		values = append(values, string(s.v.Append(nil)))
	}
	constant := !slices.ContainsFunc(values, func(v string) bool { return v != values[0] })
	first := all[0].v
	if first.Kind != shape.True && first.Kind != shape.False {
		for _, way := range []func(string, []sight, bool) (shape.Value, bool){b.codes, b.confidence, b.rank, b.count, b.time, b.uuid} {
			if made, ok := way(place, all, constant); ok {
				return made
			}
		}
	}
	if made, ok := b.wording(all); ok {
		return made
	}
	if constant && len(exchanges) > 1 {
		return literal(first)
	}
	if !constant {
		if made, ok := b.dependent(place, all); ok {
			return made
		}
	}
	if first.Kind == shape.Text {
		for _, way := range []func(string, []sight, bool) (shape.Value, bool){b.title, b.id} {
			if made, ok := way(place, all, constant); ok {
				return made
			}
		}
	}
	if first.Kind == shape.Number {
		if made, ok := b.sequence(place, all); ok {
			return made
		}
	}
	if constant {
		if !b.failure {
			b.assume(place, "it is always %s, as in the one answer that has it", shown(first))
		}
		return literal(first)
	}
	return b.seen(place, all)
}

func shown(v shape.Value) string {
	text := string(v.Append(nil))
	if len(text) > 40 {
		return "the same"
	}
	return text
}

func (b *builder) codes(place string, all []sight, _ bool) (shape.Value, bool) {
	return b.code(place, all)
}

// confidence is a number from 0 to 1, or to 100, as a number or as text.
func (b *builder) confidence(place string, all []sight, constant bool) (shape.Value, bool) {
	named, fraction := sureName.MatchString(leafName(place)), false
	if !named && (constant || rateName.MatchString(leafName(place))) {
		return shape.Value{}, false
	}
	decimals, fewest, highest, suffix := 0, 20, 0.0, ""
	for i, s := range all {
		m := sureText.FindStringSubmatch(s.v.Text)
		if m == nil || i > 0 && m[2] != suffix {
			return shape.Value{}, false
		}
		n, err := strconv.ParseFloat(m[1], 64)
		_, behind, _ := strings.Cut(m[1], ".")
		if err != nil || n > 100 || !named && (s.code == "" || n > 1 || m[2] != "") {
			return shape.Value{}, false
		}
		fraction = fraction || n > 0 && n < 1
		decimals, fewest, highest, suffix = max(decimals, len(behind)), min(fewest, len(behind)), max(highest, n), m[2]
	}
	if !named && !fraction {
		return shape.Value{}, false
	}
	form := "0"
	if decimals > 0 {
		digit := "0"
		if fewest < decimals {
			digit = "#"
		}
		form += "." + strings.Repeat(digit, min(decimals, 17))
	}
	if highest > 1 || suffix != "" {
		form = "percent " + form
	}
	if all[0].v.Kind == shape.Text {
		form = "text " + form
		if suffix != "" {
			form += " then " + suffix
		}
	}
	return shape.Of("$confidence " + form), true
}

// rank is the place in a list.
func (b *builder) rank(place string, all []sight, constant bool) (shape.Value, bool) {
	start := int64(0)
	for i, s := range all {
		n, err := strconv.ParseInt(s.v.Text, 10, 32)
		if s.v.Kind != shape.Number || err != nil || s.list == 0 || i > 0 && n-int64(s.rank) != start {
			return shape.Value{}, false
		}
		start = n - int64(s.rank)
	}
	if constant && (!rankName.MatchString(leafName(place)) || start < 0 || start > 1) {
		return shape.Value{}, false
	}
	return shape.Of(fmt.Sprintf("$rank %d", start)), true
}

// count is how many codes or items an answer has.
func (b *builder) count(place string, all []sight, constant bool) (shape.Value, bool) {
	if constant && !countName.MatchString(leafName(place)) {
		return shape.Value{}, false
	}
	items, found, longest := b.l.request.Items != "", true, 0
	for _, s := range all {
		if s.v.Kind != shape.Number {
			return shape.Value{}, false
		}
		asked, _ := s.e.request.Find(strings.TrimSuffix(b.l.request.Items, "/*"))
		items = items && asked.Kind == shape.List && strconv.Itoa(len(asked.Items)) == s.v.Text
		n := b.l.found(s.e.answer)
		found = found && n > 0 && strconv.Itoa(n) == s.v.Text
		longest = max(longest, n)
	}
	switch {
	case items:
		return shape.Of("$count items"), true
	case found && b.l.request.Items == "":
		return shape.Of(fmt.Sprintf("$count found %d", longest)), true
	}
	return shape.Value{}, false
}

// found is how long the first list with codes is.
func (l *learner) found(answer shape.Value) int {
	n := 0
	var walk func(v shape.Value, place string)
	walk = func(v shape.Value, place string) {
		if v.Kind == shape.List && n == 0 && l.codesBelow(place+"/*") {
			n = len(v.Items)
		}
		if v.Kind == shape.Object {
			for i, name := range v.Names {
				walk(v.Items[i], place+"/"+shape.Escaped(name))
			}
		}
	}
	walk(answer, "")
	return n
}

// uuid is an id of 128 bits, another in each answer.
func (b *builder) uuid(place string, all []sight, constant bool) (shape.Value, bool) {
	plain := plainUUID.MatchString(all[0].v.Text)
	upper := strings.ToUpper(all[0].v.Text) == all[0].v.Text && strings.ToLower(all[0].v.Text) != all[0].v.Text
	exchanges := map[*exchange]bool{}
	for _, s := range all {
		exchanges[s.e] = true
		if s.v.Kind != shape.Text || plain != plainUUID.MatchString(s.v.Text) || !plain && !uuidForm.MatchString(s.v.Text) {
			return shape.Value{}, false
		}
	}
	if constant && len(exchanges) > 1 {
		return shape.Value{}, false
	}
	form := "$uuid"
	if upper {
		form += " upper"
	}
	if plain {
		form += " plain"
	}
	return shape.Of(form), true
}

// wording is a text of a failure that has what the request has within it.
func (b *builder) wording(all []sight) (shape.Value, bool) {
	if !b.failure || all[0].v.Kind != shape.Text {
		return shape.Value{}, false
	}
	made := ""
	for i, s := range all {
		text := strings.ReplaceAll(s.v.Text, "{", "{{")
		for _, p := range b.l.pointers {
			asked, ok := find(s.e, s.item, b.l.request.Items, p)
			if !ok || asked.Kind != shape.Text && asked.Kind != shape.Number || len(asked.Text) < 2 || !strings.Contains(text, asked.Text) {
				continue // an expression of each text that may be there takes long
			}
			word, err := regexp.Compile(`(^|[^\pL\pN{}/])` + regexp.QuoteMeta(asked.Text) + `($|[^\pL\pN{}/])`)
			if err == nil {
				text = word.ReplaceAllString(text, "${1}{"+strings.ReplaceAll(p, "$", "$$")+"}${2}")
			}
		}
		if i > 0 && text != made {
			return shape.Value{}, false
		}
		made = text
	}
	if !strings.Contains(strings.ReplaceAll(made, "{{", ""), "{") {
		return shape.Value{}, false
	}
	return shape.Of("$text " + made), true
}

// title is what the code is for: another text for another code.
func (b *builder) title(place string, all []sight, constant bool) (shape.Value, bool) {
	if len(b.l.codes) == 0 || b.failure || strings.HasPrefix(place, "header ") {
		return shape.Value{}, false
	}
	named := titleName.MatchString(leafName(place))
	byCode, texts := map[string]string{}, map[string]bool{}
	spaced := false
	for _, s := range all {
		if s.code == "" || !hasLetters(s.v.Text) || secret.IsMark(s.v.Text) {
			return shape.Value{}, false
		}
		byCode[s.code] = s.v.Text
		texts[s.v.Text] = true
		spaced = spaced || strings.Contains(strings.TrimSpace(s.v.Text), " ")
	}
	switch {
	case constant && !named:
		return shape.Value{}, false
	case named, spaced && 2*len(texts) > len(byCode):
	default:
		return shape.Value{}, false
	}
	return shape.Of("$title"), true
}
