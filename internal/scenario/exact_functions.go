package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// ours begins the names of our functions. No expression can write them.
const ours = "exactly "

// exactFunctions adds the functions that exactly calls.
func exactFunctions(c *conf.Config) { maps.Copy(c.Functions, ourFunctions()) }

var ourFunctions = sync.OnceValue(func() map[string]*builtin.Function {
	out := make(map[string]*builtin.Function)
	add := func(name string, typ any, f func(args ...any) (any, error)) {
		out[ours+name] = &builtin.Function{Name: name, Func: f, Types: []reflect.Type{reflect.TypeOf(typ).Elem()}}
	}
	test := new(func(any, any) bool)
	add("==", test, func(args ...any) (any, error) { return equal(args[0], args[1]), nil })
	add("!=", test, func(args ...any) (any, error) { return !equal(args[0], args[1]), nil })
	add("in", test, func(args ...any) (any, error) { return among(args[0], args[1]), nil })
	for _, op := range []string{"<", "<=", ">", ">="} {
		add(op, test, func(args ...any) (any, error) { return ordered(op, args[0], args[1]), nil })
	}
	for _, op := range []string{"+", "-", "*", "/", "%", "**"} {
		does := func(args ...any) (any, error) { return calculate(op, args[0], args[1]) }
		add(op, new(func(any, any) any), does)
		add(op+" whole", new(func(any, any) int), does)
		add(op+" number", new(func(any, any) float64), func(args ...any) (any, error) {
			v, err := does(args...)
			if err != nil {
				return nil, err
			}
			return double(v)
		})
	}
	one := new(func(any) any)
	add("negated", one, func(args ...any) (any, error) { return negated(args[0]) })
	add("native", one, func(args ...any) (any, error) { return native(args[0]) })
	add("double", one, func(args ...any) (any, error) { return double(args[0]) })
	add("sum", one, func(args ...any) (any, error) { return sum(args[0]) })
	many := new(func(...any) any)
	add("min", many, func(args ...any) (any, error) { return extreme("min", -1, args) })
	add("max", many, func(args ...any) (any, error) { return extreme("max", 1, args) })
	add("fromJSON", new(func(*budget, string) any), func(args ...any) (any, error) {
		text := args[1].(string)
		if err := beforeJSON(args[0].(*budget), text); err != nil {
			return nil, err
		}
		return decodeJSON([]byte(text))
	})
	add("string", new(func(any) string), func(args ...any) (any, error) { return written(args[0]), nil })
	add("type", new(func(any) string), func(args ...any) (any, error) {
		if d, ok := args[0].(Decimal); ok {
			if strings.ContainsAny(d.text, ".eE") {
				return "float", nil
			}
			return "int", nil
		}
		return builtin.Type(args[0]), nil
	})
	limited(out)
	return out
})

// written is what string(v) makes: a number as it is sent, anything else as the
// library writes it.
func written(v any) string {
	if _, ok := exactOf(v); ok {
		if text, err := inText(v); err == nil {
			return text
		}
	}
	return fmt.Sprint(v)
}
