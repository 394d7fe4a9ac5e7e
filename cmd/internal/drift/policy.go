package drift

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/project"
)

// Policy says what counts as a change of an answer: rules, of which the first that fits
// a place holds. The zero Policy has none: then HS codes count, wherever they stand, in
// all their digits, and other values do not.
type Policy []project.DriftRule

// comparison is one of two bodies.
type comparison struct {
	Policy
	left int // values that may still be compared to find out where an element went
}

// maxSteps is how many values are compared for that at most: a list in a list is compared
// in two orders, and so are the lists in each. It takes seconds.
const maxSteps = 1_000_000

// Change is a value of an answer that counts, and changed.
type Change struct {
	// At is the JSON pointer of the value, in the answer before.
	At string `json:"at"`
	// Was and Is are JSON. The side that has none is null.
	Was json.RawMessage `json:"was"`
	Is  json.RawMessage `json:"is"`
}

// String is the change in one line.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.At, cutValue(c.Was), cutValue(c.Is))
}

// rule is the first that fits a place, nil for none. A rule fits what it names and all
// below it.
func (p Policy) rule(at string) *project.DriftRule {
	for i := range p {
		if p[i].At == "*" || fits(p[i].At, at) {
			return &p[i]
		}
	}
	return nil
}

// ignored tells whether nothing at a place counts.
func (p Policy) ignored(at string) bool {
	r := p.rule(at)
	return r != nil && r.Ignore
}

// fits tells whether a pointer with * in it names a place, or what that is in.
func fits(pattern, at string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(at, "/")
	if len(want) > len(have) {
		return false
	}
	for i, token := range want {
		if token != "*" && token != have[i] {
			return false
		}
	}
	return true
}

// bodies are the changes between two answers' bodies, and the later one with its lists
// in the order of the earlier one's. What is no JSON stays as it is.
func (p Policy) bodies(was, is []byte) ([]Change, []byte) {
	return (&comparison{p, maxSteps}).bodies(was, is)
}

func (p *comparison) bodies(was, is []byte) ([]Change, []byte) {
	old, oldErr := parseBody(was)
	now, nowErr := parseBody(is)
	switch {
	case oldErr == nil && nowErr == nil:
		now = p.aligned(old, now, "", nil)
		return p.changes(old, now, "", nil), rawJSON(now)
	case errors.Is(oldErr, errTooLarge), errors.Is(nowErr, errTooLarge):
		return unequal(was, is), is
	case oldErr == nil || nowErr == nil:
		return nil, is // it is a change of shape
	}
	old, now = structured(was), structured(is)
	if !hasPlaces(old) || !hasPlaces(now) {
		return unequal(was, is), is
	}
	if old == nil || now == nil {
		old, now = string(was), string(is)
	}
	now = p.aligned(old, now, "", nil)
	changed := p.changes(old, now, "", nil)
	if a, b := p.codes(old, "", nil), p.codes(now, "", nil); len(changed) == 0 && len(a) != len(b) {
		changed = []Change{{"body", rawJSON(a), rawJSON(b)}} // no shape of it is compared
	}
	return changed, is
}

// unequal is the change of a body that is too large to be looked into: any is one.
func unequal(was, is []byte) []Change {
	if bytes.Equal(was, is) {
		return nil
	}
	size := func(body []byte) json.RawMessage { return rawJSON(fmt.Sprintf("%d bytes", len(body))) }
	return []Change{{"body", size(was), size(is)}}
}

// codes are those in a value that no rule is for.
func (p *comparison) codes(v any, at string, names []string) []string {
	below := members(v)
	all := []string{}
	for _, m := range slices.Sorted(maps.Keys(below)) {
		in := names
		if _, object := v.(map[string]any); object {
			in = append(slices.Clip(names), m)
		}
		all = append(all, p.codes(below[m], at+"/"+escaped(m), in)...)
	}
	if digits := digitsOf(names, v); len(below) == 0 && digits != "" && p.rule(at) == nil {
		all = append(all, digits)
	}
	return all
}

