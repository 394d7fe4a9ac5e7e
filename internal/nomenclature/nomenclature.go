// Package nomenclature knows the codes of goods that exist: the six-digit
// subheadings of the Harmonized System, and the lines that can be declared under
// them in the United States and in the European Union.
//
// It touches nothing but its own tables, and the files of a user that [Read] is
// given. The tables are part of the program, compressed by chapter; a chapter is
// unpacked when one of its codes is first asked for, and nothing before that.
//
// Where the tables come from, and under which terms, stands in tables/README.md.
package nomenclature

import (
	_ "embed" // the tables
	"slices"
	"strings"
	"sync"
)

// Line is a code of a table, digits alone, with what it is for.
type Line struct {
	Code string
	// Path is the description, the wider group first. The last is the line's own;
	// the table of the European Union has that alone.
	Path []string
}

// Text is the description in one line.
func (l Line) Text() string { return strings.Join(l.Path, " — ") }

// Table is one edition of a nomenclature, or of a country's schedule. It never
// changes once it is made and is safe for concurrent use.
type Table struct {
	edition string
	digits  int
	packed  bool // in codes.bin, at this place among its tables
	place   int
	mu      sync.Mutex
	open    map[string][]Line // the chapters that were asked for
}

// Edition says which table it is and of which year: HTS 2026.
func (t *Table) Edition() string { return t.edition }

// Digits is how long a code has to be to be declared.
func (t *Table) Digits() int { return t.digits }

//go:embed tables/codes.bin
var codes []byte

// The tables that come with the program, in the order in which codes.bin has them.
var (
	hs  = packed("HS 2022", 6, 0)
	hts = packed("HTS 2026", 10, 1)
	cn  = packed("CN 2026", 8, 2)
)

// index finds the chapters of codes.bin.
var index = sync.OnceValue(func() map[string][]byte {
	index, err := chapters(codes)
	if err != nil {
		panic("codes.bin: " + err.Error()) // it is part of the program
	}
	return index
})

func packed(edition string, digits, place int) *Table {
	return &Table{edition: edition, digits: digits, packed: true, place: place, open: make(map[string][]Line)}
}

// HS is the Harmonized System: chapters, headings and six-digit subheadings.
func HS() *Table { return hs }

// union are the countries whose tariff is the Combined Nomenclature, ISO 3166-1
// alpha-2.
const union = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK "

func inUnion(country string) bool {
	return len(country) == 2 && strings.Contains(union, " "+country+" ")
}

// builtIn is the table that comes with the program for a country.
func builtIn(country string) (*Table, bool) {
	switch {
	case country == "US":
		return hts, true
	case inUnion(country):
		return cn, true
	}
	return nil, false
}

// chapter is the lines of a chapter, in order.
func (t *Table) chapter(of string) []Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines, ok := t.open[of]
	if !ok && t.packed {
		block, known := index()[of]
		if !known {
			return nil
		}
		var err error
		if lines, err = unpack(block, t.place); err != nil {
			panic(t.edition + ", chapter " + of + ": " + err.Error()) // the tables are part of the program
		}
		t.open[of] = lines
	}
	return lines
}

// Under are the lines of the table that begin with these digits, two or more of
// them, in order. The caller must not change them.
func (t *Table) Under(digits string) []Line {
	if len(digits) < 2 {
		return nil
	}
	lines := t.chapter(digits[:2])
	from, _ := slices.BinarySearchFunc(lines, digits, func(l Line, code string) int { return strings.Compare(l.Code, code) })
	to := from
	for to < len(lines) && strings.HasPrefix(lines[to].Code, digits) {
		to++
	}
	return lines[from:to:to]
}

// Find returns the line of exactly this code.
func (t *Table) Find(code string) (Line, bool) {
	under := t.Under(code)
	if len(under) == 0 || under[0].Code != code {
		return Line{}, false
	}
	return under[0], true
}

// Heading is what a heading, or a chapter, of the Harmonized System is for.
func Heading(digits string) (text string, ok bool) {
	l, ok := hs.Find(digits)
	if !ok || len(digits) > 4 {
		return "", false
	}
	return l.Text(), true
}

// Exists tells whether the Harmonized System has a subheading of these six digits.
func Exists(hs6 string) bool {
	if len(hs6) != 6 {
		return false
	}
	_, ok := hs.Find(hs6)
	return ok
}
