package nomenclature

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Correlation is what becomes of the subheadings of one edition of the Harmonized
// System in the next. Those that it does not name stay as they are.
type Correlation struct {
	// From and To are the years of the editions.
	From, To int
	becomes  map[string][]string
}

// inName is the year in the name of a column, and six the digits of a cell, which may
// say that only a part of a subheading is meant: ex 0101.21.
var (
	inName = pattern.New(`\b(19|20)\d\d\b`)
	inPart = pattern.New(`(?i)^ex\.?\s*`)
)

// ReadCorrelation reads the World Customs Organization's table as a user's CSV: two
// columns of six-digit codes, in either order, whose names hold the years of the
// editions, and further columns with remarks. A code without a new one vanishes. The
// name is for messages, which say line and column.
func ReadCorrelation(name string, r io.Reader) (*Correlation, error) {
	rows, err := readCSV(name, r)
	if err != nil {
		return nil, err
	}
	c := &Correlation{becomes: make(map[string][]string)}
	var columns [2]int
	found := 0
	for i, cell := range rows.cells[0] {
		if year := inName.FindString(cell); year != "" && found < 2 {
			columns[found] = i
			n, _ := strconv.Atoi(year)
			if c.From == 0 {
				c.From = n
			} else {
				c.To = n
			}
			found++
		}
	}
	switch {
	case found < 2:
		return nil, rows.errorf(0, 0, "want two columns of codes whose names hold the years of the editions, such as HS 2022,HS 2028,remarks; there are %s", strings.Join(rows.cells[0], ", "))
	case c.From == c.To:
		return nil, rows.errorf(0, columns[1], "both columns are of %d", c.To)
	case len(rows.cells) == 1:
		return nil, rows.errorf(0, 0, "there is no line in it")
	case c.From > c.To:
		c.From, c.To, columns[0], columns[1] = c.To, c.From, columns[1], columns[0]
	}
	for i, cells := range rows.cells[1:] {
		var codes [2]string
		for side, column := range columns {
			cell := inPart.ReplaceAllString(cells[column], "")
			codes[side] = Digits(cell)
			switch {
			case cell == "" && side == 1, cell == "-" && side == 1:
				codes[side] = ""
			case cell == "":
				if other := cells[columns[1]]; other == "" {
					return nil, rows.errorf(i+1, column, "the line has no code")
				}
			case codes[side] == "":
				return nil, rows.errorf(i+1, column, "%q is no code: a code is six digits, which a dot may part", cells[column])
			case len(codes[side]) != 6:
				return nil, rows.errorf(i+1, column, "%s has %d digits: the codes of the table have six", cells[column], len(codes[side]))
			case side == 0 && hs.edition == fmt.Sprintf("HS %d", c.From) && !Exists(codes[0]):
				return nil, rows.errorf(i+1, column, "%s is no subheading of %s", cells[column], hs.edition)
			}
		}
		if codes[0] == "" { // goods that no code was for
			continue
		}
		if all := c.becomes[codes[0]]; codes[1] != "" && !slices.Contains(all, codes[1]) {
			c.becomes[codes[0]] = append(all, codes[1])
		} else if all == nil {
			c.becomes[codes[0]] = []string{}
		}
	}
	return c, nil
}

// Becomes are the subheadings of the newer edition that have the goods of one of the
// older, in order: itself, another or several, or none.
func (c *Correlation) Becomes(hs6 string) []string {
	all, named := c.becomes[hs6]
	if !named {
		return []string{hs6}
	}
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}
