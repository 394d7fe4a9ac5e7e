package scenario

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// exclusion finds the cases that an entry of exclude leaves out. It looks a value up and does
// not compare it with each entry: there may be 1,000 of these, and 100,000 cases.
type exclusion struct {
	axes    [][]entries // by axis, and by its value
	columns []excludedColumn
}

// entries are those of exclude that a value is no reason against, a bit each.
type entries []uint64

// excludedColumn is a column of the data that some entries name.
type excludedColumn struct {
	name   string
	values map[any]entries // by the key of the value
	others entries         // of all other values: those that don't name the column
	most   int             // how long a spelled key of values is
}

func newExclusion(m Matrix) *exclusion {
	x := &exclusion{axes: make([][]entries, len(m.Axes))}
	named := make(map[string]bool)
	for _, e := range m.Exclude {
		columns, _ := e[ofRow].(map[string]any)
		for name := range columns {
			named[name] = true
		}
	}
	for i, a := range m.Axes {
		byKey, others := valuesOf(m.Exclude, func(e map[string]any) (any, bool) { v, ok := e[a.Name]; return v, ok })
		for _, v := range a.Values {
			some, ok := byKey[keyOf(v, math.MaxInt)]
			if !ok {
				some = others
			}
			x.axes[i] = append(x.axes[i], some)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		c := excludedColumn{name: name}
		c.values, c.others = valuesOf(m.Exclude, func(e map[string]any) (any, bool) {
			columns, _ := e[ofRow].(map[string]any)
			v, ok := columns[name]
			return v, ok
		})
		for key := range c.values {
			if text, ok := key.(spelled); ok {
				c.most = max(c.most, len(text))
			}
		}
		x.columns = append(x.columns, c)
	}
	return x
}

// valuesOf are the entries that each value which they name is no reason against, and those
// that name none.
func valuesOf(all []map[string]any, named func(entry map[string]any) (v any, ok bool)) (values map[any]entries, others entries) {
	others, values = make(entries, (len(all)+63)/64), make(map[any]entries)
	keys := make([]any, len(all))
	for i, e := range all {
		v, ok := named(e)
		if !ok {
			others[i/64] |= 1 << (i % 64)
			continue
		}
		keys[i] = keyOf(v, math.MaxInt)
		values[keys[i]] = nil
	}
	for key := range values {
		values[key] = slices.Clone(others)
	}
	for i := range all {
		if some, ok := values[keys[i]]; ok && others[i/64]&(1<<(i%64)) == 0 {
			some[i/64] |= 1 << (i % 64)
		}
	}
	return values, others
}

// leavesOut tells of which cases of the matrix, by their places in it, an entry of exclude
// has all values. They must be asked for in their order: what a row says holds for all of
// its cases.
func (x *exclusion) leavesOut(m Matrix) func(place int, c Case) bool {
	all := make(entries, (len(m.Exclude)+63)/64)
	for i := range m.Exclude {
		all[i/64] |= 1 << (i % 64)
	}
	row, left, each := slices.Clone(all), slices.Clone(all), 1
	for _, a := range m.Axes {
		each *= len(a.Values)
	}
	return func(place int, c Case) bool {
		if place%each == 0 {
			copy(row, all)
			for i := range x.columns {
				row.and(x.columns[i].of(c.Row))
			}
		}
		copy(left, row)
		for i := len(x.axes) - 1; i >= 0; i-- {
			n := len(x.axes[i])
			left.and(x.axes[i][place%n])
			place /= n
		}
		return slices.ContainsFunc(left, func(some uint64) bool { return some != 0 })
	}
}

// of are the entries that a row is no reason against.
func (c *excludedColumn) of(row map[string]any) entries {
	if some, ok := c.values[keyOf(row[c.name], c.most)]; ok {
		return some
	}
	return c.others
}

// and leaves those that are in other too.
func (e entries) and(other entries) {
	for i := range e {
		e[i] &= other[i]
	}
}

// keyOf is the same for values that [equal] says are equal, of those that a file holds. What
// is spelled in more than most bytes is cut behind them.
func keyOf(v any, most int) any {
	switch v := v.(type) {
	case []any, map[string]any:
		var b strings.Builder
		spell(&b, v, most)
		return spelled(b.String())
	case string, bool, nil:
		return v
	case int:
		if -mostWhole < v && v < mostWhole {
			return v
		}
	}
	n, ok := exactOf(v)
	if !ok {
		return v // a Decimal of more digits than are compared by their value
	}
	if whole := n.point.Int64() - int64(len(n.digits)); n.point.IsInt64() && whole >= 0 && n.point.Int64() < int64(len(strconv.Itoa(mostWhole))) {
		i, _ := strconv.Atoi(n.digits + strings.Repeat("0", int(whole))) // which is a number, or nothing for 0
		return i * n.sign()
	}
	return spelledNumber{n.negative, n.digits, n.point.String()}
}

// mostWhole is above the whole numbers whose key is themselves.
const mostWhole = 1_000_000_000

// spelledNumber is an [exact] that can be looked up, and spelled what a list or an object
// holds.
type (
	spelledNumber struct {
		negative      bool
		digits, point string
	}
	spelled string
)

// spell writes a value so that equal ones, and no others, are the same text, until it has
// more than most bytes.
func spell(b *strings.Builder, v any, most int) {
	if b.Len() > most {
		return
	}
	switch v := v.(type) {
	case []any:
		b.WriteByte('[')
		for _, item := range v {
			if spell(b, item, most); b.Len() > most {
				return
			}
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(b, "%q:", name)
			if spell(b, v[name], most); b.Len() > most {
				return
			}
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		key := keyOf(v, most)
		fmt.Fprintf(b, "%T %#v", key, key)
	}
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
		case e.value == nil: // what is wrong with it was said
		case !slices.ContainsFunc(axis.Values, func(v any) bool { return equal(v, value) }):
			d.errorf(e.value.pos, "%s is no value of matrix.%s", show(value), e.key)
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
