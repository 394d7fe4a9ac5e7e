package scenario

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/hsharness/hsharness/internal/strict"
)

// A file may have this many bytes, nest this deep, and an object may have so many keys.
// All are far beyond any test a person writes, and keep a hostile file from exhausting
// the parser.
const (
	maxFileSize = 256 << 10
	maxDepth    = 100
	maxMembers  = 4000
)

// node is a YAML node of the kinds that scenario files may use. This file and
// syntax_error.go are the only ones that know the YAML library.
type node struct {
	kind  Kind
	pos   Pos
	style style
	// text is the decoded text of a string, and the text as written of any
	// other scalar.
	text    string
	scalar  any // of Bool and Number
	entries []entry
	items   []*node
}

// entry is one key of a Map.
type entry struct {
	key   string
	pos   Pos
	value *node
}

// style is how a scalar is quoted.
type style int

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	literal
	folded
)

// read turns a file into nodes. A syntax error is the only one reported;
// anything else that YAML allows and scenario files do not is reported all at
// once.
func (d *decoder) read(src []byte) (root *node) {
	if len(src) > maxFileSize {
		d.errorf(Pos{1, 1}, "the file has %d bytes; a scenario may have %d", len(src), maxFileSize)
		return nil
	}
	if pos, deep := tooDeep(d.lines); deep {
		d.errorf(pos, "nested more than %d levels deep", maxDepth)
		return nil
	}
	// The library is known to panic on some inputs that are no YAML. Such a
	// file is wrong like any other.
	defer func() {
		if r := recover(); r != nil {
			d.errorf(Pos{1, 1}, "the file is not valid YAML")
			root = nil
		}
	}()
	file, err := strict.Parse(string(src), maxMembers)
	if err != nil {
		d.syntaxError(err)
		return nil
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body != nil && doc.Body.Type() == ast.DirectiveType:
			d.errorf(posOf(doc.Body.GetToken()), "a scenario file has no YAML directives: delete this line")
			return nil
		case i > 0:
			pos := Pos{len(d.lines), 1}
			if doc.Start != nil {
				pos = posOf(doc.Start)
			}
			d.errorf(pos, "a scenario file holds one document: put a second scenario into a file of its own")
			return nil
		}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		d.errorf(Pos{1, 1}, "the file is empty: a scenario needs version, name and steps")
		return nil
	}
	return d.node(file.Docs[0].Body, 0)
}

// tooDeep finds where brackets or dashes nest too deep. It reads no quotes:
// a text with so many open brackets is refused as well.
func tooDeep(lines []string) (Pos, bool) {
	depth := 0
	for i, line := range lines {
		dashes, column := 0, 0
		leading := true
		for _, r := range line {
			column++
			switch r {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			case '-', '?', ':':
				if leading {
					dashes++
				}
			}
			leading = leading && (r == ' ' || r == '-' || r == '?' || r == ':' || r == '\t')
			if depth > maxDepth || dashes > maxDepth {
				return Pos{i + 1, column}, true
			}
		}
	}
	return Pos{}, false
}

