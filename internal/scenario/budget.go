package scenario

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm/runtime"
)

// What one expression may be and do at most. All are far beyond what a test asks
// for, and each is told with its number.
const (
	maxExpression = 8 << 10     // bytes of its text
	maxNodes      = 2000        // names, values, operators and calls in it
	maxMade       = 32 << 20    // bytes of the values that it makes
	maxElements   = 200_000     // elements of the lists that the library makes for it
	maxSteps      = 10_000_000  // each is a look at a value, or at 16 bytes of a text
	maxAllSteps   = 500_000_000 // of a where for all rows, and so of all cases when they are priced
	evaluation    = 100         // steps that each costs by itself
	perByte       = 8           // steps of a byte that is written out, and kept
	maxPattern    = 1000        // bytes of a regular expression
	maxStates     = 10_000      // of a compiled one
	maxRendered   = 32 << 20    // bytes of what the templates of one text or one value make
	maxCaptured   = 16 << 20    // bytes of what the steps of a case capture
)

var (
	errMade     = fmt.Errorf("makes more than %d MB of values, the most that one expression may make", maxMade>>20)
	errElements = fmt.Errorf("makes lists of more than %d elements in all, the most that one expression may make", maxElements)
	errSteps    = fmt.Errorf("takes more than %d steps, the most that one expression may take", maxSteps)
	errRendered = fmt.Errorf("its templates make more than %d MB, the most that one text or value may hold", maxRendered>>20)
)

// budget is what is left for one evaluation. It is passed to the functions of ours
// by the name budgetName, which no expression can write.
type budget struct{ bytes, steps int }

// budgetName is its name in the environment of an expression.
const budgetName = ours + "budget"

func newBudget() *budget { return &budget{maxMade, maxSteps} }

// make takes what a value holds, and the steps to look at it.
func (b *budget) make(v any) error {
	b.take(reflect.ValueOf(v), true)
	return b.err()
}

// look takes the steps to look at a value so many times.
func (b *budget) look(v any, times int) error {
	before := b.steps
	b.take(reflect.ValueOf(v), false)
	return b.step((before - b.steps) * (times - 1))
}

func (b *budget) step(n int) error {
	b.steps -= n
	return b.err()
}

// text takes a text of n bytes before it is made; n may be more than an int holds.
func (b *budget) text(n float64) error {
	if n > maxMade {
		return errMade
	}
	b.bytes -= int(n)
	b.steps -= int(n) / 16
	return b.err()
}

func (b *budget) err() error {
	switch {
	case b.bytes < 0:
		return errMade
	case b.steps < 0:
		return errSteps
	}
	return nil
}

// take goes through a value until nothing is left.
func (b *budget) take(v reflect.Value, made bool) {
	size := 16
	b.steps--
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		size += v.Len()
		b.steps -= v.Len() / 16
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Interface, reflect.Slice, reflect.Map, reflect.String:
			for i := 0; i < v.Len() && b.err() == nil; i++ {
				b.take(v.Index(i), made)
			}
		default:
			size += 8 * v.Len()
			b.steps -= v.Len()
		}
	case reflect.Map:
		for all := v.MapRange(); b.err() == nil && all.Next(); {
			b.take(all.Key(), made)
			b.take(all.Value(), made)
			size += 32
		}
	case reflect.Struct:
		if d, ok := v.Interface().(Decimal); ok {
			size += len(d.text)
		}
	}
	if made {
		b.bytes -= size
	}
}

// sizeOf is about how many bytes a value holds, or one more than most.
func sizeOf(v any, most int) int {
	b := budget{most, math.MaxInt}
	b.take(reflect.ValueOf(v), true)
	return min(most-b.bytes, most+1)
}

// depth is how deep lists nest in a value. It must have been looked at.
func depth(v reflect.Value) int {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	deep := 0
	if isList(v) {
		for i := range v.Len() {
			deep = max(deep, depth(v.Index(i)))
		}
	}
	return deep + 1
}

