// Package dataset reads tables that tests take their cases from: CSV, TSV, JSON and
// JSON Lines, each also compressed with gzip, the format by the file's name. It is
// strict: what is not certain is an [Error] with line, column and the line itself, and
// a file above its [Limits] is refused with both numbers. [Set.Sample] draws rows.
//
// It touches nothing but the bytes that it is given.
package dataset

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Set is a table.
type Set struct {
	// Name is the file, as messages call it.
	Name string
	// Columns are the names of the columns, in the order of the file; each row has all.
	Columns []string
	// Texts says that every value is a text: CSV and TSV know nothing else.
	Texts bool
	Rows  []Row
	// Digest is the SHA-256 of the file as it is on the disk, in hexadecimal digits.
	Digest string
}

// Row is one row with the place where it begins; both count from 1, and Column counts
// characters.
type Row struct {
	Line, Column int
	// Values are by column: string, and in JSON also nil, bool, json.Number, []any and
	// map[string]any. They must not be changed.
	Values map[string]any
}

// Limits are how much a file may hold. A zero field is the default.
type Limits struct {
	// Bytes is how long it may be, unpacked; by default [MaxBytes].
	Bytes int64
	// Rows and Cells are how many there may be, by default [MaxRows] and [MaxCells].
	Rows, Cells int
}

// The default limits, and how many times longer than itself a compressed file may be
// when it is unpacked, once that is above MinPacked. A cell takes some fifty times the
// memory that it has in a file of short ones.
const (
	MaxBytes   = 64 << 20
	MaxRows    = 100_000
	MaxColumns = 1000
	MaxCells   = 4_000_000
	MaxRatio   = 100
	MinPacked  = 1 << 20
)

// maxErrors is how many bad rows are told, and of a row how many errors.
const maxErrors = 20

// Error is one thing that is wrong at one place of a file.
type Error struct {
	// File is the name that was given. Line and Column count from 1, in characters.
	File         string
	Line, Column int
	Msg          string
	// Source is the line, without its end.
	Source string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg) }

// Errors is what is wrong with a file, in its order. Of many bad rows it has the first.
type Errors []*Error

func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// formats are the ways to read a file, by the end of its name.
var formats = map[string]func(*reading){
	".csv": (*reading).csv, ".tsv": (*reading).csv, ".json": (*reading).json, ".jsonl": (*reading).lines, ".ndjson": (*reading).lines,
}

// Known tells whether a file of that name can be read, or why not.
func Known(name string) error {
	if _, ok := formats[extension(name)]; !ok {
		return fmt.Errorf("%s is no table that can be read: want .csv, .tsv, .json, .jsonl or .ndjson, or one of these with .gz", path.Base(name))
	}
	return nil
}

func extension(name string) string {
	return path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz"))
}

// Read reads a table with the default limits.
func Read(name string, r io.Reader) (*Set, error) { return Limits{}.Read(name, r) }

// Read reads a table. Its error is of type [Errors], unless r fails.
func (l Limits) Read(name string, r io.Reader) (*Set, error) {
	d := &reading{set: &Set{Name: name}, limits: Limits{cmp.Or(l.Bytes, MaxBytes), cmp.Or(l.Rows, MaxRows), cmp.Or(l.Cells, MaxCells)}}
	if err := Known(name); err != nil {
		return nil, Errors{{File: name, Line: 1, Column: 1, Msg: err.Error()}}
	}
	if err := d.text(r); err != nil {
		return nil, err
	}
	if len(d.errs) == 0 {
		formats[extension(name)](d)
	}
	if len(d.errs) == 0 && len(d.set.Rows) == 0 {
		d.errorf(len(d.data), "there is no row in it")
	}
	if len(d.errs) > 0 {
		d.inOrder()
		return nil, d.errs
	}
	return d.set, nil
}