// posOf is the place of a token.
func posOf(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{1, 1}
	}
	return Pos{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// node turns one node of the library into ours, or reports why it can't and
// returns nil.
func (d *decoder) node(n ast.Node, depth int) *node {
	if n == nil {
		return nil
	}
	if depth > maxDepth {
		d.errorf(posOf(n.GetToken()), "nested more than %d levels deep", maxDepth)
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out := &node{kind: Map, pos: posOf(n.Start)}
		if !n.IsFlowStyle && len(n.Values) > 0 {
			out.pos = posOf(n.Values[0].Key.GetToken())
		}
		if len(n.Values) > maxMembers {
			d.errorf(out.pos, "more than %d keys of one object", maxMembers)
			return nil
		}
		for _, v := range n.Values {
			d.entry(out, v, depth)
		}
		return out
	case *ast.MappingValueNode:
		out := &node{kind: Map, pos: posOf(n.Key.GetToken())}
		d.entry(out, n, depth)
		return out
	case *ast.SequenceNode:
		out := &node{kind: List, pos: posOf(n.Start)}
		for _, v := range n.Values {
			if item := d.node(v, depth+1); item != nil {
				out.items = append(out.items, item)
			}
		}
		return out
	case *ast.LiteralNode:
		out := &node{kind: String, pos: posOf(n.Start), style: literal, text: n.Value.Value}
		if n.Start.Type == token.FoldedType {
			out.style = folded
		}
		return out
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.errorf(posOf(n.GetToken()), "anchors, aliases and merge keys are not allowed: write the value out")
	case *ast.TagNode:
		d.errorf(posOf(n.GetToken()), "tags are not allowed: quote a value to make it a string")
	case ast.ScalarNode:
		return d.scalar(n)
	default:
		d.errorf(posOf(n.GetToken()), "%s is not allowed here", strings.ToLower(n.Type().String()))
	}
	return nil
}

// entry adds one key and its value to a Map.
func (d *decoder) entry(m *node, v *ast.MappingValueNode, depth int) {
	pos := posOf(v.Key.GetToken())
	switch key := v.Key.(type) {
	case *ast.MergeKeyNode:
		d.errorf(pos, "anchors, aliases and merge keys are not allowed: write the value out")
		return
	case *ast.MappingKeyNode:
		d.errorf(pos, `a key is a word: "? " is not allowed`)
		return
	case ast.ScalarNode:
		name := key.GetToken().Value
		for _, e := range m.entries {
			if e.key == name {
				d.errorf(pos, "duplicate key %q: it is already set in line %d", name, e.pos.Line)
				return
			}
		}
		if at, ok := tightColon(key.GetToken(), v.Start); ok {
			d.errorf(at, "a colon needs a space after it: other readers take this for one long key")
		}
		value := d.node(v.Value, depth+1)
		m.entries = append(m.entries, entry{name, pos, value})
	default:
		d.errorf(pos, "a key is a word, not a %s", strings.ToLower(v.Key.Type().String()))
	}
}

// tightColon finds the colon of a key without quotes and without a space after
// it. In braces the library takes it for a key, YAML does not.
func tightColon(key, colon *token.Token) (Pos, bool) {
	if key.Type == token.SingleQuoteType || key.Type == token.DoubleQuoteType || colon == nil || colon.Next == nil {
		return Pos{}, false
	}
	switch colon.Next.Type {
	case token.CollectEntryType, token.MappingEndType, token.SequenceEndType, token.CommentType:
		return Pos{}, false
	}
	at, next := posOf(colon), posOf(colon.Next)
	return at, next.Line == at.Line && next.Column == at.Column+1
}

// scalar turns a scalar of the library into ours.
func (d *decoder) scalar(n ast.ScalarNode) *node {
	t := n.GetToken()
	out := &node{kind: String, pos: posOf(t), text: t.Value}
	if s, ok := n.(*ast.StringNode); ok {
		out.text = s.Value
	}
	switch {
	case t.Type == token.SingleQuoteType:
		out.style = singleQuoted
	case t.Type == token.DoubleQuoteType:
		out.style = doubleQuoted
	case t.Type == token.ImplicitNullType:
		out.kind, out.text = Null, "null"
	case strings.Contains(strings.TrimSpace(t.Origin), "\t"):
		// The library would drop it without a word.
		d.errorf(out.pos, "a tab in an unquoted text: quote the text")
		return nil
	default:
		if err := out.resolve(); err != nil {
			d.errorf(out.pos, "%s", err)
			return nil
		}
	}
	return out
}

// describe names a node's kind in a message.
func (n *node) describe() string {
	switch n.kind {
	case Null:
		return "nothing"
	case List:
		return "a list"
	case Map:
		return "a map"
	case String:
		return fmt.Sprintf("the text %q", shorten(n.text))
	default:
		return n.text
	}
}