// library calls a function of the library with what it takes beforehand.
func library(name string, before func(b *budget, args []any) error) func(args ...any) (any, error) {
	f := builtin.Builtins[builtin.Index[name]]
	return func(args ...any) (any, error) {
		b := args[0].(*budget)
		args = args[1:]
		if err := before(b, args); err != nil {
			return nil, err
		}
		switch {
		case f.Safe != nil:
			v, _, err := f.Safe(args...)
			return v, err
		case f.Fast != nil:
			return f.Fast(args[0]), nil
		}
		return f.Func(args...)
	}
}

// textOf is a text, or no text where the library says what is wrong.
func textOf(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(string)
	return s
}

func beforeRepeat(b *budget, args []any) error {
	return b.text(float64(len(textOf(args, 0))) * math.Abs(runtime.ToFloat64(args[1])))
}

func beforeSplit(b *budget, args []any) error {
	text := textOf(args, 0)
	return b.text(float64(16*strings.Count(text, textOf(args, 1)) + len(text)))
}

func beforeReplace(b *budget, args []any) error {
	text, with := textOf(args, 0), textOf(args, 2)
	return b.text(float64(strings.Count(text, textOf(args, 1)))*float64(len(with)) + float64(len(text)))
}

func beforeJoin(b *budget, args []any) error {
	if err := b.make(args[0]); err != nil {
		return err
	}
	n, _ := length(args[0])
	if list, ok := args[0].([]string); ok {
		n = len(list)
	}
	return b.text(float64(n) * float64(len(textOf(args, 1))))
}

func beforeUniq(b *budget, args []any) error {
	n := 0
	if v := reflect.ValueOf(args[0]); isList(v) {
		n = v.Len()
	}
	return b.look(args[0], n+1)
}

func beforeFlatten(b *budget, args []any) error {
	if err := b.look(args[0], 1); err != nil {
		return err
	}
	return b.look(args[0], depth(reflect.ValueOf(args[0])))
}

// beforeJSON takes what a text of JSON becomes: its values are a few times as large.
func beforeJSON(b *budget, text string) error { return b.text(8 * float64(len(text))) }

// numbers makes the list from..to.
func numbers(args ...any) (any, error) {
	from, to := runtime.ToInt(args[1]), runtime.ToInt(args[2])
	if to >= from && float64(to)-float64(from) >= maxElements {
		return nil, errElements
	}
	out := runtime.MakeRange(from, to)
	return out, args[0].(*budget).make(out)
}

// matches tells whether a text is like a regular expression.
func matches(args ...any) (any, error) {
	if runtime.IsNil(args[1]) || runtime.IsNil(args[2]) {
		return false, nil
	}
	b := args[0].(*budget)
	text, ok := args[1].(string)
	if raw, is := args[1].([]byte); is {
		text, ok = string(raw), true
	}
	if !ok {
		return nil, fmt.Errorf("matches takes a text, not %s", show(args[1]))
	}
	p, ok := args[2].(*boundedRegexp)
	if !ok {
		expression, isText := args[2].(string)
		if !isText {
			return nil, fmt.Errorf("matches takes a regular expression, not %s", show(args[2]))
		}
		var err error
		if p, err = compileRegexp(expression); err != nil {
			return nil, err
		}
		b.steps -= 500 * p.states
	}
	if err := b.step(p.steps(text)); err != nil {
		return nil, err
	}
	return p.MatchString(text), nil
}

// boundedRegexp is a regular expression of a size that is bounded, and known.
type boundedRegexp struct {
	*regexp.Regexp
	states int
}

// steps are those of a search through a text.
func (p *boundedRegexp) steps(text string) int { return len(text) / 4 * p.states / 4 }

// compileRegexp compiles a regular expression that is not too large: the time that
// it takes is that of the text times that of its states.
func compileRegexp(text string) (*boundedRegexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the regular expression has %d bytes, and may have %d", len(text), maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if n := len(program.Inst); n > maxStates {
		return nil, fmt.Errorf("the regular expression has %d states, and may have %d: its repetitions are multiplied", n, maxStates)
	}
	re, err := regexp.Compile(text)
	return &boundedRegexp{re, len(program.Inst)}, err
}
