package selection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"

	"github.com/hsharness/hsharness/internal/pattern"
)

// tagWord is a tag, or an operator, of a tag expression.
var tagWord = pattern.New(`[\p{L}\p{N}_./:-]+`)

// tagExpression compiles what --tags says: tags with and, or, not and
// parentheses. A comma is an or.
func tagExpression(text string) (func(tags []string) bool, error) {
	source := tagWord.Regexp().ReplaceAllStringFunc(text, func(word string) string {
		switch word {
		case "and", "or", "not":
			return word
		}
		return fmt.Sprintf("has(%q)", word)
	})
	source = strings.ReplaceAll(source, ",", " or ")
	type env struct {
		Has func(string) bool `expr:"has"`
	}
	program, err := expr.Compile(source, expr.Env(env{}), expr.AsBool(), expr.DisableAllBuiltins())
	if err != nil {
		return nil, fmt.Errorf("--tags %q can't be read: use tags with and, or, not and parentheses, such as \"smoke and not slow\"", text)
	}
	return func(tags []string) bool {
		yes, err := expr.Run(program, env{func(tag string) bool { return slices.Contains(tags, tag) }})
		return err == nil && yes == true // it can't fail: it has nothing but has
	}, nil
}
