package plan

import (
	"fmt"
	"io"

	"github.com/hsharness/hsharness/cmd/internal/show"
)

// Comparison says in what two plans differ.
type Comparison struct {
	Old string `json:"old"`
	New string `json:"new"`
	// Price is what each costs, in units, and Both counts the cases that both buy.
	Price [2]int `json:"price"`
	Both  int    `json:"both"`
	// Dropped are the cases that the old one alone buys, and Added those of the new one.
	Dropped []Bought `json:"dropped"`
	Added   []Bought `json:"added"`
	// Covers are how much of each axis each of them has covered in the end.
	Covers []Difference `json:"covers"`
}

// Difference is how much of an axis is covered, by the old plan and the new one.
type Difference struct {
	Axis Axis `json:"axis"`
	Old  int  `json:"old"`
	New  int  `json:"new"`
}

// Compare compares two plans.
func Compare(older, newer *Followed) Comparison {
	c := Comparison{Old: older.Name, New: newer.Name, Price: [2]int{older.Price, newer.Price}, Dropped: []Bought{}, Added: []Bought{}, Covers: []Difference{}}
	for _, b := range older.Buy {
		if newer.buys(b.File, b.Case) {
			c.Both++
			continue
		}
		c.Dropped = append(c.Dropped, b)
	}
	for _, b := range newer.Buy {
		if !older.buys(b.File, b.Case) {
			c.Added = append(c.Added, b)
		}
	}
	for _, n := range newer.Covers {
		for _, o := range older.Covers {
			if o.Axis == n.Axis {
				c.Covers = append(c.Covers, Difference{n.Axis, o.Before + o.New, n.Before + n.New})
			}
		}
	}
	return c
}

// Print writes a line for each case that one of them alone buys, and the figures.
func (c Comparison) Print(w io.Writer) {
	for _, b := range c.Dropped {
		fmt.Fprintf(w, "- %5d  %s\n", b.Units, show.Plain(caseOf(b.File, b.Case)))
	}
	for _, b := range c.Added {
		fmt.Fprintf(w, "+ %5d  %s\n", b.Units, show.Plain(caseOf(b.File, b.Case)))
	}
	fmt.Fprintf(w, "%s buys %d cases for %d units, %s %d for %d: %d are in both\n",
		show.Plain(c.Old), c.Both+len(c.Dropped), c.Price[0], show.Plain(c.New), c.Both+len(c.Added), c.Price[1], c.Both)
	for _, d := range c.Covers {
		fmt.Fprintf(w, "%-9s  %d covered, then %d\n", d.Axis, d.Old, d.New)
	}
}
