package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// sight is a value of an answer that was seen, with what is around it.
type sight struct {
	e    *exchange
	v    shape.Value
	item shape.Value // of a batch, zero outside of one
	rank int         // in the list that it is in
	list int         // how long that is
	code string      // the digits that it is about
	text string      // a note of who looks at it
}

// builder makes a template of one case.
type builder struct {
	l       *learner
	when    string
	failure bool
}

func (b *builder) assume(place, format string, args ...any) {
	if place == "" {
		place = "the body"
	}
	b.l.assume("%s, %s: %s", b.when, place, fmt.Sprintf(format, args...))
}

// build makes the template of a place from all that was seen there.
func (b *builder) build(place string, all []sight) shape.Value {
	count := map[string]int{}
	for _, s := range all {
		if s.v.Kind != shape.Null {
			count[kinds[s.v.Kind]]++
		}
	}
	if len(count) == 0 {
		return shape.Value{Kind: shape.Null}
	}
	kind := most(count)
	same := all[:0:0]
	for _, s := range all {
		if kinds[s.v.Kind] == kind {
			same = append(same, s)
		}
	}
	if made, ok := b.echo(place, all); ok {
		return made
	}
	if len(same) < len(all) {
		if made, ok := b.dependent(place, all); ok {
			return made
		}
		b.assume(place, "it is a %s, as in %d of %d", kind, len(same), len(all))
	}
	switch kind {
	case "object":
		return b.object(place, same)
	case "list":
		return b.list(place, same)
	}
	return b.scalar(place, same)
}

// list finds out what a list has: codes, the items of a batch, or always the same places.
func (b *builder) list(place string, all []sight) shape.Value {
	shortest, longest := len(all[0].v.Items), 0
	for _, s := range all {
		shortest, longest = min(shortest, len(s.v.Items)), max(longest, len(s.v.Items))
	}
	if longest == 0 {
		return shape.Value{Kind: shape.List}
	}
	switch {
	case b.isBatch(all):
		item := b.build(place+"/*", b.elements(place, all, true))
		return choice("$each", shape.Of("items"), "item", item)
	case b.l.codesBelow(place+"/*") && !b.isPath(all):
		least := longest
		for _, s := range all {
			if n := len(s.v.Items); n > 0 {
				least = min(least, n)
			}
		}
		item := b.build(place+"/*", b.elements(place, all, false))
		return choice("$each", shape.Of("found"), "least", number(least), "most", number(longest), "item", item)
	case shortest == longest && longest <= 50:
		out := shape.Value{Kind: shape.List}
		for i := range longest {
			var at []sight
			for _, s := range all {
				s.v, s.rank, s.list = s.v.Items[i], i, longest
				at = append(at, s)
			}
			out.Items = append(out.Items, b.build(fmt.Sprintf("%s/%d", place, i), at))
		}
		return out
	}
	if made, ok := b.dependent(place, all); ok {
		return made
	}
	return b.seen(place, all)
}

// elements are those of all lists.
func (b *builder) elements(place string, all []sight, batch bool) []sight {
	var out []sight
	for _, s := range all {
		items := s.v.Items
		var asked shape.Value
		if batch {
			asked, _ = s.e.request.Find(strings.TrimSuffix(b.l.request.Items, "/*"))
		}
		for i, item := range items {
			child := s
			child.v, child.rank, child.list = item, i, len(items)
			if batch {
				child.item = asked.Items[i]
			}
			if code := b.l.codeWithin(item, place+"/*"); code != "" {
				child.code = code
			}
			out = append(out, child)
		}
	}
	return out
}

// isBatch tells whether a list has an element for each item of the request.
func (b *builder) isBatch(all []sight) bool {
	if b.l.request.Items == "" || b.failure {
		return false
	}
	for _, s := range all {
		asked, ok := s.e.request.Find(strings.TrimSuffix(b.l.request.Items, "/*"))
		if !ok || s.item.Kind != 0 || len(asked.Items) != len(s.v.Items) {
			return false
		}
	}
	return true
}

// isPath tells whether lists have the first digits of one code, shorter and longer: its
// chapter, its heading and so on.
func (b *builder) isPath(all []sight) bool {
	for _, s := range all {
		before := ""
		for i, item := range s.v.Items {
			digits := justDigits(item.Text)
			if item.Kind != shape.Text || digits == "" || i > 0 && (len(digits) <= len(before) || !strings.HasPrefix(digits, before)) {
				return false
			}
			before = digits
		}
		if len(s.v.Items) < 2 || len(s.v.Items) != len(all[0].v.Items) {
			return false
		}
	}
	return true
}

// seen keeps some of what was seen.
func (b *builder) seen(place string, all []sight) shape.Value {
	const some = 8
	list := shape.Value{Kind: shape.List}
	for _, s := range all {
		v := literal(s.v)
		if len(list.Items) < some && !slices.ContainsFunc(list.Items, v.Equal) {
			list.Items = append(list.Items, v)
		}
	}
	if len(list.Items) == 1 {
		return list.Items[0]
	}
	b.assume(place, "it is one of those that were seen: what it depends on is not known")
	return choice("$seen", list)
}

// literal is a value that stands for itself.
func literal(v shape.Value) shape.Value {
	switch v.Kind {
	case shape.Text:
		if strings.HasPrefix(v.Text, "$") {
			v.Text = "$" + v.Text
		}
	case shape.Object, shape.List:
		names := slices.Clone(v.Names)
		for i, name := range names {
			if strings.HasPrefix(name, "$") {
				names[i] = "$" + name
			}
		}
		items := slices.Clone(v.Items)
		for i := range items {
			items[i] = literal(items[i])
		}
		v.Names, v.Items = names, items
	}
	return v
}

// choice is an object of a name and a value each.
func choice(name string, v shape.Value, more ...any) shape.Value {
	out := shape.Value{Kind: shape.Object, Names: []string{name}, Items: []shape.Value{v}}
	for i := 0; i < len(more); i += 2 {
		out.Names, out.Items = append(out.Names, more[i].(string)), append(out.Items, more[i+1].(shape.Value))
	}
	return out
}

func number(n int) shape.Value { return shape.Value{Kind: shape.Number, Text: fmt.Sprint(n)} }
