package catalogue

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// header is the first line of the public table (datasets/harmonized-system on
// GitHub, licence ODC-PDDL-1.0).
var header = [...]string{"section", "hscode", "description", "parent", "level"}

// What a word of the public table counts beside our own phrases.
const (
	tableHead    = 0.6 // the first clause of a subheading's text
	tableText    = 0.35
	tableHeading = 0.12
	tableChapter = 0.04
)

// row is one line of the table.
type row struct {
	code, text string
}

// Load reads the public table of the Harmonized System, columns
// section,hscode,description,parent,level, and returns a catalogue of its
// subheadings. A byte order mark and CRLF line ends are tolerated; the lines
// TOTAL, 99, 9999 and 999999 are left out. Our own words help to find the codes
// that the table has. name stands in errors, which read
// name:line:column: what was expected and what was found.
func Load(r io.Reader, name string) (*Catalogue, error) {
	rows, err := readTable(r, name)
	if err != nil {
		return nil, err
	}
	goods, err := defaultGoods()
	if err != nil {
		return nil, err
	}
	words := make(map[string][]good, len(goods))
	for _, g := range goods {
		words[g.HS6] = append(words[g.HS6], g)
	}
	texts := make(map[string][]token) // of chapters and headings
	for _, r := range rows {
		if len(r.code) < 6 {
			texts[r.code] = tokenize(nil, affirmed(r.text), false)
		}
	}
	b := newBuilder(len(rows), Default().ranker.words())
	for _, r := range rows {
		if len(r.code) < 6 {
			continue
		}
		head, rest := clauses(r.text)
		first, further := tokenize(nil, head, false), tokenize(nil, rest, false)
		context := func(entry int) {
			b.index.add(entry, first, tableHead, true)
			b.index.add(entry, further, tableText, false)
			b.index.add(entry, texts[r.code[:4]], tableHeading, false)
			b.index.add(entry, texts[r.code[:2]], tableChapter, false)
		}
		for _, g := range words[r.code] {
			context(b.good(g))
		}
		if words[r.code] == nil {
			context(b.c.add(Kind{HS6: r.code, Name: r.text}, ""))
		}
	}
	return b.build(), nil
}

// readTable reads and checks the lines of the table, in its order.
func readTable(in io.Reader, name string) ([]row, error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	at := func(field int, format string, args ...any) error {
		line, column := r.FieldPos(field)
		return fmt.Errorf("%s:%d:%d: %s", name, line, column, fmt.Sprintf(format, args...))
	}
	var rows []row
	seen := make(map[string]bool)
	for n := 0; ; n++ {
		record, err := r.Read()
		var bad *csv.ParseError
		switch {
		case err == io.EOF && n == 0:
			return nil, fmt.Errorf("%s:1:1: want the header %s, found an empty file", name, strings.Join(header[:], ","))
		case err == io.EOF && !slices.ContainsFunc(rows, func(r row) bool { return len(r.code) == 6 }):
			return nil, fmt.Errorf("%s:%d:1: want subheadings (level 6), found none", name, n+1)
		case err == io.EOF:
			return rows, nil
		case errors.As(err, &bad):
			return nil, fmt.Errorf("%s:%d:%d: want a line of comma-separated fields: %w", name, bad.Line, bad.Column, bad.Err)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if n == 0 {
			record[0] = strings.TrimPrefix(record[0], "\ufeff")
			if !slices.Equal(record, header[:]) {
				return nil, at(0, "want the header %s, got %s", strings.Join(header[:], ","), clip(strings.Join(record, ",")))
			}
			continue
		}
		if len(record) != len(header) {
			return nil, at(len(record)-1, "want %d fields (%s), got %d", len(header), strings.Join(header[:], ","), len(record))
		}
		code, text, parent, level := record[1], record[2], record[3], record[4]
		if code == "TOTAL" {
			continue
		}
		switch {
		case level != "2" && level != "4" && level != "6":
			return nil, at(4, "want level 2, 4 or 6, got %q", clip(level))
		case strconv.Itoa(len(code)) != level || strings.Trim(code, "0123456789") != "":
			return nil, at(1, "want a code of %s digits, as the level says, got %q", level, clip(code))
		case len(code) > 2 && parent != code[:len(code)-2]:
			return nil, at(3, "want the parent %s of code %s, got %q", code[:len(code)-2], code, clip(parent))
		case strings.TrimSpace(text) == "" || !utf8.ValidString(text):
			return nil, at(2, "want a description in UTF-8, got %q", clip(text))
		case seen[code]:
			return nil, at(1, "want each code once, got %s again", code)
		}
		seen[code] = true
		if strings.Trim(code, "9") != "" { // 99… is what statistics could not specify
			rows = append(rows, row{code, text})
		}
	}
}

// clip shortens what an error quotes.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// denials begin what a text of the nomenclature says its goods are not, or
// where else to look.
var denials = []string{"other than", "excluding", "except", "not ", "n.e.c", "n.e.s", "whether or not", "heading", "item no", "subheading", "chapter"}

// affirmed is a text of the nomenclature without the clauses, or ends of
// clauses, that say what the goods are not.
func affirmed(text string) string {
	head, rest := clauses(text)
	return head + ", " + rest
}

// clauses splits what a text affirms into its first clause, which names the
// goods, and the others.
func clauses(text string) (first, others string) {
	var kept []string
	for _, clause := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(",;()", r) }) {
		for _, d := range denials {
			if i := strings.Index(clause, d); i >= 0 {
				clause = clause[:i]
			}
		}
		if clause = strings.TrimSpace(clause); clause != "" {
			kept = append(kept, clause)
		}
	}
	if len(kept) == 0 {
		return "", ""
	}
	return kept[0], strings.Join(kept[1:], ", ")
}
