package recording

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// pointer is a parsed JSON pointer (RFC 6901) whose tokens may be *.
type pointer []string

func parsePointer(text string) (pointer, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("%q is no JSON pointer: it must start with /, as in /requestId or /items/*/id", text)
	}
	tokens := strings.Split(text[1:], "/")
	for i, t := range tokens {
		rest := strings.NewReplacer("~0", "", "~1", "").Replace(t)
		if strings.Contains(rest, "~") {
			return nil, fmt.Errorf("%q is no JSON pointer: ~ must be written ~0", text)
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// pointerTo spells the pointer to a child of at.
func pointerTo(at, child string) string {
	return at + "/" + strings.ReplaceAll(strings.ReplaceAll(child, "~", "~0"), "/", "~1")
}

// without returns n without what the pointers name. n itself stays as it is. A
// member goes; an element becomes null, so that the number of elements counts.
func (n node) without(pointers []pointer) node {
	for _, p := range pointers {
		n = n.drop(p)
	}
	return n
}

func (n node) drop(p pointer) node {
	if n.kind != '{' && n.kind != '[' {
		return n
	}
	out := node{kind: n.kind, items: slices.Clone(n.items)}
	if n.kind == '{' {
		out.names, out.items = nil, nil
	}
	for i, item := range n.items {
		hit := p[0] == "*" || p[0] == n.child(i)
		switch {
		case hit && len(p) > 1:
			item = item.drop(p[1:])
		case hit && n.kind == '[':
			item = node{kind: 'n', text: []byte("null")}
		case hit:
			continue
		}
		if n.kind == '{' {
			out.names = append(out.names, bytes.Clone(n.names[i]))
			out.items = append(out.items, item)
		} else {
			out.items[i] = item
		}
	}
	return out
}
