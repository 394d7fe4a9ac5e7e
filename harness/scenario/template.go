package scenario

import "github.com/expr-lang/expr/vm"

// Env is what expressions may use. Names that the file does not define were
// refused when it was parsed, so every name that is used must be given here.
type Env struct {
	Vars    map[string]any
	Matrix  map[string]any
	Capture map[string]any
	// Res is the answer, for assertions and captures; nil elsewhere.
	Res *Response
}

// Response is an answer as expressions see it.
type Response struct {
	Status int
	// Headers has lower-case names.
	Headers map[string]string
	// JSON is the decoded body, nil when the body is no JSON.
	JSON any
	Body string
	// ElapsedMS is the time to the last byte, in milliseconds.
	ElapsedMS int
}

// Expr is one compiled expression. It is safe for concurrent use.
type Expr struct {
	// Text is the expression as written; Pos is where it starts.
	Text    string
	Pos     Pos
	program *vm.Program
	uses    []use
}

// use is one name that an expression takes from its environment.
type use struct{ space, name string }

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
	return t.Text, nil
}
