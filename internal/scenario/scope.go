package scenario

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
)

// scope is what expressions may name at one place of a file.
type scope struct {
	vars     []string
	matrix   []string
	captures map[string]Pos // of the steps so far
	later    map[string]Pos // of all steps
	data     *Data          // whose rows are cases, nil without
	// plain and withRes are the types of the names, without and with res, and ofRow
	// those of a row alone. They are nil until needed, and the same for all steps: a
	// capture that is made later is found by [exactly.early].
	plain, withRes, ofRow expr.Option
}

// capture adds the captures of a step that has been read.
func (s *scope) capture(captures []Capture) {
	for _, c := range captures {
		s.captures[c.Name] = c.Pos
	}
}

// env returns the option that gives an expression its typed environment.
func (s *scope) env(role role) expr.Option {
	option := &s.plain
	switch {
	case role == inWhere:
		option = &s.ofRow
	case role.res():
		option = &s.withRes
	}
	if *option == nil {
		env := types.Map{}
		if role != inWhere {
			env["vars"], env["matrix"], env["capture"] = anyOf(slices.Values(s.vars)), anyOf(slices.Values(s.matrix)), anyOf(maps.Keys(s.later))
		}
		if s.data != nil {
			env["row"] = s.data.types()
		}
		if role.res() {
			env["res"] = resType
		}
		env[budgetName] = types.TypeOf((*budget)(nil))
		*option = typed(env)
	}
	return *option
}

// typed is [expr.Env], which makes the types of all names anew for each expression.
func typed(env types.Map) expr.Option {
	of := env.Nature()
	return func(c *conf.Config) { c.EnvObject, c.Env, c.Strict = env, of, of.Strict }
}

// anyOf is the type of a map with exactly these keys.
func anyOf(names func(func(string) bool)) types.Map {
	out := types.Map{}
	for n := range names {
		out[n] = types.Any
	}
	return out
}

// role is what an expression is for.
type role int

const (
	inTemplate role = iota
	inCapture
	inAssert
	inWhere
)

// res tells whether the answer is known.
func (r role) res() bool { return r == inCapture || r == inAssert }

// spaces are what an expression may name.
func (s *scope) spaces(role role) []string {
	spaces := []string{"vars", "matrix", "capture"}
	if role == inWhere {
		spaces = nil
	}
	if s.data != nil {
		spaces = append(spaces, "row")
	}
	if role.res() {
		spaces = append(spaces, "res")
	}
	return spaces
}

// expr compiles the bytes from..to of a string. It returns nil when they are
// wrong.
func (d *decoder) expr(n *node, places []Pos, from, to int, as role) *Expr {
	text := strings.TrimSpace(n.text[from:to])
	start := from + strings.Index(n.text[from:to], text)
	e := &Expr{Text: text, Pos: place(n, places, start)}
	// in is the place of a character of the expression.
	in := func(i int) Pos {
		rest, _ := beyond(n.text[start:], i)
		return place(n, places, len(n.text)-len(rest))
	}
	if len(text) > maxExpression {
		d.errorf(in(maxExpression), "the expression has %d bytes, and may have %d", len(text), maxExpression)
		return nil
	}
	x := newExactly(text, d.scope.captures)
	program, err := expr.Compile(text, d.scope.env(as), exactFunctions, expr.Patch(x), expr.MaxNodes(maxNodes))
	if x.wrong != nil {
		d.errorf(in(x.wrongAt), "expression: %s", x.wrong)
		return nil
	}
	if err != nil {
		d.exprError(text, err, as, in)
		return nil
	}
	if x.early != nil {
		d.unknownField(in(named([]rune(text), x.early.Location().From)), "capture", x.early.Value)
		return nil
	}
	e.program = program
	root := program.Node()
	e.size = size(root)
	if t := root.Type(); (as == inAssert || as == inWhere) && t.Kind() != reflect.Bool && t.Kind() != reflect.Interface {
		what := map[role]string{inAssert: "an assertion", inWhere: "matrix.where"}[as]
		d.errorf(in(0), "%s must be true or false, not a value of type %s", what, t)
		return nil
	}
	var bare []*ast.IdentifierNode
	ast.Walk(&root, visitor(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.IdentifierNode:
			bare = append(bare, n)
		case *ast.MemberNode:
			id, ok := n.Node.(*ast.IdentifierNode)
			prop, constant := n.Property.(*ast.StringNode)
			if ok && constant && id.Value != "$env" {
				e.uses = append(e.uses, use{id.Value, prop.Value})
				bare = slices.DeleteFunc(bare, func(b *ast.IdentifierNode) bool { return b == id })
			}
		}
	}))
	for _, id := range bare {
		switch id.Value {
		case "$env":
			d.errorf(in(id.Location().From), "$env is not known here: name vars, matrix or capture")
			return nil
		case "vars", "matrix", "capture", "row":
			d.errorf(in(id.Location().From), "%s must be followed by a dot and a name", id.Value)
			return nil
		}
	}
	return e
}

