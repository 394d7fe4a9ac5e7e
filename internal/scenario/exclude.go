package scenario

import (
	"math"
	"reflect"
	"slices"
)

// compared is how many steps it takes to compare all entries of exclude with one case.
func compared(entries []map[string]any) int {
	b := budget{0, math.MaxInt}
	for _, e := range entries {
		b.take(reflect.ValueOf(e), false)
	}
	return math.MaxInt - b.steps
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
		case e.key == ofRow && m.Data != nil:
			d.excludedRows(m.Data, e.value)
		case axis == nil:
			d.suggest(e.pos, d.nearest(e.key, axes), "undefined matrix axis %q", e.key)
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

// excludedRows checks the columns that an entry of exclude names.
func (d *decoder) excludedRows(data *Data, n *node) {
	if !d.is(n, Map, "row") {
		return
	}
	for _, e := range n.entries {
		if data.Columns != nil && !slices.Contains(data.Columns, e.key) {
			d.suggest(e.pos, d.nearest(e.key, data.Columns), "undefined column %q", e.key)
		}
	}
	if len(n.entries) == 0 {
		d.errorf(n.pos, "an empty row would leave out every case")
	}
}
