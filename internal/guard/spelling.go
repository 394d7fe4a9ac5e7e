package guard

import (
	"net/url"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
)

// This file is about paths that a server may read as those of a known operation,
// though they are spelled in another way: with a parameter or an extension
// (;x=1, .json), with escapes, in other letters, with something behind.

// plain tells whether every server reads a segment as it stands: there is no
// escape in it and no parameter.
func plain(segment string) bool { return !strings.ContainsAny(segment, "%;") }

// loosened is a path without what servers may decode, cut off or fold, in lower
// case.
func loosened(escapedPath string) string {
	if simple(escapedPath) {
		return escapedPath
	}
	for range 4 { // an escape may itself be escaped
		plain, err := url.PathUnescape(escapedPath)
		if err != nil || plain == escapedPath {
			break
		}
		escapedPath = plain
	}
	parts := strings.Split(strings.ToLower(escapedPath), "/")
	for i, part := range parts {
		end := strings.IndexFunc(part, func(c rune) bool { return !letter(c) })
		if end >= 0 {
			part = part[:end]
		}
		parts[i] = strings.TrimRight(part, "-_")
	}
	return strings.Join(parts, "/")
}

// simple tells whether nothing of a path can be read in two ways.
func simple(p string) bool {
	return strings.IndexFunc(p, func(c rune) bool { return !letter(c) && c != '/' }) < 0 && !strings.Contains(p, "-/") &&
		!strings.Contains(p, "_/") && strings.TrimRight(p, "-_") == p
}

func letter(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' }

// resembled tells whether a path that op does not match, and that a later rule
// matches, may be a spelling of op all the same. A later rule that spells the path
// out knows better.
func (op Operation) resembled(method, escapedPath, loose string, by Operation) bool {
	if !by.wild() {
		return false
	}
	if op.looselyMatches(method, loose) {
		return true
	}
	// What has a price for each item must not be taken for what has one price,
	// wherever its name stands.
	name := op.name()
	if op.Items == "" || name == "" {
		return false
	}
	_, pattern, _ := strings.Cut(by.Match, " ")
	return slices.ContainsFunc(segments(escapedPath), func(s string) bool {
		same := squeezed(s) == squeezed(name) || slices.Contains(segments(loosened(s)), name)
		return same && !slices.Contains(segments(pattern), s)
	})
}

// squeezed has the letters and digits alone, in lower case: classify-from-hs6 is the
// name of an endpoint in another style.
func squeezed(segment string) string {
	return strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(segment))
}

// looselyMatches tells whether the rule, in lower case, is for a loosened path.
func (op Operation) looselyMatches(method, loose string) bool {
	return Operation{Match: strings.ToLower(op.Match)}.matches(strings.ToLower(method), loose)
}

// name is the last segment of the rule's path without a wildcard, in lower case.
func (op Operation) name() string {
	_, pattern, _ := strings.Cut(op.Match, " ")
	for _, s := range slices.Backward(segments(pattern)) {
		if !strings.ContainsAny(s, "*?[") {
			return strings.ToLower(s)
		}
	}
	return ""
}

// wild tells whether the rule has a wildcard.
func (op Operation) wild() bool { return strings.ContainsAny(op.Match, "*?[") }

// endpoint finds the endpoint of the service that a path may be another spelling
// of.
func endpoint(method, escapedPath, loose string) (known string, ok bool) {
	loose = strings.Trim(loose, "/")
	for _, known := range []string{avalara.PathClassify, avalara.PathEnhanced, avalara.PathHints, avalara.PathClassifyFromHS6} {
		if loose == known[1:] && strings.Trim(escapedPath, "/") != known[1:] {
			return "POST " + known, true
		}
	}
	return "", false
}

// spelled is the first rule for a request that is spelled as it should, with that
// spelling.
func (ops Operations) spelled(match string) *Operation {
	method, p, _ := strings.Cut(match, " ")
	for _, op := range ops {
		if op.matches(method, p) {
			op.Match = match
			return &op
		}
	}
	return nil
}

// like is the first rule that a path which none matches may be a spelling of.
func (ops Operations) like(method, loose string) *Operation {
	if known, ok := endpoint(method, "", loose); ok {
		return ops.spelled(known)
	}
	for _, op := range ops {
		if op.looselyMatches(method, loose) {
			return &op
		}
	}
	return nil
}