// reading is one file under way.
type reading struct {
	set    *Set
	limits Limits
	data   string // rows share its bytes
	errs   Errors
	cells  int // so far, with the values within one of JSON
	// the line of the latest error: a long one is kept once, however much is wrong in it
	source string
	begin  int
	// of JSON: the names of the columns, the kinds of their values so far, and the row that
	// has one first
	named map[string]bool
	kinds map[string]kindAt
	list  string // the names, as a message has them; empty before one has
}

// errorf notes what is wrong at a byte of the data, or once that there is more than is told.
func (d *reading) errorf(offset int, format string, args ...any) {
	switch {
	case len(d.errs) > maxErrors:
		return
	case len(d.errs) == maxErrors:
		format, args = "and perhaps more: the rest was not looked at, after %d bad rows", []any{maxErrors}
	}
	offset = min(offset, len(d.data))
	begin := strings.LastIndexByte(d.data[:offset], '\n') + 1
	if d.errs == nil || begin != d.begin {
		d.source, d.begin = lineFrom(d.data[begin:]), begin
	}
	d.errs = append(d.errs, &Error{
		File: d.set.Name, Line: strings.Count(d.data[:begin], "\n") + 1,
		Column: utf8.RuneCountInString(d.data[begin:offset]) + 1, Msg: fmt.Sprintf(format, args...), Source: d.source,
	})
}

// inOrder puts the errors into the order of the file; that there is more stays the last.
func (d *reading) inOrder() {
	slices.SortStableFunc(d.errs[:min(len(d.errs), maxErrors)], func(a, b *Error) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}

// lineFrom is the first line of a text.
func lineFrom(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.Clone(strings.ToValidUTF8(strings.TrimSuffix(line, "\r"), "\ufffd"))
}

// full tells whether no further row is looked at, and says so.
func (d *reading) full(offset int) bool {
	switch {
	case len(d.errs) >= maxErrors:
		d.errorf(offset, "more")
		return true
	case len(d.set.Rows) == d.limits.Rows:
		d.errs = nil
		d.errorf(offset, "the file has more than %d rows, and no more are read: cut it into several files", d.limits.Rows)
		return true
	case d.cells > d.limits.Cells:
		d.tooMany(offset)
		return true
	}
	return false
}

// tooMany says that the file has too many cells; what else is wrong with it is not told.
func (d *reading) tooMany(offset int) {
	d.errs = nil
	d.errorf(offset, "the file has more than %d cells, and no more are read: keep the columns that are used, or cut it into several files", d.limits.Cells)
}

// tooWide says that a row has too many columns; the rest of the file is not looked at.
func (d *reading) tooWide(offset int) {
	d.errorf(offset, "the row has more than %d columns, and no more are read: keep those that are used", MaxColumns)
}

// columns are the names of all for a message, or the first of many. They are put together
// once: a row can have a thousand that are unknown.
func (d *reading) columns() string {
	if d.list == "" {
		text := []rune(strings.Join(d.set.Columns, ", "))
		if d.list = string(text); len(text) > 200 {
			d.list = string(text[:200]) + "…"
		}
	}
	return d.list
}

// plain takes the byte order mark away, and refuses what is no text in UTF-8.
func (d *reading) plain() {
	if strings.HasPrefix(d.data, "\xff\xfe") || strings.HasPrefix(d.data, "\xfe\xff") {
		d.errorf(0, "the file is UTF-16: save it as UTF-8")
		return
	}
	d.data = strings.TrimPrefix(d.data, "\ufeff")
	if !utf8.ValidString(d.data) {
		at := 0
		for {
			c, n := utf8.DecodeRuneInString(d.data[at:])
			if c == utf8.RuneError && n <= 1 {
				break
			}
			at += n
		}
		d.errorf(at, "the byte 0x%02x is no UTF-8: save the file as UTF-8", d.data[at])
		return
	}
	if at := strings.IndexByte(d.data, 0); at >= 0 {
		d.errorf(at, "the file holds a zero byte: it is no text")
	}
}
