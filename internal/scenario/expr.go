package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pattern"
)

// Env is what expressions may use. Names that the file does not define were
// refused when it was parsed.
type Env struct {
	Vars    map[string]any
	Matrix  map[string]any
	Capture map[string]any
	// Row is the row of the case's data, nil without data.
	Row map[string]any
	// Res is the answer, for assertions and captures; nil elsewhere.
	Res *Response
	// Schedules judge codes. Nil are those of the program.
	Schedules *nomenclature.Schedules

	// left are the steps that several evaluations may take together: of all rows, or of one
	// case. Nil has no limit but that of each.
	left *int
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

// resType is the type of res. [Env.values] makes the value to it.
var resType = types.Map{
	"status":     types.Int,
	"headers":    types.TypeOf(map[string]string{}),
	"json":       types.Any,
	"body":       types.String,
	"elapsed_ms": types.Int,
}

// values gives the environment the form that expressions are compiled for.
func (e Env) values(b *budget) map[string]any {
	out := map[string]any{"vars": e.Vars, "matrix": e.Matrix, "capture": e.Capture, "row": e.Row, budgetName: b}
	if e.Res != nil {
		out["res"] = map[string]any{
			"status": e.Res.Status, "headers": e.Res.Headers, "json": e.Res.JSON, "body": e.Res.Body, "elapsed_ms": e.Res.ElapsedMS,
		}
	}
	return out
}

// Expr is one compiled expression. It is safe for concurrent use.
type Expr struct {
	// Text is the expression as written; Pos is where it starts.
	Text    string
	Pos     Pos
	program *vm.Program
	size    int // in nodes
	uses    []use
}

// use is one name that an expression takes from vars, matrix, capture or row.
type use struct{ space, name string }

// inside is the place in the expression that the library adds to its message.
var inside = pattern.New(` \(\d+:\d+\)$`)

// Eval returns the expression's value. A capture whose step did not run is an
// error.
func (e *Expr) Eval(env Env) (any, error) {
	for _, u := range e.uses {
		if _, ok := env.Capture[u.name]; u.space == "capture" && !ok {
			return nil, fmt.Errorf("capture.%s has no value: the step that makes it did not get that far", u.name)
		}
	}
	if env.over() {
		return nil, fmt.Errorf("%s: %w", shorten(e.Text), errAllSteps)
	}
	machine, b := vm.VM{MemoryBudget: maxElements}, newBudget()
	v, err := machine.Run(e.program, env.values(b))
	env.spend(evaluation + e.size + maxSteps - b.steps)
	if err != nil {
		msg, _, _ := strings.Cut(err.Error(), "\n")
		if strings.HasPrefix(msg, "memory budget exceeded") {
			msg = errElements.Error()
		}
		return nil, fmt.Errorf("%s: %s", e.Text, inside.ReplaceAllString(msg, ""))
	}
	return v, nil
}

// Test evaluates an assertion. A value that is neither true nor false is an
// error.
func (e *Expr) Test(env Env) (bool, error) {
	v, err := e.Eval(env)
	if err != nil {
		return false, err
	}
	ok, isBool := v.(bool)
	if !isBool {
		return false, fmt.Errorf("%s is %s, neither true nor false", e.Text, show(v))
	}
	return ok, nil
}

// Explain lists what the names in the expression stand for, as "name = value"
// in JSON, sorted: a failed assertion says no more than that it is false.
func (e *Expr) Explain(env Env) []string {
	root := e.program.Node()
	found := make(map[string]bool)
	ast.Walk(&root, visitor(func(n ast.Node) {
		m, ok := n.(*ast.MemberNode)
		if !ok || rootOf(m) == "" {
			return
		}
		found[m.String()] = true
		delete(found, m.Node.String())
	}))
	var out []string
	for text := range found {
		if env.over() {
			break
		}
		if v, err := expr.Eval(text, env.values(newBudget())); err == nil {
			out = append(out, text+" = "+show(v))
			env.spend(evaluation + looks(v)) // to show it, the names of an object are put in order
		}
	}
	slices.Sort(out)
	return out
}

// visitor makes a function an ast.Visitor.
type visitor func(ast.Node)

func (v visitor) Visit(n *ast.Node) { v(*n) }

// rootOf returns the name that a chain of constant members starts from, or "".
func rootOf(m *ast.MemberNode) string {
	switch m.Property.(type) {
	case *ast.StringNode, *ast.IntegerNode:
	default:
		return ""
	}
	switch n := m.Node.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		return rootOf(n)
	}
	return ""
}
