package learn

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// learner learns one operation.
type learner struct {
	request  shape.Request
	pointers []string        // of the requests, those of items too
	codes    map[string]bool // places of answers that have codes
	keys     []key           // that an answer may depend on
	assumed  []string
	when     func(*exchange) string
}

func (l *learner) assume(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(l.assumed, text) {
		l.assumed = append(l.assumed, text)
	}
}

func newLearner(operation string, good []*exchange) *learner {
	l := &learner{request: findRequest(operation, good), codes: map[string]bool{}}
	for _, m := range members(good, l.request.Items) {
		l.pointers = append(l.pointers, m.pointer)
	}
	l.findCodes(good)
	l.findKeys(good)
	l.when = l.judge
	return l
}

// judge says which case an exchange is; empty for one whose answer can't be a template.
func (l *learner) judge(e *exchange) string {
	if e.status/100 == 2 {
		switch {
		case !e.answerIsJSON:
			return ""
		case len(l.codes) > 0 && !l.hasCode(e):
			return shape.WhenNothing
		}
		return shape.WhenFound
	}
	if !e.answerIsJSON && !e.answerIsEmpty {
		return ""
	}
	if !e.requestJSON && len(e.query) == 0 {
		return shape.WhenBadBody
	}
	items := []shape.Value{{}}
	if l.request.Items != "" {
		list, ok := e.request.Find(strings.TrimSuffix(l.request.Items, "/*"))
		if !ok || list.Kind != shape.List || len(list.Items) == 0 {
			return shape.WhenNoItems
		}
		items = list.Items
	}
	for _, item := range items {
		if when := l.judgeItem(e, item); when != "" {
			e.refused = item
			return when
		}
	}
	if len(l.request.HS6) > 0 {
		return shape.WhenBadCode
	}
	return shape.WhenNothing
}

// judgeItem says what is wrong with a request; empty where nothing can be seen.
func (l *learner) judgeItem(e *exchange, item shape.Value) string {
	get := func(list []string) (string, bool) {
		for _, p := range list {
			if v, ok := find(e, item, l.request.Items, p); ok && v.Kind == shape.Text && strings.TrimSpace(v.Text) != "" {
				return v.Text, true
			}
		}
		return "", false
	}
	if len(l.request.HS6) > 0 {
		if code, ok := get(l.request.HS6); !ok || !sixDigits.MatchString(strings.TrimSpace(code)) {
			return shape.WhenBadCode
		}
	} else if _, ok := get(l.request.Text); !ok && len(l.request.Text) > 0 {
		return shape.WhenNoText
	}
	if len(l.request.Country) > 0 {
		switch country, ok := get(l.request.Country); {
		case !ok:
			return shape.WhenNoCountry
		case Country(country) == "":
			return shape.WhenBadCountry
		}
	}
	return ""
}

// find is what a request has at a pointer, of an item where the pointer is one of items.
func find(e *exchange, item shape.Value, items, pointer string) (shape.Value, bool) {
	if name, ok := strings.CutPrefix(pointer, "?"); ok {
		return shape.Of(e.query.Get(name)), e.query.Has(name)
	}
	if rest, ok := strings.CutPrefix(pointer, items); ok && items != "" {
		if item.Kind == 0 {
			return shape.Value{}, false
		}
		return item.Find(rest)
	}
	return e.request.Find(pointer)
}

// template makes the answer of a case of those that show it.
func (l *learner) template(when string, all []*exchange) shape.Answer {
	count := map[int]int{}
	for _, e := range all {
		count[e.status]++
	}
	status := slices.MaxFunc(slices.Sorted(maps.Keys(count)), func(a, b int) int {
		return cmp.Or(cmp.Compare(count[a], count[b]), cmp.Compare(b, a))
	})
	a := shape.Answer{When: when, From: len(all), Status: status}
	var bodies, headers []sight
	for _, e := range all {
		if e.status != status {
			l.assume("%s: the status is %d, and not %d as well", when, status, e.status)
			continue
		}
		if e.answerIsJSON {
			bodies = append(bodies, sight{e: e, v: e.answer, item: e.refused, code: l.codeWithin(e.answer, "")})
		}
		headers = append(headers, sight{e: e, v: e.headers.value()})
	}
	b := &builder{l, when, status/100 != 2}
	if len(bodies) > 0 {
		a.Body = raw(b.build("", bodies))
	}
	if made := b.headers(headers); len(made.Names) > 0 {
		a.Headers = raw(made)
	}
	return a
}

// unstable are headers that say nothing of the shape, or that the mock writes itself.
var unstable = []string{
	"Date", "Content-Length", "Connection", "Transfer-Encoding", "Set-Cookie", "Age", "Expires", "Etag", "Last-Modified",
	"Keep-Alive", "Alt-Svc", "Content-Encoding", "Trailer", "Upgrade", "X-Correlation-Id", "Www-Authenticate", "Proxy-Authenticate", "Retry-After",
}

// value are the headers that may be learned, as an object.
func (h http) value() shape.Value {
	v := shape.Value{Kind: shape.Object}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if len(h[name]) == 1 && !slices.Contains(unstable, name) && !strings.HasPrefix(name, "Hsharness-") {
			v.Names, v.Items = append(v.Names, name), append(v.Items, shape.Of(h[name][0]))
		}
	}
	return v
}

// headers are those whose values are known: the same each time, new each time, or by
// what was asked.
func (b *builder) headers(all []sight) shape.Value {
	made := b.build("header ", all)
	kept := shape.Value{Kind: shape.Object}
	for i, name := range made.Names {
		if v := made.Items[i]; v.Kind == shape.Text || v.Kind == shape.Object && v.Names[0] == "$by" {
			kept.Names, kept.Items = append(kept.Names, name), append(kept.Items, v)
		}
	}
	return kept
}
