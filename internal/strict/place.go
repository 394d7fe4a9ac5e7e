package strict

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/hsharness/hsharness/internal/secret"
)

// begin is the first token of a node: of a mapping its first key.
func begin(n ast.Node) *token.Token {
	switch m := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return m.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return m.Key.GetToken()
	}
	return n.GetToken()
}

// Place turns an error of the YAML library into one with file:line:column and a
// caret.
func Place(name string, err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return placed(name, syntax.GetToken(), syntax.GetMessage())
}

// placed is a message with the place of a token, and its line with a caret. What
// the lines around it say of secrets is left out.
func placed(name string, at *token.Token, message string) error {
	syntax := &yaml.SyntaxError{Message: message, Token: at}
	lines := strings.Split(strings.TrimRight(syntax.FormatError(false, true), "\n"), "\n")
	from := 0
	for _, line := range lines[1:] {
		if strings.TrimSpace(line) == "^" {
			from = max(len([]rune(line))-around, 0)
		}
	}
	for i, line := range lines {
		lines[i] = window(secret.MaskSettings(line), from)
	}
	return fmt.Errorf("%s:%d:%d: %s\n%s", name, at.Position.Line, at.Position.Column, message, strings.Join(lines[1:], "\n"))
}

// around is how many characters of a long line are shown on each side of a caret.
const around = 100

// numbered is how many characters stand before a line that is shown.
const numbered = len(">  1 | ")

// window is what is shown of a line, from a character on; the number of the line
// stays.
func window(line string, from int) string {
	r := []rune(line)
	if from > 0 && len(r) > numbered {
		r = append(r[:numbered:numbered], r[min(numbered+from, len(r)):]...)
	}
	return string(r[:min(len(r), numbered+2*around)])
}
