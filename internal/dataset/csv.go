package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// csv reads RFC 4180: rows of cells, of which the first names the columns, parted by
// commas, by semicolons where the first line has no comma, or in a .tsv by tabs.
func (d *reading) csv() {
	r := csv.NewReader(strings.NewReader(d.data))
	r.FieldsPerRecord = -1 // a wrong number is told with its place
	head, _, _ := strings.Cut(d.data, "\n")
	switch {
	case extension(d.set.Name) == ".tsv":
		r.Comma = '\t'
	case strings.IndexByte(head, ';') >= 0 && strings.IndexByte(head, ',') < 0:
		r.Comma = ';'
	}
	if at := wide(d.data, byte(r.Comma)); at >= 0 {
		d.tooWide(at)
		return
	}
	d.set.Texts = true
	lines := lineIndex{data: d.data, line: 1}
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			if d.set.Columns == nil {
				d.errorf(0, "the file is empty: its first line names the columns")
			}
			return
		case err != nil:
			d.badQuote(&lines, err)
			return
		}
		at := func(cell int) int {
			line, column := r.FieldPos(cell)
			return lines.offset(line) + column - 1
		}
		if d.set.Columns == nil {
			d.header(cells, at)
			if len(d.errs) > 0 {
				return
			}
			continue
		}
		if d.full(at(0)) {
			return
		}
		if want := d.set.Columns; len(cells) != len(want) {
			d.errorf(at(min(len(cells)-1, len(want))), "the row has %s, and the first line names %d columns (%s)%s",
				plural(len(cells), "cell"), len(want), d.columns(), quoting(len(cells) > len(want), r.Comma))
			continue
		}
		values := make(map[string]any, len(cells))
		for i, cell := range cells {
			values[d.set.Columns[i]] = cell
		}
		line, _ := r.FieldPos(0)
		d.set.Rows, d.cells = append(d.set.Rows, Row{Line: line, Column: 1, Values: values}), d.cells+len(values)
	}
}

// wide is where a row begins to have too many columns, -1 where none has: a cell of no
// bytes would take some in memory.
func wide(data string, comma byte) int {
	columns, quoted := 1, false
	for i := range len(data) {
		c := data[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			columns = 1
		case c == comma:
			if columns++; columns > MaxColumns {
				return i + 1
			}
		}
	}
	return -1
}

// quoting is what helps where a row has a cell too many.
func quoting(more bool, comma rune) string {
	if !more {
		return ""
	}
	name := map[rune]string{',': "commas", ';': "semicolons", '\t': "tabs"}[comma]
	return ": a text that holds " + name + ` is written in "…"`
}

// header takes the names of the columns.
func (d *reading) header(cells []string, at func(cell int) int) {
	seen := make(map[string]int)
	for i, name := range cells {
		first, twice := seen[name]
		switch {
		case name == "":
			d.errorf(at(i), "column %d has no name", i+1)
		case strings.TrimSpace(name) != name:
			d.errorf(at(i), "the name of column %d begins or ends with a space: %q", i+1, name)
		case strings.ContainsFunc(name, unicode.IsControl):
			d.errorf(at(i), "the name of column %d holds a control character: %q", i+1, name)
		case twice:
			d.errorf(at(i), "two columns are called %s: the other one is column %d", name, first)
		}
		seen[name] = i + 1
	}
	d.set.Columns = cells
}

// badQuote tells what encoding/csv can't read.
func (d *reading) badQuote(lines *lineIndex, err error) {
	var bad *csv.ParseError
	if !errors.As(err, &bad) {
		d.errorf(0, "%s", err)
		return
	}
	offset := lines.offset(bad.Line) + bad.Column - 1
	switch {
	case errors.Is(bad.Err, csv.ErrBareQuote):
		d.errorf(offset, `a quote within a cell: write the cell as "…", with each quote in it twice`)
	case offset >= len(strings.TrimRight(d.data, "\r\n")):
		d.errorf(lines.offset(bad.StartLine), "a quote is opened in this row and never closed")
	default:
		d.errorf(offset, `after the quote that closes a cell comes the next one: a quote within a cell is written twice`)
	}
}

// lineIndex finds where lines begin, going on from the last one that was asked for.
type lineIndex struct {
	data     string
	line, at int
}

func (l *lineIndex) offset(line int) int {
	if line < l.line {
		l.line, l.at = 1, 0
	}
	for ; l.line < line; l.line++ {
		next := strings.IndexByte(l.data[l.at:], '\n')
		if next < 0 {
			return len(l.data)
		}
		l.at += next + 1
	}
	return l.at
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
