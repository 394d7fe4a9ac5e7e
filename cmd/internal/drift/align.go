package drift

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// aligned is the later value with the elements of its lists where the earlier one has
// the like. The order of a list counts but where each element says by a number of its
// own, such as a confidence, how good it is.
func (p Policy) aligned(was, is any, at string, names []string) any {
	switch now := is.(type) {
	case map[string]any:
		old, _ := was.(map[string]any)
		out := make(map[string]any, len(now))
		for m, v := range now {
			out[m] = p.aligned(old[m], v, at+"/"+escaped(m), append(slices.Clip(names), m))
		}
		return out
	case []any:
		old, _ := was.([]any)
		out := p.placed(old, now, p.matched(old, now, at, names), at, names)
		if places := ranked(old, now); places != nil && len(p.changes(was, out, at, names)) > 0 {
			if other := p.placed(old, now, places, at, names); len(p.changes(was, other, at, names)) == 0 {
				return other
			}
		}
		return out
	}
	return is
}

// placed are the elements of now where places say.
func (p Policy) placed(old, now []any, places []int, at string, names []string) []any {
	out := make([]any, len(now))
	for i, j := range places {
		var before any
		if i < len(old) {
			before = old[i]
		}
		out[i] = p.aligned(before, now[j], at+"/"+strconv.Itoa(i), names)
	}
	return out
}

// ranked says for each place of old which element of now is as good among its own, by the
// number that each has: a list may be in no order, and its numbers move. Nil where they
// have none, or are not as many.
func ranked(old, now []any) []int {
	by := ""
	for _, name := range ranks {
		has := func(e any) bool { _, ok := scores(e)[name]; return ok }
		if len(old) == len(now) && len(old) > 0 && !slices.ContainsFunc(slices.Concat(old, now), func(e any) bool { return !has(e) }) {
			by = name
			break
		}
	}
	if by == "" {
		return nil
	}
	order := func(list []any) []int {
		places := indexes(len(list))
		slices.SortStableFunc(places, func(i, j int) int { return cmp.Compare(scores(list[i])[by], scores(list[j])[by]) })
		return places
	}
	places := make([]int, len(old))
	is := order(now)
	for rank, i := range order(old) {
		places[i] = is[rank]
	}
	return places
}

// ranks are the names of numbers that say how good an element is, or in which place.
var ranks = []string{"confidence", "score", "probability", "relevance", "rank", "weight", "c", "p"}

// matched says for each place which element of now goes there: one that is alike, best
// that of the same place, else what is left over in its order.
func (p Policy) matched(old, now []any, at string, names []string) []int {
	places, used := make([]int, len(now)), make([]bool, len(now))
	for i := range places {
		places[i] = -1
	}
	for i := range min(len(old), len(now)) {
		for _, j := range append([]int{i}, indexes(len(now))...) {
			if !used[j] && p.alike(old[i], now[j], at+"/"+strconv.Itoa(i), names) {
				places[i], used[j] = j, true
				break
			}
		}
	}
	for i := range places {
		if places[i] < 0 {
			places[i] = slices.Index(used, false)
			used[places[i]] = true
		}
	}
	return places
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// alike tells whether two elements of a list are one and the same, somewhere else: what
// counts in them is the same, and so are their numbers, of which there are some.
func (p Policy) alike(a, b any, at string, names []string) bool {
	x, y := scores(a), scores(b)
	return len(x) > 0 && maps.Equal(x, y) && len(p.changes(a, b, at, names)) == 0
}

// scores are the numbers of an object, by their names; one that says how good it is may be
// a text.
func scores(v any) map[string]float64 {
	object, _ := v.(map[string]any)
	all := map[string]float64{}
	for m, value := range object {
		_, isNumber := value.(json.Number)
		switch n, ok := numberOf(value); {
		case slices.Contains(ranks, m) && ok:
			all[m] = n
		case isNumber && digitsOf([]string{m}, value) == "" && meaningOf([]string{m}) != other:
			all[m] = n
		}
	}
	return all
}
