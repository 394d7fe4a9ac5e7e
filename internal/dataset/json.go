package dataset

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// json reads an array of objects.
func (d *reading) json() {
	if strings.TrimSpace(d.data) == "" {
		d.errorf(0, "the file is empty: it holds an array of objects, [ { … }, … ]")
		return
	}
	s := &scanner{d: d, end: len(d.data)}
	if begin := s.space(); s.next() != '[' {
		if v := s.value(); !s.stop {
			d.errorf(begin, "the file holds %s, and a table is an array of objects, [ { … }, … ]", kindOf(v))
		}
		return
	}
	line, column, counted := 1, 1, 0 // column is that of the byte counted
	s.items(func() {
		at := s.at
		if ends := strings.LastIndexByte(d.data[counted:at], '\n'); ends >= 0 {
			line, column, counted = line+strings.Count(d.data[counted:at], "\n"), 1, counted+ends+1
		}
		column, counted = column+utf8.RuneCountInString(d.data[counted:at]), at
		if s.stop = d.full(at); !s.stop {
			d.row(s, line, column)
		}
	})
	s.finish()
}

// lines reads an object a line.
func (d *reading) lines() {
	number, begin := 0, 0
	for line := range strings.Lines(d.data) {
		s := &scanner{d: d, begin: begin, at: begin, end: begin + len(line)}
		number, begin = number+1, s.end
		if strings.TrimSpace(line) == "" {
			continue
		}
		if d.full(s.at) {
			return
		}
		d.row(s, number, 1)
		s.finish()
		if s.full {
			return
		}
	}
}

// kindAt is the kind of a column's values, and the line of the row that has it first.
type kindAt struct {
	kind string
	line int
}

// row reads one object.
func (d *reading) row(s *scanner, line, column int) {
	at := s.at
	if s.space(); s.next() != '{' {
		if v := s.value(); !s.stop {
			d.errorf(at, "row %d is %s, and a row is an object, { … }", len(d.set.Rows)+1, kindOf(v))
		}
		return
	}
	before := len(d.errs)
	values := make(map[string]any, len(d.set.Columns))
	first := d.set.Columns == nil
	var names []string
	s.members(func(name string, nameAt int) {
		if len(values) == MaxColumns {
			d.tooWide(nameAt)
			s.stop, s.full = true, true
			return
		}
		valueAt := s.space()
		v := s.value()
		if s.stop {
			return
		}
		if _, twice := values[name]; twice {
			d.errorf(nameAt, "%q is there twice in this row", name)
			return
		}
		if values[name] = v; first {
			names = append(names, name)
		}
		switch {
		case name == "":
			d.errorf(nameAt, "a column has no name")
		case !first && !d.named[name]:
			d.errorf(nameAt, "the row has %q, which the first one has not: its columns are %s", name, d.columns())
		default:
			d.sameKind(name, v, line, valueAt)
		}
	})
	if s.stop {
		return
	}
	if first && len(names) > 0 {
		d.set.Columns, d.named = names, make(map[string]bool, len(names))
		for _, name := range names {
			d.named[name] = true
		}
	}
	for _, name := range d.set.Columns {
		if _, ok := values[name]; !ok {
			d.errorf(at, "the row has no %q, which the first one has: write null where it has no value", name)
		}
	}
	if len(names) == 0 && first {
		d.errorf(at, "the first row has no columns")
	}
	if len(d.errs) == before {
		d.set.Rows = append(d.set.Rows, Row{Line: line, Column: column, Values: values})
	}
}

// sameKind wants one kind of values in a column, null apart: a code that is a number
// in one row and a text in another is compared and sent differently.
func (d *reading) sameKind(name string, v any, line, at int) {
	if v == nil {
		return
	}
	kind := kindOf(v)
	if d.kinds == nil {
		d.kinds = make(map[string]kindAt)
	}
	before, ok := d.kinds[name]
	switch {
	case !ok:
		d.kinds[name] = kindAt{kind, line}
	case before.kind != kind:
		d.errorf(at, "%s is %s here, and %s in line %d", name, kind, before.kind, before.line)
	}
}

// syntax says what encoding/json finds wrong with a text that the scanner can't read.
func (d *reading) syntax(offset int, text string) {
	err := json.Unmarshal([]byte(text), new(json.RawMessage))
	var wrong *json.SyntaxError
	switch {
	case errors.As(err, &wrong) && strings.Contains(err.Error(), "unexpected end"):
		d.errorf(offset+len(strings.TrimRight(text, blank)), "no JSON: %s", err)
	case errors.As(err, &wrong):
		d.errorf(offset+max(int(wrong.Offset)-1, 0), "no JSON: %s", err)
	default:
		d.errorf(offset, "no JSON: %v", err)
	}
}

// kindOf names the kind of a value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}
