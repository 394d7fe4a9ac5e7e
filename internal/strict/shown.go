package strict

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// shown is a value for a message.
func (f *File) shown(want *node, n ast.Node) string {
	if _, ok := members(n); ok || want.Secret {
		return what(n)
	}
	if _, ok := n.(*ast.SequenceNode); ok {
		return what(n)
	}
	if s, ok := n.(*ast.StringNode); ok {
		return short(strconv.Quote(s.Value))
	}
	return short(n.GetToken().Value)
}

// short is a text of which a message shows no more than the start.
func short(text string) string {
	const most = 80
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// what names the kind of a value.
func what(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "an object"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.BoolNode:
		return "true or false"
	}
	return "a number"
}
