package report

import (
	"fmt"
	"strings"
)

// Comparison is what became of the codes of a baseline.
type Comparison struct {
	// Baseline is its file.
	Baseline string   `json:"baseline"`
	Better   int      `json:"better"`
	Worse    int      `json:"worse"`
	Other    int      `json:"other"`
	Changed  []Change `json:"changed,omitempty"`
	// New is how many were asked that the baseline did not, and Gone how many answers of
	// it have no match.
	New  int `json:"new,omitempty"`
	Gone int `json:"gone,omitempty"`
	// NotJudged says why no share is compared; empty compares.
	NotJudged string `json:"not_judged,omitempty"`

	same int // how many were asked then and now
}

// Change is a code that is another one than in the baseline.
type Change struct {
	Case string `json:"case,omitempty"`
	Row  string `json:"row,omitempty"`
	Want string `json:"want,omitempty"`
	Was  string `json:"was"`
	Is   string `json:"is"`
	// What is better, worse or other: by what is right of it and was not, or was and is not.
	What string `json:"what"`
}

// String is the comparison in words.
func (c Comparison) String() string {
	text := fmt.Sprintf("against %s: %s changed", c.Baseline, plural(len(c.Changed), "code"))
	if len(c.Changed) > 0 {
		text += fmt.Sprintf(" (%d better, %d worse, %d other)", c.Better, c.Worse, c.Other)
	}
	var more []string
	if c.New > 0 {
		more = append(more, fmt.Sprintf("%d not asked then", c.New))
	}
	if c.Gone > 0 {
		more = append(more, fmt.Sprintf("%d answered then and not now", c.Gone))
	}
	if c.NotJudged != "" {
		more = append(more, "no share compared: "+c.NotJudged)
	}
	return strings.Join(append([]string{text}, more...), "; ")
}

// String is the change in words.
func (c Change) String() string {
	text := fmt.Sprintf("%s, was %s: %s", orNone(c.Is), orNone(c.Was), c.What)
	if c.Want != "" {
		text += " (wanted " + c.Want + ")"
	}
	if c.Case != "" {
		text = c.Case + ": " + text
	}
	return text
}

func orNone(code string) string {
	if code == "" {
		return "no code"
	}
	return code
}

// mostChanges is how many changed codes a page shows.
const mostChanges = 50

// Shown are the changes that a page has room for.
func (c Comparison) Shown() []Change { return c.Changed[:min(len(c.Changed), mostChanges)] }
