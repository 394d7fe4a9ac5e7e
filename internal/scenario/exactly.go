package scenario

import (
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// exactly makes an expression keep every digit: it puts functions of ours in the
// place of the library's operators, which round large integers to doubles, and
// know no Decimal. Where both sides are known to be something else, the library
// checks their types as ever.
type exactly struct {
	source []rune
	// was holds what the type of a node was before it was replaced.
	was map[ast.Node]reflect.Type
	// wrong is what is wrong with a regular expression, and wrongAt is where it stands.
	wrong   error
	wrongAt int
	// captures are those of the steps so far, and early is the first other one that the
	// expression takes.
	captures map[string]Pos
	early    *ast.StringNode
}

func newExactly(text string, captures map[string]Pos) *exactly {
	return &exactly{source: []rune(text), was: make(map[ast.Node]reflect.Type), captures: captures}
}

// Reset and ShouldRepeat make the library run this after its other visitors, once,
// right before it checks the types: a check in between would keep it from
// looking into our calls.
func (x *exactly) Reset() {}

// ShouldRepeat is always false.
func (x *exactly) ShouldRepeat() bool { return false }

// class is what is known of a value before the expression runs.
type class int

const (
	other class = iota
	unknown
	whole
	number
	list
	object
)

// class tells what a node is known to be.
func (x *exactly) class(n ast.Node) class {
	if _, ok := n.(*ast.NilNode); ok {
		return other
	}
	switch x.typeOf(n).Kind() {
	case reflect.Interface:
		return unknown
	case reflect.Int:
		return whole
	case reflect.Float64:
		return number
	case reflect.Slice, reflect.Array:
		return list
	case reflect.Map:
		return object
	}
	return other
}

// Visit looks at one node, after those below it.
func (x *exactly) Visit(node *ast.Node) {
	if m, ok := (*node).(*ast.MemberNode); ok && x.early == nil {
		x.early = x.notMade(m)
	}
	x.exact(node)
	x.limit(node)
}

// notMade is the name of a capture that no step has made so far, nil for all else. The
// types have the captures of all steps: made anew for each step, they take long.
func (x *exactly) notMade(m *ast.MemberNode) *ast.StringNode {
	name, ok := m.Property.(*ast.StringNode)
	if space, is := m.Node.(*ast.IdentifierNode); !ok || !is || space.Value != "capture" {
		return nil
	}
	if _, made := x.captures[name.Value]; made {
		return nil
	}
	return name
}

func (x *exactly) exact(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.FloatNode:
		x.literal(node, n)
	case *ast.UnaryNode:
		_, written := n.Node.(*ast.ConstantNode)
		if n.Operator == "-" && (written || x.class(n.Node) == unknown) {
			x.call(node, "negated", n.Node)
		}
	case *ast.BinaryNode:
		name := x.operator(n)
		switch name {
		case "":
			return
		case "==", "!=":
			if many(x.class(n.Left)) && many(x.class(n.Right)) {
				x.looked(&n.Right)
			}
		case "in":
			x.looked(&n.Right)
		}
		x.call(node, name, n.Left, n.Right)
		if name == "+" {
			x.made(node)
		}
	case *ast.BuiltinNode:
		x.builtin(node, n)
	}
}

// literal keeps a number in an expression as it is written.
func (x *exactly) literal(node *ast.Node, n *ast.FloatNode) {
	at := n.Location()
	if at.From < 0 || at.To > len(x.source) || at.From >= at.To {
		return
	}
	text := strings.ReplaceAll(string(x.source[at.From:at.To]), "_", "")
	if !jsonNumber.MatchString(text) {
		text = "0" + strings.TrimSuffix(text, ".") // .5 and 5.
	}
	written, ok := numberOf(text).(Decimal)
	if !ok || !jsonNumber.MatchString(text) {
		return
	}
	x.replace(node, &ast.ConstantNode{Value: written})
}

