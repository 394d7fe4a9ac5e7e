package strictjson

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxDepth is how deep lists and objects may nest: each level takes room on the stack, and
// the standard library alone would read a million.
const maxDepth = 1000

// path is what a value is in, and its name or its number there. It is written out for an
// error alone: nested as deep as a text has brackets, all of them would be the square of it.
// Nil is the text as a whole.
type path struct {
	in    *path
	name  string // of a member
	item  int    // of a list, -1 for a member
	depth int
}

func (p *path) deep() int {
	if p == nil {
		return 0
	}
	return p.depth
}

// member is a member of what is at p.
func (p *path) member(name string) *path { return &path{p, name, -1, p.deep() + 1} }

// items is the first item of what is at p.
func (p *path) items() *path { return &path{p, "", 0, p.deep() + 1} }

// named is a name for a message: of a long one its beginning, and of what is no plain text
// what Go makes of it, for it is printed.
func named(name string) string {
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// String is like operations[0].cost, and empty for the text as a whole.
func (p *path) String() string {
	var parts []string
	for ; p != nil; p = p.in {
		if p.item >= 0 {
			parts = append(parts, "["+strconv.Itoa(p.item)+"]")
		} else {
			parts = append(parts, "."+named(p.name))
		}
	}
	slices.Reverse(parts)
	return strings.TrimPrefix(strings.Join(parts, ""), ".")
}
