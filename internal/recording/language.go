package recording

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// acceptLanguage always tells requests apart: the answer is another text.
const acceptLanguage = "Accept-Language"

// languages is an Accept-Language in one spelling for one meaning (RFC 9110
// §12.5.4): in lower case, the most wanted first, weights as short as they go.
// Those of one weight keep their order, which services go by. Nothing, and any
// language whatever, are both nothing. What is no such list stays as it is.
func languages(values []string) []string {
	type wanted struct {
		tag    string
		weight float64
	}
	var all []wanted
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		if part == "" {
			continue
		}
		tag, q, given := strings.Cut(part, ";")
		weight := 1.0
		if given {
			name, number, _ := strings.Cut(q, "=")
			w, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if strings.TrimSpace(name) != "q" || err != nil || w < 0 || w > 1 {
				return []string{strings.TrimSpace(strings.Join(values, ","))}
			}
			weight = w
		}
		all = append(all, wanted{strings.TrimSpace(tag), weight})
	}
	slices.SortStableFunc(all, func(a, b wanted) int { return cmp.Compare(b.weight, a.weight) })
	if len(all) == 0 || len(all) == 1 && all[0].tag == "*" {
		return nil
	}
	parts := make([]string, len(all))
	for i, w := range all {
		parts[i] = w.tag
		if w.weight != 1 {
			parts[i] += ";q=" + strconv.FormatFloat(w.weight, 'f', -1, 64)
		}
	}
	return []string{strings.Join(parts, ", ")}
}

// older looks for a recording that was made before a header of the request
// counted: what its own request had is not known. It was paid for, so it answers
// until there is one that knows. Errors are those of get.
func (s *Store) older(k Key) (*Recording, error) {
	names := slices.Sorted(maps.Keys(k.Inputs.Headers))
	for _, without := range subsets(names) {
		was := k.Inputs
		was.Headers = maps.Clone(was.Headers)
		for _, name := range without {
			delete(was.Headers, name)
		}
		rec, err := s.get(k, was.sum())
		switch {
		case err == nil && rec.mayMatch(k, without):
			return rec, nil
		case err != nil && !errors.Is(err, ErrMiss):
			return nil, err
		}
	}
	return nil, ErrMiss
}

// subsets lists what could be left out of names, the least first. Of more than a
// few headers only one or all are, which bounds the search.
func subsets(names []string) [][]string {
	const few = 4
	var all [][]string
	if len(names) > few {
		for _, name := range names {
			all = append(all, []string{name})
		}
		return append(all, names)
	}
	for mask := 1; mask < 1<<len(names); mask++ {
		var one []string
		for i, name := range names {
			if mask&(1<<i) != 0 {
				one = append(one, name)
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b []string) int { return len(a) - len(b) })
	return all
}

// mayMatch tells whether a recording may be that of a request with the headers
// named: it was made when none of them counted, and its answer isn't in a language
// that the request does not want.
func (r *Recording) mayMatch(k Key, names []string) bool {
	if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(r.Headers, name) }) {
		return false
	}
	take := r.Answer()
	return take == nil || !slices.Contains(names, acceptLanguage) ||
		speaks(take.Response.Header.Get("Content-Language"), k.Inputs.Headers[acceptLanguage])
}

// speaks tells whether an answer in the languages of content suits who asked for
// those of wanted. Without a word about its language it may.
func speaks(content string, wanted []string) bool {
	var asked []string
	for part := range strings.SplitSeq(strings.Join(wanted, ","), ",") {
		tag, weight, _ := strings.Cut(strings.TrimSpace(part), ";q=")
		if weight != "0" {
			asked = append(asked, primary(tag))
		}
	}
	if strings.TrimSpace(content) == "" || slices.Contains(asked, "*") {
		return true
	}
	for tag := range strings.SplitSeq(content, ",") {
		if slices.Contains(asked, primary(tag)) {
			return true
		}
	}
	return false
}

// primary is the language of a tag, such as de of de-CH.
func primary(tag string) string {
	language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	return language
}
