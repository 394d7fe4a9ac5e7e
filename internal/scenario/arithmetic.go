package scenario

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"

	"github.com/expr-lang/expr/vm/runtime"
)

// This file is what expressions calculate with: ints and doubles, as everywhere,
// but a number that they would round is an error and no other number.

// errLost says that a calculation would not keep every digit.
var errLost = errors.New("has more digits than an expression calculates with: compare it, or send it as it is")

// native returns a number as an int or a float64 of the same value. Anything
// else it returns as it is; lists are taken apart.
func native(v any) (any, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case float64:
		return double(v)
	case []any:
		return mapList(v, native)
	}
	if i, ok := intOf(v); ok {
		return i, nil
	}
	if _, ok := exactOf(v); !ok {
		return v, nil
	}
	return double(v)
}

// double returns a number as a float64 of the same value. Anything else it
// returns as it is; lists are taken apart, and a text that is a number must be
// one that a double keeps.
func double(v any) (any, error) {
	switch v := v.(type) {
	case int:
		if n := int64(v); -maxWhole <= n && n <= maxWhole {
			return float64(v), nil
		}
	case float64:
		return v + 0, nil // -0 is 0
	case []any:
		return mapList(v, double)
	}
	text, isText := v.(string)
	var want exact
	var ok bool
	if isText {
		want, ok = exactText(text)
	} else {
		want, ok = exactOf(v)
	}
	if !ok {
		return v, nil
	}
	f, is := floatOf(want)
	switch {
	case !is:
		return nil, fmt.Errorf("%v %w", v, errLost)
	case isText:
		return v, nil
	}
	return f, nil
}

