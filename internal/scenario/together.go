package scenario

import (
	"fmt"
	"math"
	"reflect"
)

// This file is what several expressions, or several texts, may take together: thousands of
// those that each keep within budget.go fit into one file.

// maxCaseSteps is how many steps the expressions of one case may take when it runs: as many as
// ten of them that take all that one may.
const maxCaseSteps = 10 * maxSteps

var (
	errAllSteps = fmt.Errorf("what was looked at so far took more than %d steps, the most that one case may take: let its expressions do less, or make two scenarios", maxCaseSteps)
	errTogether = fmt.Errorf("more than %d MB together, the most that one step may send or start", maxRendered>>20)
)

// spend takes steps off those that several evaluations may take together.
func (e Env) spend(steps int) {
	if e.left != nil {
		*e.left -= steps
	}
}

// over tells that none are left.
func (e Env) over() bool { return e.left != nil && *e.left < 0 }

// looks is how many steps it takes to look at a value.
func looks(v any) int {
	b := budget{0, math.MaxInt}
	b.take(reflect.ValueOf(v), false)
	return math.MaxInt - b.steps
}

// handled is how many steps it takes to write a body out, to price it and to keep it.
func handled(body any) int { return perByte * looks(body) }

// room is how many bytes the texts of one step may still have.
type room int

// take takes a text of n bytes.
func (r *room) take(n int) error {
	if *r -= room(n); *r < 0 {
		return errTogether
	}
	return nil
}

// json takes what a value has when it is written as JSON, which makes six characters of some
// that a text may have millions of.
func (r *room) json(v any) error {
	switch v := v.(type) {
	case string:
		return r.quoted(v)
	case Decimal:
		return r.take(len(v.text))
	case []any:
		for _, item := range v {
			if err := r.json(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, item := range v {
			if err := r.quoted(name); err != nil {
				return err
			}
			if err := r.json(item); err != nil {
				return err
			}
		}
	}
	return r.take(1)
}

// quoted takes a text in quotes.
func (r *room) quoted(text string) error {
	n := len(text) + len(`"",`)
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c == '<', c == '>', c == '&':
			n += len(`\u003c`) - 1
		case c == '"', c == '\\':
			n++
		}
	}
	return r.take(n)
}
