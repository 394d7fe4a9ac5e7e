package learn

import (
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// object merges members in the order in which they were seen.
func (b *builder) object(place string, all []sight) shape.Value {
	members, names := make([]map[string]shape.Value, len(all)), []string(nil)
	for i, s := range all {
		members[i] = make(map[string]shape.Value, len(s.v.Names))
		for j, name := range s.v.Names {
			if _, twice := members[i][name]; !twice {
				members[i][name] = s.v.Items[j]
			}
		}
		if len(names) < mostMembers {
			names = merged(names, s.v.Names)
		}
		if code := b.l.codeWithin(s.v, place); code != "" {
			all[i].code = code
		}
	}
	if len(names) > mostMembers {
		b.assume(place, "of the members that it has the first %d are learned", mostMembers)
		names = names[:mostMembers]
	}
	out := shape.Value{Kind: shape.Object}
	for _, name := range names {
		at := place + "/" + shape.Escaped(name)
		if place == "header " {
			at = place + name
		}
		var with, without []sight
		for i, child := range all {
			v, ok := members[i][name]
			if child.v = v; ok {
				with = append(with, child)
			} else {
				without = append(without, child)
			}
		}
		made, ok := b.member(at, with, without)
		if !ok {
			continue
		}
		if strings.HasPrefix(name, "$") {
			name = "$" + name
		}
		out.Names, out.Items = append(out.Names, name), append(out.Items, made)
	}
	return out
}

// mostMembers is of how many members the shape of an object is: one of more has no such
// names, but keys of what it lists, and each is looked for in all that were seen.
const mostMembers = 1000

// merged are names with those behind them that came after them, and were not there yet.
func merged(names, more []string) []string {
	place := make(map[string]int, len(names))
	for i, name := range names {
		place[name] = i + 1
	}
	at, behind := 0, map[int][]string{}
	for _, name := range more {
		i, known := place[name]
		if known {
			at = i
			continue
		}
		place[name] = at
		behind[at] = append(behind[at], name)
	}
	if len(behind) == 0 {
		return names
	}
	out := slices.Clone(behind[0])
	for i, name := range names {
		out = append(append(out, name), behind[i+1]...)
	}
	return out
}

// member makes the template of a member that may be missing in some answers; ok is false
// where it is left out.
func (b *builder) member(at string, with, without []sight) (shape.Value, bool) {
	if len(without) == 0 {
		return b.build(at, with), true
	}
	if made, ok := b.echoed(at, with, without); ok {
		return made, true
	}
	if made, ok := b.present(at, with, without); ok {
		return made, true
	}
	if len(with) <= len(without) {
		b.assume(at, "it is left out, as in %d of %d", len(without), len(with)+len(without))
		return shape.Value{}, false
	}
	b.assume(at, "it is always there, as in %d of %d", len(with), len(with)+len(without))
	return b.build(at, with), true
}
