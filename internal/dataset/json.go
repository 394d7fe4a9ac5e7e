package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// json reads an array of objects.
func (d *reading) json() {
	if len(bytes.TrimSpace(d.data)) == 0 {
		d.errorf(0, "the file is empty: it holds an array of objects, [ { … }, … ]")
		return
	}
	if !d.valid(0, d.data) {
		return
	}
	w := newWalker(d, 0, d.data)
	if t := w.token(); t != json.Delim('[') {
		d.errorf(w.begun, "the file holds %s, and a table is an array of objects, [ { … }, … ]", kindOf(t))
		return
	}
	lines := lineIndex{data: d.data, line: 1}
	line, column, counted := 1, 1, 0 // column is that of the byte counted
	for w.dec.More() {
		at := w.next()
		for next := lines.offset(line + 1); next <= at; next = lines.offset(line + 1) {
			line, column, counted = line+1, 1, next
		}
		column, counted = column+utf8.RuneCount(d.data[counted:at]), at
		if d.full(at) || !d.row(w, line, column, at) {
			return
		}
	}
}

// lines reads an object a line.
func (d *reading) lines() {
	offset := 0
	for i, line := range bytes.Split(d.data, []byte("\n")) {
		begin := offset
		offset += len(line) + 1
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if d.full(begin) {
			return
		}
		if d.valid(begin, line) && !d.row(newWalker(d, begin, line), i+1, 1, begin) {
			return
		}
	}
}

// valid tells whether a text is one JSON value.
func (d *reading) valid(offset int, text []byte) bool {
	err := json.Unmarshal(text, new(json.RawMessage))
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return true
	case errors.As(err, &syntax):
		at := int(syntax.Offset) - 1
		if strings.Contains(err.Error(), "unexpected end") {
			at = len(bytes.TrimRight(text, " \t\r\n"))
		}
		d.errorf(offset+max(at, 0), "no JSON: %s", err)
	default:
		d.errorf(offset, "no JSON: %s", err)
	}
	return false
}

// kindAt is the kind of a column's values, and the line of the row that has it first.
type kindAt struct {
	kind string
	line int
}

// row reads one object of a text that is JSON. It tells whether reading can go on.
func (d *reading) row(w *walker, line, column, at int) bool {
	t := w.token()
	if t != json.Delim('{') {
		d.errorf(at, "row %d is %s, and a row is an object, { … }", len(d.set.Rows)+1, kindOf(t))
		w.value(t)
		return true
	}
	before := len(d.errs)
	values := make(map[string]any, len(d.set.Columns))
	first := d.set.Columns == nil
	var names []string
	for w.dec.More() {
		name, _ := w.token().(string) // the text was found to be JSON
		nameAt := w.begun
		if len(values) == MaxColumns {
			d.tooWide(nameAt)
			return false
		}
		t := w.token()
		valueAt := w.begun
		v := w.value(t)
		if _, twice := values[name]; twice {
			d.errorf(nameAt, "%q is there twice in this row", name)
			continue
		}
		values[name], names = v, append(names, name)
		switch {
		case name == "":
			d.errorf(nameAt, "a column has no name")
		case !first && !d.named[name]:
			d.errorf(nameAt, "the row has %q, which the first one has not: its columns are %s", name, d.columns())
		default:
			d.sameKind(name, v, line, valueAt)
		}
	}
	w.token() // the end of the object
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
		d.add(Row{Line: line, Column: column, Values: values})
	}
	return true
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

// walker reads JSON token by token, and knows where each begins.
type walker struct {
	d     *reading
	base  int
	text  []byte
	dec   *json.Decoder
	begun int
}

func newWalker(d *reading, base int, text []byte) *walker {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return &walker{d: d, base: base, text: text, dec: dec}
}

// next is where the next token begins, in the whole data.
func (w *walker) next() int {
	at := int(w.dec.InputOffset())
	for at < len(w.text) && strings.IndexByte(" \t\r\n:,", w.text[at]) >= 0 {
		at++
	}
	return w.base + at
}

// token is the next one, nil at the end.
func (w *walker) token() json.Token {
	w.begun = w.next()
	t, err := w.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		w.d.errorf(w.begun, "no JSON: %s", err) // it was found to be, but for what only the decoder refuses
		return nil
	}
	return t
}

// value reads the rest of a value that began with a token.
func (w *walker) value(t json.Token) any {
	switch t {
	case json.Delim('['):
		out := []any{}
		for w.dec.More() {
			out = append(out, w.value(w.token()))
		}
		w.token()
		return out
	case json.Delim('{'):
		out := map[string]any{}
		for w.dec.More() {
			name, _ := w.token().(string)
			if _, twice := out[name]; twice {
				w.d.errorf(w.begun, "%q is there twice in an object", name)
			}
			out[name] = w.value(w.token())
		}
		w.token()
		return out
	}
	return t
}

// kindOf names the kind of a value, or of the one that a token begins.
func kindOf(v any) string {
	switch v := v.(type) {
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
	case map[string]any:
		return "an object"
	case json.Delim:
		if v == '[' {
			return "an array"
		}
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}
