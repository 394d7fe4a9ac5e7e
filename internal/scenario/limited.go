package scenario

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// This file puts an expression under the limits of budget.go: around what makes
// values, and into what is done again and again. Values may hold the same value many
// times, so what is counted is what they would be when they are written out.

// before are the functions of the library that are called with the budget, each with
// what it takes.
var before = map[string]func(b *budget, args []any) error{
	"repeat":     beforeRepeat,
	"split":      beforeSplit,
	"splitAfter": beforeSplit,
	"replace":    beforeReplace,
	"join":       beforeJoin,
	"uniq":       beforeUniq,
	"flatten":    beforeFlatten,
}

// makers are those whose values grow with their arguments.
var makers = set("upper", "lower", "toJSON", "toBase64", "fromBase64", "keys", "values", "toPairs", "fromPairs", "reverse", "concat", "sort", "sortBy", "take")

// lookers go through all of their first argument, and make nothing of its size.
var lookers = set("trim", "trimPrefix", "trimSuffix", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "max", "min", "mean", "median")

func set(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}

// limit looks at a node after exactly has.
func (x *exactly) limit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		x.repeated(&n.Node)
	case *ast.ArrayNode:
		for i := range n.Nodes {
			x.part(&n.Nodes[i])
		}
	case *ast.PairNode:
		x.part(&n.Value)
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			x.made(node)
		case "..":
			if l, r := x.class(n.Left), x.class(n.Right); (l == whole || l == unknown) && (r == whole || r == unknown) {
				x.call(node, "..", x.budget(n), n.Left, n.Right)
			}
		case "contains":
			x.looked(&n.Left)
		case "matches":
			x.matches(node, n)
		case "==", "!=", "in":
			if l, r := x.class(n.Left), x.class(n.Right); many(l) && many(r) || n.Operator == "in" {
				x.looked(&n.Right)
			}
		}
	case *ast.BuiltinNode:
		switch {
		case before[n.Name] != nil:
			args := append([]ast.Node{x.budget(n)}, n.Arguments...)
			x.call(node, n.Name, args...)
			x.made(node)
		case makers[n.Name]:
			x.made(node)
		case lookers[n.Name] && len(n.Arguments) > 0:
			x.looked(&n.Arguments[0])
		}
	}
}

// many are the classes of values that can be large.
func many(c class) bool { return c == unknown || c == list || c == object }

// budget is the name of the budget, at the place of a node.
func (x *exactly) budget(at ast.Node) ast.Node {
	id := &ast.IdentifierNode{Value: budgetName}
	id.SetLocation(at.Location())
	return id
}

// made takes what a node makes.
func (x *exactly) made(node *ast.Node) {
	x.call(node, "made", x.budget(*node), *node)
}

// looked takes the steps of something that goes through all that a node is.
func (x *exactly) looked(node *ast.Node) {
	switch (*node).(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode, *ast.ConstantNode, *ast.ArrayNode, *ast.MapNode: // as large as they are written
		return
	}
	x.call(node, "looked", x.budget(*node), *node)
}

// part takes what an element of a list or of an object would hold.
func (x *exactly) part(node *ast.Node) {
	if many(x.class(*node)) {
		x.made(node)
	}
}

// repeated takes the steps of what is done for each element of a list, and what that
// makes.
func (x *exactly) repeated(node *ast.Node) {
	n := &ast.IntegerNode{Value: size(*node)}
	n.SetLocation((*node).Location())
	x.call(node, "repeated", x.budget(*node), n, *node)
}

// matches compiles a regular expression that is written, once.
func (x *exactly) matches(node *ast.Node, n *ast.BinaryNode) {
	right := n.Right
	if s, ok := right.(*ast.StringNode); ok {
		re, err := compileRegexp(s.Value)
		if err != nil {
			if x.wrong == nil {
				x.wrong, x.wrongAt = err, n.Right.Location().From
			}
			return
		}
		right = &ast.ConstantNode{Value: re}
		right.SetLocation(n.Right.Location())
	}
	x.call(node, "matches", x.budget(n), n.Left, right)
}

// size counts the nodes of an expression.
func size(n ast.Node) int {
	count := 0
	ast.Walk(&n, visitor(func(ast.Node) { count++ }))
	return count
}

// limited adds the functions that limit puts into expressions.
func limited(out map[string]*builtin.Function) {
	// kept are those that give back their last argument, of its type.
	kept := func(name string, does func(b *budget, args []any) error) {
		out[ours+name] = &builtin.Function{
			Name: name,
			Func: func(args ...any) (any, error) {
				last := len(args) - 1
				return args[last], does(args[0].(*budget), args[1:])
			},
			Validate: func(args []reflect.Type) (reflect.Type, error) { return args[len(args)-1], nil },
		}
	}
	kept("made", func(b *budget, args []any) error { return b.make(args[0]) })
	kept("looked", func(b *budget, args []any) error {
		if _, ok := args[0].(string); ok {
			return b.look(args[0], 1)
		}
		return b.look(args[0], 16) // its elements are compared, or calculated with, by all their digits
	})
	kept("repeated", func(b *budget, args []any) error {
		if err := b.step(10 + args[0].(int)); err != nil { // a call takes as long as ten looks
			return err
		}
		if _, ok := args[1].(bool); ok {
			return nil
		}
		return b.make(args[1])
	})
	add := func(name string, f func(args ...any) (any, error), types ...reflect.Type) {
		out[ours+name] = &builtin.Function{Name: name, Func: f, Types: types}
	}
	add("..", numbers, reflect.TypeFor[func(*budget, any, any) []int]())
	add("matches", matches, reflect.TypeFor[func(*budget, any, any) bool]())
	for name, takes := range before {
		f := builtin.Builtins[builtin.Index[name]]
		add(name, library(name, takes), withBudget(f)...)
		if f.Validate != nil {
			out[ours+name].Validate = func(args []reflect.Type) (reflect.Type, error) { return f.Validate(args[1:]) }
		}
	}
}

// withBudget are the types of a function that takes a budget before all else.
func withBudget(f *builtin.Function) []reflect.Type {
	var out []reflect.Type
	for _, t := range f.Types {
		in := []reflect.Type{reflect.TypeFor[*budget]()}
		for i := range t.NumIn() {
			in = append(in, t.In(i))
		}
		var results []reflect.Type
		for i := range t.NumOut() {
			results = append(results, t.Out(i))
		}
		out = append(out, reflect.FuncOf(in, results, t.IsVariadic()))
	}
	return out
}
