package scenario

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// What a matrix may have: combinations, excluded ones counted; axes, and entries of
// exclude; values of all axes in all cases, each of which has them by their names, and in its
// own; and characters of a value in a case's name.
const (
	maxCases    = 10_000
	maxTimes    = 500_000
	maxAxes     = 20
	maxExcludes = 1000
	maxCaption  = 100
)

// Case is one combination of a matrix.
type Case struct {
	// Name is "country=US, kind=shoe", of a row of data "titles.csv:17, country=US";
	// empty for a file without matrix.
	Name string
	// Values is what matrix.NAME stands for, and Row what row.NAME does: nil without data.
	Values map[string]any
	Row    map[string]any
	// Place is where the row stands, as FILE:LINE; empty without data.
	Place string

	pos Pos // of the row
}

// dataKeys are the keys of a matrix that are about a file of data, not axes.
var dataKeys = []string{"from", "where", "sample", "limit"}

// ofRow is the key of an entry of exclude that names columns of the data.
const ofRow = "row"

// Cases lists what the matrix makes, in the order of the file, the last axis
// turning fastest. A file without matrix has one case.
func (s *Scenario) Cases() []Case {
	if s.Partial != "" {
		return s.part
	}
	return s.Matrix.cases()
}

// Part returns s with those of its cases alone that keep takes; by says what chose them.
// It is s itself where keep takes all. What is said of all cases together, such as
// quota.expected, is not asked of a part.
func (s *Scenario) Part(by string, keep func(Case) bool) *Scenario {
	all := s.Cases()
	var kept []Case
	for _, c := range all {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	if len(kept) == len(all) {
		return s
	}
	out := *s
	out.part = kept
	if s.Partial == "" {
		out.whole = len(all)
	}
	if out.Partial = by; s.Partial != "" {
		out.Partial = s.Partial + ", " + by
	}
	return &out
}

func (m Matrix) cases() []Case {
	none := map[string]any{}
	cases := []Case{{Values: none}}
	if m.Data != nil {
		cases = make([]Case, len(m.Data.Rows))
		for i, r := range m.Data.Rows {
			cases[i] = Case{Name: r.Name, Values: none, Row: r.Values, Place: r.Place, pos: r.Pos}
		}
	}
	for _, a := range m.Axes {
		var next []Case
		for _, c := range cases {
			for i, v := range a.Values {
				values := map[string]any{a.Name: v}
				for k, old := range c.Values {
					values[k] = old
				}
				next = append(next, Case{Name: join(c.Name, a.Name+"="+caption(v, i)), Values: values, Row: c.Row, Place: c.Place, pos: c.pos})
			}
		}
		cases = next
	}
	if len(m.Exclude) == 0 {
		return cases
	}
	leavesOut, kept := newExclusion(m).leavesOut(m), cases[:0]
	for i, c := range cases {
		if !leavesOut(i, c) {
			kept = append(kept, c)
		}
	}
	clear(cases[len(kept):])
	return kept
}

// size is the number of combinations, those excluded counted, or one more than most.
func (m Matrix) size(most int) int {
	n := 1
	if m.Data != nil {
		n = len(m.Data.Rows)
	}
	for _, a := range m.Axes {
		if n = n * len(a.Values); n > most {
			return most + 1
		}
	}
	return n
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
			return short(name, i)
		}
	case string:
		if len(v) > maxCaption {
			return short(v, i)
		}
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

// short is a text that is not too long for a case's name.
func short(text string, i int) string {
	if r := []rune(text); len(r) > maxCaption {
		return string(r[:maxCaption-20]) + "…#" + strconv.Itoa(i+1)
	}
	return text
}

// matrix reads the axes and what is excluded.
func (d *decoder) matrix(n *node) Matrix {
	var m Matrix
	var exclude *node
	entries := d.names(n, "matrix")
	aboutData := make(map[string]entry)
	for _, e := range entries {
		if slices.Contains(dataKeys, e.key) {
			aboutData[e.key] = e
		}
	}
	m.Data = d.data(aboutData)
	for _, e := range entries {
		switch _, taken := aboutData[e.key]; {
		case taken:
			continue
		case e.key == "exclude":
			exclude = e.value
			continue
		case e.key == ofRow:
			d.errorf(e.pos, "an axis can't be called row: that is a row of matrix.from")
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
	if len(m.Axes) > maxAxes {
		d.errorf(m.Axes[maxAxes].Pos, "the matrix has %d axes, and may have %d", len(m.Axes), maxAxes)
		return Matrix{Data: m.Data}
	}
	most := maxCases
	if m.Data != nil {
		most = maxDataCases
	}
	if n := m.size(most); n > most {
		d.errorf(m.Axes[0].Pos, "the matrix has more than %d cases", most)
		return Matrix{Data: m.Data}
	}
	if n := m.size(most); n*len(m.Axes) > maxTimes {
		d.errorf(m.Axes[0].Pos, "the matrix has %d cases of %d axes, which are %d values, and may have %d: take fewer rows, or leave out axes of one value", n, len(m.Axes), n*len(m.Axes), maxTimes)
		return Matrix{Data: m.Data}
	}
	if exclude == nil {
		return m
	}
	before := len(d.errs)
	excluded := d.list(exclude, "matrix.exclude")
	if len(excluded) > maxExcludes {
		d.errorf(excluded[maxExcludes].pos, "matrix.exclude has %d entries, and may have %d", len(excluded), maxExcludes)
		return m
	}
	for _, item := range excluded {
		if d.is(item, Map, "an entry of matrix.exclude") {
			d.exclude(&m, item)
		}
	}
	if len(d.errs) == before && (len(m.Axes) > 0 || m.Data != nil && len(m.Data.Rows) > 0) && len(m.cases()) == 0 {
		d.errorf(exclude.pos, "matrix.exclude leaves no case")
	}
	return m
}

// at is n's place; n may be nil when it was reported before.
func (n *node) at() Pos {
	if n == nil {
		return Pos{1, 1}
	}
	return n.pos
}