// exprError reports what the compiler found, in the words of the format.
func (d *decoder) exprError(text string, err error, role role, in func(int) Pos) {
	if d.full() {
		d.more++
		return
	}
	var fe *file.Error
	if !errors.As(err, &fe) {
		msg, _, _ := strings.Cut(err.Error(), "\n")
		d.errorf(in(0), "expression: %s", msg)
		return
	}
	runes := []rune(text)
	from := named(runes, min(fe.From, len(runes)))
	pos := in(from)
	switch {
	case strings.HasPrefix(fe.Message, "unknown name "):
		d.unknownName(pos, strings.TrimPrefix(fe.Message, "unknown name "), role)
	case strings.HasPrefix(fe.Message, "unknown field "):
		space := ""
		if before := strings.TrimRight(string(runes[:from]), `.?['" `); before != "" {
			space = before[strings.LastIndexFunc(before, func(r rune) bool { return r > 0x7f || !name.MatchString("_"+string(r)) })+1:]
		}
		word := strings.TrimPrefix(fe.Message, "unknown field ")
		if space == "" { // it follows on an index, or on brackets around something
			d.errorf(pos, "no field %q in what stands before it", word)
			return
		}
		d.unknownField(pos, space, word)
	case strings.Contains(fe.Message, "exceeds maximum allowed nodes"):
		d.errorf(pos, "the expression has more than %d names, values and operators, the most that it may have", maxNodes)
	case strings.HasPrefix(fe.Message, "unexpected token EOF"):
		d.errorf(in(len(runes)), "expression: ends too early")
	default:
		d.errorf(pos, "expression: %s", fe.Message)
	}
}

// named is where a name begins that stands somewhere, in quotes or without.
func named(text []rune, from int) int {
	if from < len(text) && (text[from] == '"' || text[from] == '\'') {
		from++
	}
	return from
}

// unknownName reports a name that is none of the environment's.
func (d *decoder) unknownName(pos Pos, word string, role role) {
	switch word {
	case "row":
		d.errorf(pos, "row is known only where matrix.from names a file of data")
		return
	case "res":
		d.errorf(pos, "res is known only in assert and capture: there is no answer yet")
		return
	}
	_, captured := d.scope.captures[word]
	column := d.scope.data != nil && slices.Contains(d.scope.data.Columns, word)
	spaces := d.scope.spaces(role)
	for i, found := range []bool{slices.Contains(d.scope.vars, word), slices.Contains(d.scope.matrix, word), captured, column} {
		if space := []string{"vars", "matrix", "capture", "row"}[i]; found && slices.Contains(spaces, space) {
			d.suggest(pos, space+"."+word, "unknown name %q", word)
			return
		}
	}
	if meant := d.nearest(word, spaces); meant != "" {
		d.suggest(pos, meant, "unknown name %q", word)
		return
	}
	d.errorf(pos, "unknown name %q: an expression here may use %s", word, strings.Join(spaces, ", "))
}
