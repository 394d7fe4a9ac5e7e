package scenario

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/nearest"
)

// maxCases is how many combinations a matrix may have, excluded ones counted.
const maxCases = 10_000

// Case is one combination of a matrix.
type Case struct {
	// Name is "country=US, kind=shoe"; empty for a file without matrix.
	Name string
	// Values is what matrix.NAME stands for.
	Values map[string]any
}

// Cases lists what the matrix makes, in the order of the file, the last axis
// turning fastest. A file without matrix has one case.
func (s *Scenario) Cases() []Case { return s.Matrix.cases() }

func (m Matrix) cases() []Case {
	cases := []Case{{Values: map[string]any{}}}
	for _, a := range m.Axes {
		var next []Case
		for _, c := range cases {
			for i, v := range a.Values {
				values := map[string]any{a.Name: v}
				for k, old := range c.Values {
					values[k] = old
				}
				next = append(next, Case{Name: join(c.Name, a.Name+"="+caption(v, i)), Values: values})
			}
		}
		cases = next
	}
	return slices.DeleteFunc(cases, func(c Case) bool { return slices.ContainsFunc(m.Exclude, c.has) })
}

// size is the number of combinations, those excluded counted, or one more than
// maxCases.
func (m Matrix) size() int {
	n := 1
	for _, a := range m.Axes {
		if n = n * len(a.Values); n > maxCases {
			return maxCases + 1
		}
	}
	return n
}

// has tells whether c has all values of a combination.
func (c Case) has(combination map[string]any) bool {
	for k, v := range combination {
		if !equal(c.Values[k], v) {
			return false
		}
	}
	return true
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// caption is a value in a case's name: a scalar as it is, an object by its
// name member, anything else by its place, from 1.
func caption(v any, i int) string {
	switch v := v.(type) {
	case []any:
	case map[string]any:
		if name, ok := v["name"].(string); ok {
			return name
		}
	case string:
		// 5 and "5" are two cases, and so need two names.
		if v == "" || strings.ContainsAny(v, ",=#") || json.Valid([]byte(v)) {
			return strconv.Quote(v)
		}
		return v
	default:
		return show(v)
	}
	return "#" + strconv.Itoa(i+1)
}

// matrix reads the axes and what is excluded.
func (d *decoder) matrix(n *node) Matrix {
	var m Matrix
	var exclude *node
	for _, e := range d.names(n, "matrix") {
		if e.key == "exclude" {
			exclude = e.value
			continue
		}
		a := Axis{Name: e.key, Pos: e.pos}
		seen := make(map[string]bool)
		for i, item := range d.list(e.value, "matrix."+e.key) {
			v := d.constant(item, "a matrix")
			if c := caption(v, i); seen[c] {
				d.errorf(item.pos, "matrix.%s has two values called %s: their cases could not be told apart", e.key, c)
			} else {
				seen[c] = true
			}
			a.Values = append(a.Values, v)
		}
		if e.value != nil && e.value.kind == List && len(a.Values) == 0 {
			d.errorf(e.value.pos, "matrix.%s must have at least one value", e.key)
		}
		m.Axes = append(m.Axes, a)
	}
	if n := m.size(); n > maxCases {
		d.errorf(m.Axes[0].Pos, "the matrix has more than %d cases", maxCases)
		return Matrix{}
	}
	if exclude == nil {
		return m
	}
	for _, item := range d.list(exclude, "matrix.exclude") {
		if d.is(item, Map, "an entry of matrix.exclude") {
			d.exclude(&m, item)
		}
	}
	if len(m.Axes) > 0 && len(m.cases()) == 0 {
		d.errorf(exclude.pos, "matrix.exclude leaves no case")
	}
	return m
}

// exclude reads one combination that is left out.
func (d *decoder) exclude(m *Matrix, n *node) {
	combination := make(map[string]any)
	for _, e := range n.entries {
		var axes []string
		var axis *Axis
		for i, a := range m.Axes {
			axes = append(axes, a.Name)
			if a.Name == e.key {
				axis = &m.Axes[i]
			}
		}
		value := d.constant(e.value, "a matrix")
		switch {
		case axis == nil:
			d.suggest(e.pos, nearest.Word(e.key, axes), "undefined matrix axis %q", e.key)
		case !slices.ContainsFunc(axis.Values, func(v any) bool { return equal(v, value) }):
			d.errorf(e.value.at(), "%s is no value of matrix.%s", show(value), e.key)
		}
		combination[e.key] = value
	}
	if len(combination) == 0 {
		d.errorf(n.pos, "an empty entry of matrix.exclude would leave out every case")
		return
	}
	m.Exclude = append(m.Exclude, combination)
}

// at is n's place; n may be nil when it was reported before.
func (n *node) at() Pos {
	if n == nil {
		return Pos{1, 1}
	}
	return n.pos
}
