package strict

import (
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse makes nodes of YAML, in which a key may be there twice. The library takes time or
// memory by the square of some things that no file of ours has many of: what its parser
// would meet is counted first. An object may have so many keys, and the file as many empty
// values and documents. The error is a [yaml.SyntaxError], with its place.
func Parse(text string, keys int) (*ast.File, error) {
	tokens := lexer.Tokenize(text)
	o := outline{most: keys, open: make([]bracket, 1)}
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if message := o.take(t); message != "" {
			if t.Type == token.MappingValueType && o.key != nil {
				t = o.key
			}
			return nil, &yaml.SyntaxError{Message: message, Token: t}
		}
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}