// changes lists what counts and changed. Names are those of the members that a value, or
// the list around it, is in.
func (p *comparison) changes(was, is any, at string, names []string) []Change {
	p.left -= 1 + len(names)*len(names)/8 + len(at)/16 // each looks at the names that it is in
	old, now := members(was), members(is)
	if len(old) == 0 && len(now) == 0 {
		return p.leaf(was, is, at, names)
	}
	_, ofOld := was.(map[string]any)
	_, ofNow := is.(map[string]any)
	var all []Change
	for _, m := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(now)))))) {
		a, inOld := old[m]
		b, inNow := now[m]
		below, here := names, at+"/"+escaped(m)
		if ofOld || ofNow {
			below = append(slices.Clip(names), m)
			// Members may be named by codes.
			if inOld != inNow && !p.ignored(here) && digitsOf(nil, m) != "" {
				all = append(all, Change{here, nameIf(m, inOld), nameIf(m, inNow)})
				continue
			}
			if inOld != inNow && ofOld && ofNow {
				continue // it is a change of shape
			}
		}
		all = append(all, p.changes(a, b, here, below)...)
	}
	return all
}

// nameIf is a name as JSON where there is one.
func nameIf(name string, there bool) json.RawMessage {
	if !there {
		return rawJSON(nil)
	}
	return rawJSON(name)
}

// members are those of an object, or the elements of a list by their places.
func members(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		all := make(map[string]any, len(v))
		for i, e := range v {
			all[strconv.Itoa(i)] = e
		}
		return all
	}
	return nil
}

func escaped(member string) string {
	if !strings.ContainsAny(member, "~/") {
		return member
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(member)
}

// leaf compares two values that have no members.
func (p *comparison) leaf(was, is any, at string, names []string) []Change {
	x, _ := was.(string)
	y, _ := is.(string)
	p.left -= (len(x) + len(y)) / 64
	changed := false
	a, aNumber := numberOf(was)
	b, bNumber := numberOf(is)
	oldCode, newCode := digitsOf(names, was), digitsOf(names, is)
	switch r := p.rule(at); {
	case r != nil && r.Ignore:
	case r != nil && r.Within != nil:
		// The halves of a decimal are not exact.
		changed = aNumber != bNumber || aNumber && math.Abs(a-b) > *r.Within*(1+1e-9) || !aNumber && !equal(was, is)
	case r != nil && r.Digits > 0:
		if strings.Count(r.At, "/") == strings.Count(at, "/") { // it names this very place
			oldCode, newCode = cmp.Or(oldCode, forced(was)), cmp.Or(newCode, forced(is))
		}
		changed = first(oldCode, r.Digits) != first(newCode, r.Digits)
	case r != nil:
		changed = !equal(was, is)
	case oldCode == "" && newCode == "":
		return p.texts(was, is, at, names)
	default:
		changed = oldCode != newCode
	}
	if !changed {
		return nil
	}
	return []Change{{orBody(at), rawJSON(was), rawJSON(is)}}
}

// texts compares two values neither of which is a code: there may be some in them, in a
// sentence or in JSON.
func (p *comparison) texts(was, is any, at string, names []string) []Change {
	old, _ := was.(string)
	now, _ := is.(string)
	if old == now || meaningOf(names) == other {
		return nil
	}
	p.left -= (len(old) + len(now)) / 8 // sought through for codes, or read as JSON
	if inOld, inNow := embedded(old), embedded(now); inOld != nil && inNow != nil {
		return p.changes(inOld, p.aligned(inOld, inNow, at, names), at, names)
	}
	talks := meaningOf(names) != unsaid
	if slices.Equal(codesIn(old, talks), codesIn(now, talks)) {
		return nil
	}
	return []Change{{orBody(at), rawJSON(was), rawJSON(is)}}
}

// embedded is the object or list that a text is the JSON of; nil for another text.
func embedded(text string) any {
	if text = strings.TrimSpace(text); text == "" || text[0] != '{' && text[0] != '[' {
		return nil
	}
	v, err := parseBody([]byte(text))
	if err != nil {
		return nil
	}
	return v
}

func orBody(at string) string {
	if at == "" {
		return "body"
	}
	return at
}

// numberOf is a number, also one that is written as a text.
func numberOf(v any) (float64, bool) {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// equal tells whether two values are the same, however their numbers are written.
func equal(a, b any) bool {
	x, xNumber := a.(json.Number)
	y, yNumber := b.(json.Number)
	if xNumber && yNumber {
		n, _ := numberOf(x)
		m, _ := numberOf(y)
		return n == m
	}
	return string(rawJSON(a)) == string(rawJSON(b))
}
