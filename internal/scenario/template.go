package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Template is a string with expressions in it. It is safe for concurrent use.
type Template struct {
	// Text is the string as written, without YAML's quotes.
	Text  string
	Pos   Pos
	parts []part
}

// part is a literal text or an expression.
type part struct {
	text string
	expr *Expr
}

// Value returns the template's value: that of its expression when it is one
// template and nothing else, else a string.
func (t *Template) Value(env Env) (any, error) {
	if e := t.single(); e != nil {
		return e.Eval(env)
	}
	return t.join(env, func(s string) string { return s })
}

// Render returns the template's value as text. A template without value (null)
// is an error: the text around it would be wrong in silence.
func (t *Template) Render(env Env) (string, error) {
	return t.join(env, func(s string) string { return s })
}

// Target returns the request's path and query. What a template puts in is
// escaped, so that a value can't change which endpoint is called.
func (r *Request) Target(env Env) (string, error) {
	var b strings.Builder
	escape := url.PathEscape
	for _, p := range r.Path.parts {
		one := Template{parts: []part{p}}
		s, err := one.Render(env)
		if err != nil {
			return "", err
		}
		if p.expr != nil {
			if s == "." || s == ".." {
				return "", fmt.Errorf("%s is %q, which is no part of a path", p.expr.Text, s)
			}
			s = escape(s)
			env.spend(perByte * len(s) / 16)
			if b.Len()+len(s) > maxRendered {
				return "", errRendered
			}
		} else if strings.Contains(s, "?") {
			escape = url.QueryEscape
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// single returns the expression of a string that is one template.
func (t *Template) single() *Expr {
	if len(t.parts) == 1 {
		return t.parts[0].expr
	}
	return nil
}

// constant tells whether t holds no expression.
func (t *Template) constant() bool {
	for _, p := range t.parts {
		if p.expr != nil {
			return false
		}
	}
	return true
}

// join renders the parts; quote is applied to what the expressions made.
func (t *Template) join(env Env, quote func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.expr.Eval(env)
		if err != nil {
			return "", err
		}
		s, err := inText(v)
		if err != nil {
			return "", fmt.Errorf("%s %w", p.expr.Text, err)
		}
		env.spend(len(s) / 16)
		if s = quote(s); b.Len()+len(s) > maxRendered {
			return "", errRendered
		}
		if len(t.parts) == 1 { // it may be long, and a file may compare it thousands of times
			return s, nil
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// inText writes a value into a text: strings as they are, all else as JSON.
func inText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", errors.New("has no value (null)")
	case string:
		return v, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("has a value that no text can hold: %w", err)
	}
	return string(b), nil
}

// piece is a stretch of a template's text, in bytes. For an expression it is
// what stands between the braces.
type piece struct {
	from, to int
	expr     bool
}

// split cuts a text into literal pieces and expressions. The braces of an
// expression's own maps and the quotes of its strings are read, so that "}}"
// may stand inside. The error's place is a byte of text.
func split(text string) (pieces []piece, at int, err error) {
	for pos := 0; pos < len(text); {
		open := strings.Index(text[pos:], "{{")
		if open < 0 {
			return append(pieces, piece{from: pos, to: len(text)}), 0, nil
		}
		open += pos
		if open > pos {
			pieces = append(pieces, piece{from: pos, to: open})
		}
		end := closing(text, open+2)
		if end < 0 {
			return nil, open, errors.New(`"{{" without "}}"`)
		}
		if strings.TrimSpace(text[open+2:end]) == "" {
			return nil, open, errors.New("an empty template: put an expression between {{ and }}")
		}
		pieces = append(pieces, piece{open + 2, end, true})
		pos = end + 2
	}
	return pieces, 0, nil
}

// closing returns where the "}}" stands that ends the expression which starts
// at from, or -1.
func closing(text string, from int) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				if strings.HasPrefix(text[i:], "}}") {
					return i
				}
				continue
			}
			depth--
		}
	}
	return -1
}

// template compiles a string from a byte offset on.
func (d *decoder) template(n *node, from int, what string) *Template {
	if !d.is(n, String, what) {
		return nil
	}
	return d.templateIn(n, from, len(n.text))
}

// templateIn compiles the bytes from..to of a string.
func (d *decoder) templateIn(n *node, from, to int) *Template {
	text := n.text[from:to]
	t := &Template{Text: text, Pos: n.pos}
	if !strings.Contains(text, "{{") {
		if from > 0 {
			t.Pos = d.at(n, from)
		}
		t.parts = []part{{text: text}}
		return t
	}
	places := d.places(n)
	t.Pos = place(n, places, from)
	pieces, at, err := split(text)
	if err != nil {
		d.errorf(place(n, places, from+at), "%s", err)
		return t
	}
	for _, p := range pieces {
		if p.expr {
			t.parts = append(t.parts, part{expr: d.expr(n, places, from+p.from, from+p.to, inTemplate)})
		} else {
			t.parts = append(t.parts, part{text: text[p.from:p.to]})
		}
	}
	return t
}
