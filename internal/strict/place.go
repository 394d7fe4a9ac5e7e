package strict

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/hsharness/hsharness/internal/pattern"
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
	return placed(name, "", syntax.GetToken(), secret.MaskText(syntax.GetMessage()))
}

// placed is a message about a setting, by its path, with the place of a token, and its line
// with a caret. What the lines around it say beside their names is left out, and what is
// called a secret.
func placed(name, path string, at *token.Token, message string) error {
	syntax := &yaml.SyntaxError{Message: message, Token: at}
	lines := strings.Split(strings.TrimRight(syntax.FormatError(false, true), "\n"), "\n")
	from, wrong, caret := 0, 0, 0
	for i, line := range lines {
		switch {
		case i > 0 && strings.HasPrefix(line, ">"):
			wrong = i
		case i > 0 && strings.TrimSpace(line) == "^":
			from, caret = max(len([]rune(line))-around, 0), i
		}
	}
	for i, line := range lines {
		switch {
		case i == caret:
		case i == wrong && caret == i+1:
			line = pointed(line, lines[caret], path)
		case i > 0:
			line = beside(line)
		}
		lines[i] = window(secret.MaskSettings(line), from)
	}
	return fmt.Errorf("%s:%d:%d: %s\n%s", name, at.Position.Line, at.Position.Column, message, strings.Join(lines[1:], "\n"))
}

var (
	// named finds the name that a line begins with, and its value.
	named = pattern.New(`^(\s*(?:- +)*["']?[A-Za-z_][\w.-]*["']?\s*:)(.*)$`)
	// of finds a rule of a list on one line.
	of = pattern.New(`^\s*- +\{\s*["']?match["']?\s*:`)
	// pair finds a name in an object on one line, and its value.
	pair = pattern.New(`([A-Za-z_][\w.-]*["']?\s*:\s*)("[^"]*"|'[^']*'|[^\s,\[\]{}"'](?:[^,\[\]{}]*[^\s,\[\]{}])?)`)
	// key finds a name that a text begins with.
	key = pattern.New(`^["']?[^\s"':]+["']?\s*:`)
)

// hidden stands for what is not shown.
const hidden = "…"

// beside is a line near the one that is wrong: its name, by which it is found. Its value is
// not what the message is about, and may be a secret whose own name is mistyped, or stands a
// line above.
func beside(line string) string {
	if len(line) < numbered {
		return line
	}
	number, text := line[:numbered], line[numbered:]
	switch m := named.FindStringSubmatch(text); {
	case strings.TrimSpace(text) == "":
		return line
	case of.MatchString(text): // a rule of a list, whose order may be what is wrong
		return line
	case m == nil:
		return number + text[:len(text)-len(strings.TrimLeft(text, " "))] + hidden
	case strings.TrimSpace(m[2]) == "":
		return line
	default:
		return number + m[1] + " " + hidden
	}
}

// pointed is the line that a caret points into. Where that is at a name, the value is not
// what the message is about: a secret whose name is mistyped, or has no colon, has none that
// hides it. Of a value alone on its line the path has the name, and of what is no text
// nothing is shown.
func pointed(line, caret, path string) string {
	if len(line) < numbered {
		return line
	}
	number, text := line[:numbered], []rune(line[numbered:])
	from := min(max(len([]rune(caret))-1-numbered, 0), len(text))
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return number + hidden
	}
	if name := key.FindString(string(text[from:])); name != "" && strings.TrimSpace(string(text[from:])) != name {
		return number + pairs(string(text[:from]), len(string(text))) + name + " " + hidden
	}
	alone := strings.TrimSpace(string(text[:from])) == ""
	if words := strings.Fields(string(text[from:])); path == "" && alone && len(words) > 1 {
		return number + string(text[:from]) + words[0] + " " + hidden // a name without its colon
	}
	own := path[strings.LastIndexByte(path, '.')+1:] + ": "
	if alone && secret.MaskSettings(own+"x") != own+"x" {
		return number + string(text[:from]) + hidden
	}
	return number + pairs(string(text), len(string(text[:from])))
}

// pairs is a text without the values of an object on one line, but that one where a caret
// is. Of a rule of a list all is shown.
func pairs(text string, caret int) string {
	if !strings.Contains(text, "{") || of.MatchString(text) {
		return text
	}
	var shown strings.Builder
	end := 0
	for _, m := range pair.FindAllStringSubmatchIndex(text, -1) {
		switch {
		case caret < m[0]:
			shown.WriteString(text[end:m[4]] + hidden)
			end = m[1]
		case caret > m[1]: // and the caret stays in its place
			shown.WriteString(text[end:m[4]] + strings.Repeat("*", utf8.RuneCountInString(text[m[4]:m[1]])))
			end = m[1]
		}
	}
	return shown.String() + text[end:]
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