func mapList(list []any, f func(any) (any, error)) (any, error) {
	out := make([]any, len(list))
	for i, item := range list {
		var err error
		if out[i], err = f(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// floatOf is the double that stands for e; false where there is none.
func floatOf(e exact) (float64, bool) {
	if e.digits == "" {
		return 0, true
	}
	if !e.point.IsInt64() || e.point.Int64() > 400 || e.point.Int64() < -400 {
		return 0, false
	}
	f, err := strconv.ParseFloat(e.String(), 64)
	if err != nil {
		return 0, false
	}
	back, ok := exactOf(f)
	return f, ok && back.compare(e) == 0
}

// String writes e as JSON does.
func (e exact) String() string {
	sign := ""
	if e.negative {
		sign = "-"
	}
	if e.digits == "" {
		return "0"
	}
	return sign + "0." + e.digits + "e" + e.point.String()
}

// intOf is a whole number as an int; false for any other, and for one that no
// int holds.
func intOf(v any) (int, bool) {
	if i, ok := v.(int); ok {
		return i, true
	}
	if _, ok := v.(float64); ok {
		return 0, false // 5.0 calculated stays a double, as in expr
	}
	e, ok := exactOf(v)
	if !ok {
		return 0, false
	}
	if e.digits == "" {
		return 0, true
	}
	if !e.point.IsInt64() || e.point.Int64() > 20 || e.point.Int64() < int64(len(e.digits)) {
		return 0, false
	}
	n := new(big.Int)
	n.SetString(e.digits, 10)
	n.Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(e.point.Int64()-int64(len(e.digits))), nil))
	if e.negative {
		n.Neg(n)
	}
	return int(n.Int64()), n.IsInt64()
}

// calculate applies + - * / % ** to two numbers, and leaves anything else to the
// library, which knows texts, dates and durations.
func calculate(op string, a, b any) (any, error) {
	if !isNumber(a) || !isNumber(b) {
		return libraryOperators[op](a, b), nil
	}
	x, errX := native(a)
	y, errY := native(b)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	i, okI := x.(int)
	j, okJ := y.(int)
	if okI && okJ && op != "/" {
		return wholeNumbers(op, i, j)
	}
	if op == "%" {
		return libraryOperators[op](x, y), nil // it refuses doubles
	}
	f, errX := double(x)
	g, errY := double(y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	return libraryOperators[op](f, g), nil
}

// isNumber tells whether v can be calculated with.
func isNumber(v any) bool {
	switch v := v.(type) {
	case int:
		return true
	case float64:
		return finite(v)
	}
	_, ok := exactOf(v)
	return ok
}

// maxWhole is the number up to which a double has every whole one.
const maxWhole = 1 << 53

// wholeNumbers calculates with ints, without an overflow.
func wholeNumbers(op string, i, j int) (any, error) {
	if most := 1<<30 - 1; op != "**" && op != "%" && -most <= min(i, j) && max(i, j) <= most {
		var n int64
		switch x, y := int64(i), int64(j); op {
		case "+":
			n = x + y
		case "-":
			n = x - y
		case "*":
			n = x * y
		}
		if int64(int(n)) == n {
			return int(n), nil
		}
	}
	x, y, n := big.NewInt(int64(i)), big.NewInt(int64(j)), new(big.Int)
	switch op {
	case "+":
		n.Add(x, y)
	case "-":
		n.Sub(x, y)
	case "*":
		n.Mul(x, y)
	case "**":
		// A double, as the library has it, as long as it has every digit.
		f := math.Pow(float64(i), float64(j))
		if int(float64(i)) != i || math.Abs(f) > maxWhole {
			return nil, fmt.Errorf("%d ** %d %w", i, j, errLost)
		}
		return f, nil
	case "%":
		if j == 0 {
			return nil, errors.New("integer divide by zero")
		}
		n.Rem(x, y)
	}
	if !n.IsInt64() || int64(int(n.Int64())) != n.Int64() {
		return nil, fmt.Errorf("%d %s %d %w", i, op, j, errLost)
	}
	return int(n.Int64()), nil
}

// libraryOperators are the operators as the library has them.
var libraryOperators = map[string]func(a, b any) any{
	"+":  runtime.Add,
	"-":  runtime.Subtract,
	"*":  runtime.Multiply,
	"/":  func(a, b any) any { return runtime.Divide(a, b) },
	"%":  func(a, b any) any { return runtime.Modulo(a, b) },
	"**": func(a, b any) any { return runtime.Exponent(a, b) },
	"<":  func(a, b any) any { return runtime.Less(a, b) },
	"<=": func(a, b any) any { return runtime.LessOrEqual(a, b) },
	">":  func(a, b any) any { return runtime.More(a, b) },
	">=": func(a, b any) any { return runtime.MoreOrEqual(a, b) },
}

// ordered applies < <= > >=: to numbers by their exact values, else as the
// library does.
func ordered(op string, a, b any) any {
	if order, ok := compareNumbers(a, b); ok {
		return holds(order, op)
	}
	return libraryOperators[op](a, b)
}

// negated is -v.
func negated(v any) (any, error) {
	x, err := native(v)
	if err != nil {
		return nil, err
	}
	if i, ok := x.(int); ok {
		return wholeNumbers("-", 0, i)
	}
	return runtime.Negate(x), nil
}

// among tells whether v is an element of a list, numbers by their exact values;
// of anything else it asks the library.
func among(v, list any) bool {
	l := reflect.ValueOf(list)
	if !isList(l) {
		return runtime.In(v, list)
	}
	for i := range l.Len() {
		if equal(l.Index(i).Interface(), v) {
			return true
		}
	}
	return false
}

// sum adds the elements of a list.
func sum(list any) (any, error) {
	l := reflect.ValueOf(list)
	if !isList(l) {
		return nil, fmt.Errorf("sum takes a list, not %s", show(list))
	}
	var out any = 0
	for i := range l.Len() {
		var err error
		if out, err = calculate("+", out, l.Index(i).Interface()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// extreme is the least (sign -1) or the greatest (sign 1) of numbers and lists
// of them, as it is written.
func extreme(name string, sign int, args []any) (any, error) {
	var best any
	for _, arg := range args {
		if l := reflect.ValueOf(arg); isList(l) {
			items := make([]any, l.Len())
			for i := range items {
				items[i] = l.Index(i).Interface()
			}
			var err error
			if arg, err = extreme(name, sign, items); err != nil {
				return nil, err
			}
			if arg == nil {
				continue // an empty list
			}
		}
		if _, ok := exactOf(arg); !ok {
			return nil, fmt.Errorf("invalid argument for %s: %s", name, show(arg))
		}
		if best == nil {
			best = arg
		} else if order, _ := compareNumbers(arg, best); order*sign > 0 {
			best = arg
		}
	}
	return best, nil
}
