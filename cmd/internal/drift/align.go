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
// own, such as a confidence, how good it is. Where that would take too long it counts.
func (p *comparison) aligned(was, is any, at string, names []string) any {
	switch now := is.(type) {
	case map[string]any:
		old, _ := was.(map[string]any)
		out := make(map[string]any, len(now))
		for _, m := range slices.Sorted(maps.Keys(now)) { // each leaves less time for the next
			out[m] = p.aligned(old[m], now[m], at+"/"+escaped(m), append(slices.Clip(names), m))
		}
		return out
	case []any:
		old, _ := was.([]any)
		if p.left -= len(now) + 1; p.left < 0 {
			return is
		}
		before, after := eachScores(old), eachScores(now)
		out := p.placed(old, now, p.matched(old, now, before, after, at, names), at, names)
		if places := ranked(before, after); places != nil && p.left >= 0 && len(p.changes(was, out, at, names)) > 0 {
			if other := p.placed(old, now, places, at, names); len(p.changes(was, other, at, names)) == 0 {
				return other
			}
		}
		return out
	}
	return is
}

// placed are the elements of now where places say.
func (p *comparison) placed(old, now []any, places []int, at string, names []string) []any {
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
func ranked(old, now []map[string]float64) []int {
	by := ""
	for _, name := range ranks {
		lacks := func(e map[string]float64) bool { _, ok := e[name]; return !ok }
		if len(old) == len(now) && len(old) > 0 && !slices.ContainsFunc(old, lacks) && !slices.ContainsFunc(now, lacks) {
			by = name
			break
		}
	}
	if by == "" {
		return nil
	}
	order := func(list []map[string]float64) []int {
		places := indexes(len(list))
		slices.SortStableFunc(places, func(i, j int) int { return cmp.Compare(list[i][by], list[j][by]) })
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
func (p *comparison) matched(old, now []any, before, after []map[string]float64, at string, names []string) []int {
	places, used := make([]int, len(now)), make([]bool, len(now))
	for i := range places {
		places[i] = -1
	}
	alike := func(i, j int) bool {
		p.left--
		if used[j] || !maps.Equal(before[i], after[j]) || len(p.changes(old[i], now[j], at+"/"+strconv.Itoa(i), names)) > 0 {
			return false
		}
		places[i], used[j] = j, true
		return true
	}
	for i := range min(len(old), len(now)) {
		if len(before[i]) == 0 || p.left < 0 || alike(i, i) {
			continue // one without numbers takes what is left
		}
		for j := 0; j < len(now) && p.left >= 0 && !alike(i, j); j++ {
		}
	}
	free := 0
	for i := range places {
		if places[i] >= 0 {
			continue
		}
		for used[free] {
			free++
		}
		places[i], used[free] = free, true
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

// eachScores are the numbers of each element of a list.
func eachScores(list []any) []map[string]float64 {
	all := make([]map[string]float64, len(list))
	for i, e := range list {
		all[i] = scores(e)
	}
	return all
}

// scores are the numbers of an object, by their names; one that says how good it is may be
// a text.
func scores(v any) map[string]float64 {
	object, _ := v.(map[string]any)
	if len(object) == 0 {
		return nil
	}
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
