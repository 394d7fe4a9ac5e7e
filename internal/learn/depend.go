package learn

import (
	"maps"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/pattern"
)

// key is something of a request that a part of its answer may depend on: the language,
// the country, or a member with few values.
type key struct {
	name string // of $by
	of   func(s sight) string
}

// findKeys lists them, the likeliest first.
func (l *learner) findKeys(good []*exchange) {
	add := func(name string, of func(s sight) string) { l.keys = append(l.keys, key{name, of}) }
	at := func(pointer string) func(s sight) string {
		return func(s sight) string {
			v, ok := find(s.e, s.item, l.request.Items, pointer)
			if !ok {
				return ""
			}
			return shape.Key(v)
		}
	}
	for _, p := range l.request.Language {
		add(p, at(p))
	}
	add("language", func(s sight) string { return s.e.language })
	if len(l.request.Country) > 0 {
		get := at(l.request.Country[0])
		add("country", func(s sight) string { return Country(get(s)) })
	}
	for _, m := range members(good, l.request.Items) {
		values := map[string]bool{}
		for _, v := range m.values {
			values[shape.Key(v)] = true
		}
		scalar := !slices.ContainsFunc(m.values, func(v shape.Value) bool { return v.Kind == shape.Object || v.Kind == shape.List })
		if scalar && len(values) > 1 && 2*len(values) <= len(m.values)+1 && !isRole(l.request, m.pointer) {
			add(m.pointer, at(m.pointer))
		}
	}
}

// by makes one template for each value of a key that what was seen depends on: what is
// told apart is the same for the same value, and at least one value was seen twice.
func (b *builder) by(place string, all []sight, apart func(sight) string, made func(sight) shape.Value) (shape.Value, bool) {
	for _, k := range b.l.keys {
		groups, fits := map[string]sight{}, true
		count := map[string]int{}
		exchanges := map[*exchange]bool{}
		for _, s := range all {
			value := k.of(s)
			count[value]++
			exchanges[s.e] = true
			if before, ok := groups[value]; ok && apart(before) != apart(s) {
				fits = false
				break
			}
			groups[value] = s
		}
		if !fits || len(groups) < 2 || len(groups) >= len(all) || len(groups) >= len(exchanges) && len(exchanges) > 1 {
			continue
		}
		is := shape.Value{Kind: shape.Object}
		usual := most(count)
		if _, ok := groups[""]; ok {
			usual = ""
		} else if _, ok := groups["en"]; ok && k.name == "language" {
			usual = "en"
		}
		for _, value := range slices.Sorted(maps.Keys(groups)) {
			is.Names, is.Items = append(is.Names, value), append(is.Items, made(groups[value]))
		}
		b.assume(place, "by %s, and for others than %s as for %s", k.name, strings.Join(quoted(is.Names), ", "), quoted([]string{usual})[0])
		return choice("$by", shape.Of(k.name), "is", is, "else", made(groups[usual])), true
	}
	return shape.Value{}, false
}

func quoted(names []string) []string {
	var all []string
	for _, name := range names {
		if name == "" {
			name = "none"
		}
		all = append(all, name)
	}
	return all
}

// dependent is a place whose whole value depends on a key.
func (b *builder) dependent(place string, all []sight) (shape.Value, bool) {
	return b.by(place, all, func(s sight) string { return string(s.v.Append(nil)) }, func(s sight) shape.Value { return literal(s.v) })
}

// present is a member that is there or not by a key.
func (b *builder) present(place string, with, without []sight) (shape.Value, bool) {
	if len(with) < 2 { // once may be for any reason
		return shape.Value{}, false
	}
	for _, k := range b.l.keys {
		there, gone := map[string][]sight{}, map[string]bool{}
		for _, s := range with {
			there[k.of(s)] = append(there[k.of(s)], s)
		}
		fits := true
		for _, s := range without {
			gone[k.of(s)] = true
			fits = fits && len(there[k.of(s)]) == 0
		}
		if n := len(there) + len(gone); !fits || len(there) == 0 || n >= len(with)+len(without) {
			continue
		}
		is := shape.Value{Kind: shape.Object}
		made := b.build(place, with)
		for _, value := range slices.Sorted(maps.Keys(there)) {
			is.Names, is.Items = append(is.Names, value), append(is.Items, made)
		}
		b.assume(place, "it is there by %s: for %s", k.name, strings.Join(quoted(is.Names), ", "))
		return choice("$by", shape.Of(k.name), "is", is), true
	}
	return shape.Value{}, false
}

var changes = []struct {
	name string
	of   func(string) string
}{
	{"", func(s string) string { return s }},
	{"upper ", strings.ToUpper}, {"lower ", strings.ToLower}, {"trim ", strings.TrimSpace}, {"digits ", justDigits},
}

var separators = pattern.New(`[_\-\s]`)

func plainName(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "")) }

// echo is a place that has what the request has. What is null there where the request has
// nothing is no other value.
func (b *builder) echo(place string, all []sight) (shape.Value, bool) {
	pointer, change := b.source(place, all, func(s sight) bool { return s.v.Kind == shape.Null })
	if pointer == "" {
		return shape.Value{}, false
	}
	return shape.Of("$echo " + change + pointer), true
}

// echoed is one that is left out where the request has nothing.
func (b *builder) echoed(place string, with, without []sight) (shape.Value, bool) {
	all := slices.Clone(with)
	for _, s := range without {
		s.v = shape.Value{}
		all = append(all, s)
	}
	pointer, change := b.source(place, all, func(s sight) bool { return s.v.Kind == 0 })
	if pointer == "" {
		return shape.Value{}, false
	}
	return shape.Of("$echo? " + change + pointer), true
}

// source is the pointer of what a place repeats, empty for none. Where the request has
// nothing, the place has to be empty.
func (b *builder) source(place string, all []sight, empty func(sight) bool) (pointer, change string) {
	name := plainName(leafName(place))
	best := 0
	for _, p := range b.l.pointers {
		for _, c := range changes {
			values := map[string]bool{}
			fits, role := true, isRole(b.l.request, p)
			repeated := shape.Value{}
			for _, s := range all {
				asked, ok := find(s.e, s.item, b.l.request.Items, p)
				if !ok {
					fits = empty(s)
				} else {
					if asked.Kind == shape.Text {
						asked.Text = c.of(asked.Text)
					}
					fits = asked.Equal(s.v) && (c.name == "" || asked.Kind == shape.Text)
					repeated = s.v
					values[string(s.v.Append(nil))] = true
				}
				if !fits {
					break
				}
			}
			if !fits || len(values) == 0 || repeated.Kind == shape.Null {
				continue
			}
			alike := plainName(leafName(p)) == name
			score := 1
			switch {
			case alike:
				score = 5
			case len(values) > 1 && role:
				score = 4
			case len(values) > 1 && repeated.Kind != shape.True && repeated.Kind != shape.False:
				score = 3
			case role && repeated.Kind == shape.Text:
				score = 2
			case repeated.Kind == shape.Text && len(repeated.Text) >= 6:
			default:
				continue
			}
			if score > best {
				best, pointer, change = score, p, c.name
			}
			break // the least change is enough
		}
	}
	return pointer, change
}