// operator is the function of ours that takes the place of an operator, or "".
func (x *exactly) operator(n *ast.BinaryNode) string {
	l, r := x.class(n.Left), x.class(n.Right)
	numeric := func(c class) bool { return c == unknown || c == whole || c == number }
	op := n.Operator
	if op == "^" {
		op = "**"
	}
	switch op {
	case "==", "!=":
		known := l == whole && r == whole
		if alike := l == unknown || r == unknown || l == r || numeric(l) && numeric(r); !known && alike && l != other && r != other {
			return op
		}
	case "<", "<=", ">", ">=":
		if numeric(l) && numeric(r) && (l != whole || r != whole) {
			return op
		}
	case "in":
		if numeric(l) && (r == unknown || r == list && x.comparable(l, n.Right)) {
			return op
		}
	case "+", "-", "*", "/", "%", "**":
		switch {
		case !numeric(l) || !numeric(r):
		case l == unknown || r == unknown:
			return op
		case l == whole && r == whole && op != "/" && op != "**":
			return op + " whole"
		case op != "%":
			return op + " number"
		}
	}
	return ""
}

// comparable tells whether a list may hold a number of that class, other than
// integers alone, which the library compares as they are.
func (x *exactly) comparable(c class, n ast.Node) bool {
	written, ok := n.(*ast.ArrayNode)
	if !ok || c == unknown {
		return true
	}
	integers := c == whole
	for _, item := range written.Nodes {
		switch x.class(item) {
		case other, list, object:
			return false
		case unknown, number:
			integers = false
		}
	}
	return !integers
}

// builtin keeps the numbers of a function of the library.
func (x *exactly) builtin(node *ast.Node, n *ast.BuiltinNode) {
	if len(n.Arguments) == 0 {
		return
	}
	first := x.class(n.Arguments[0])
	switch n.Name {
	case "fromJSON":
		if len(n.Arguments) == 1 {
			x.call(node, n.Name, x.budget(n), n.Arguments[0])
		}
	case "string", "type":
		if len(n.Arguments) == 1 {
			x.call(node, n.Name, n.Arguments...)
		}
		if n.Name == "string" {
			x.made(node)
		}
	case "min", "max":
		for i := range n.Arguments {
			if many(first) {
				x.looked(&n.Arguments[i])
			}
		}
		if !slices.ContainsFunc(n.Arguments, func(a ast.Node) bool { return x.class(a) == other }) {
			x.call(node, n.Name, n.Arguments...)
		}
	case "sum":
		switch {
		case first != unknown && first != list:
		case len(n.Arguments) == 1:
			x.looked(&n.Arguments[0])
			x.call(node, n.Name, n.Arguments[0])
		default:
			each := &ast.BuiltinNode{Name: "map", Arguments: n.Arguments}
			each.SetLocation(n.Location())
			x.call(node, n.Name, each)
		}
	case "abs", "int":
		x.wrap("native", n.Arguments)
	case "sort": // by their values, and as they are written
		n.Name = "sortBy"
		n.Arguments = slices.Insert(n.Arguments, 1, ast.Node(&ast.PredicateNode{Node: &ast.PointerNode{}}))
		x.wrap("native", n.Arguments[1:])
	case "sortBy":
		x.wrap("native", n.Arguments[1:])
	case "float":
		if x.typeOf(n.Arguments[0]).Kind() == reflect.String {
			x.call(&n.Arguments[0], "double", n.Arguments[0])
			return
		}
		x.wrap("double", n.Arguments)
	case "ceil", "floor", "round", "mean", "median":
		x.wrap("double", n.Arguments)
	}
}

// wrap puts a call around each argument that may be a number, and around what a
// predicate makes. What can't be one the library refuses.
func (x *exactly) wrap(with string, args []ast.Node) {
	for i := range args {
		arg := &args[i]
		if p, ok := (*arg).(*ast.PredicateNode); ok {
			arg = &p.Node
		}
		if c := x.class(*arg); c == unknown || c == number || c == list {
			x.call(arg, with, *arg)
		}
	}
}

// call puts a call of a function of ours in the place of a node.
func (x *exactly) call(node *ast.Node, name string, args ...ast.Node) {
	callee := &ast.IdentifierNode{Value: ours + name}
	callee.SetLocation((*node).Location())
	x.replace(node, &ast.CallNode{Callee: callee, Arguments: args})
}

// replace puts another node in the place of one, of which the type is kept in
// mind.
func (x *exactly) replace(node *ast.Node, by ast.Node) {
	t := x.typeOf(*node)
	ast.Patch(node, by)
	x.was[by] = t
}

// typeOf is the type of a node, of a replaced one that of what it was.
func (x *exactly) typeOf(n ast.Node) reflect.Type {
	if t, ok := x.was[n]; ok {
		return t
	}
	return n.Type()
}
