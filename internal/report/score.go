package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metrics are what a score can be asked for, in the order of reports.
var Metrics = []string{"heading", "six", "among3", "legal", "confidence"}

// ScoreRow is what one case's answer is worth to a score.
type ScoreRow struct {
	// Step is what the step is called that the score is of.
	Step string `json:"step"`
	// Request is the same for two cases that ask the same; empty where nothing came.
	Request string `json:"request,omitempty"`
	// Group is the value that the score is grouped by, empty without.
	Group string `json:"group,omitempty"`
	Want  string `json:"want,omitempty"`
	// Got are the codes of the answer in their order, and Confidence its number.
	Got        []string `json:"got,omitempty"`
	Confidence string   `json:"confidence,omitempty"`
	// Right tells by metric whether the answer is. Nil is a case without an answer, which
	// counts as wrong, unless it is LeftOut: nobody asked.
	Right   map[string]bool `json:"right,omitempty"`
	LeftOut bool            `json:"left_out,omitempty"`
	// Why says what is missing or wrong, where that is not seen from the codes.
	Why string `json:"why,omitempty"`
}

// short tells whether the row fell short in any metric.
func (r ScoreRow) short() bool {
	if r.Right == nil {
		return !r.LeftOut
	}
	for _, ok := range r.Right {
		if !ok {
			return true
		}
	}
	return false
}

// code is the answer's own code.
func (r ScoreRow) code() string {
	if len(r.Got) == 0 {
		return ""
	}
	return r.Got[0]
}

// Score is what a step's answers are worth over all cases.
type Score struct {
	Step string `json:"step"`
	// By is what the groups are made by, empty without.
	By string `json:"by,omitempty"`
	// Groups has all cases first.
	Groups []ScoreGroup `json:"groups"`
	// LeftOut is how many cases it says nothing of: they were not bought.
	LeftOut int `json:"left_out,omitempty"`
	// NotJudged says why no gate is judged: only a part of the cases ran. Empty judges.
	NotJudged string `json:"not_judged,omitempty"`
	// Compared is what became of a baseline's codes, nil without one.
	Compared *Comparison `json:"compared,omitempty"`
	// Line and Column are where the file asks for it.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}

// ScoreGroup are the figures of some cases.
type ScoreGroup struct {
	// All says that it is of all cases; else Name is the value that they share.
	All     bool     `json:"all,omitempty"`
	Name    string   `json:"name,omitempty"`
	Metrics []Metric `json:"metrics"`
}

// Metric is how many of the cases are right.
type Metric struct {
	Name  string `json:"name"`
	Right int    `json:"right"`
	Of    int    `json:"of"`
	// Missing is how many of the wrong ones had no answer.
	Missing int `json:"missing,omitempty"`
	// LeftOut is how many more there are that nobody asked.
	LeftOut int `json:"left_out,omitempty"`
	// Low and High are the ends of the 95 % interval of the share (Wilson).
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Gate is what is wanted, empty for nothing, and Met whether it is.
	Gate string `json:"gate,omitempty"`
	Met  bool   `json:"met"`
}

// Count is the metric of so many right ones, with its interval.
func Count(name string, right, of, missing int) Metric {
	m := Metric{Name: name, Right: right, Of: of, Missing: missing}
	m.Low, m.High = Wilson(right, of)
	return m
}

// z is the 97.5 % point of the normal distribution.
const z = 1.959963984540054

// Wilson is the 95 % interval of a share of which right of so many were seen: E. B. Wilson,
// Probable inference, the law of succession, and statistical inference (1927).
func Wilson(right, of int) (low, high float64) {
	if of == 0 {
		return 0, 1
	}
	n, p := float64(of), float64(right)/float64(of)
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = (middle-half)/(1+z*z/n), (middle+half)/(1+z*z/n)
	if right == 0 {
		low = 0
	}
	if right == of {
		high = 1
	}
	return low, high
}

// String is the metric in words: 85 of 100 (85.0 %, with 95 % certainty 76.7 to 90.7 %).
func (m Metric) String() string {
	text := fmt.Sprintf("%d of %d (%s, with 95 %% certainty %s to %s)", m.Right, m.Of, m.Percent(), Percent(m.Low), Percent(m.High))
	if m.Missing > 0 {
		text += fmt.Sprintf("; %d without an answer count as wrong", m.Missing)
	}
	if m.LeftOut > 0 {
		text += fmt.Sprintf("; %d left out", m.LeftOut)
	}
	return text
}

// Percent is the share that is right, or none.
func (m Metric) Percent() string {
	if m.Of == 0 {
		return "none"
	}
	return Percent(float64(m.Right) / float64(m.Of))
}

// Percent never rounds up to a figure that was not reached.
func Percent(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1000+1e-9)/10, 'f', 1, 64) + " %"
}

// Title is what a group is called.
func (s Score) Title(g ScoreGroup) string {
	if g.All {
		return "all"
	}
	return s.By + "=" + g.Name
}

// State is what became of a metric's gate.
func (s Score) State(m Metric) string {
	switch {
	case m.Gate == "":
		return ""
	case s.NotJudged != "":
		return m.Gate + ", not judged: " + s.NotJudged
	case m.Met:
		return m.Gate + ": met"
	}
	return m.Gate + ": not met"
}

// ScoreCSV writes the rows that fell short, in all scores of a run.
func ScoreCSV(w io.Writer, r Run) error {
	r = r.legible()
	out := csv.NewWriter(w)
	head := []string{"file", "step", "case", "row", "group", "want", "got", "got2", "got3"}
	head = append(head, Metrics...)
	rows := [][]string{append(head, "confidence_of", "why")}
	for _, s := range r.Scenarios {
		for _, c := range s.Cases {
			for _, row := range c.Scores {
				if !row.short() {
					continue
				}
				codes := append(slices.Clone(row.Got), "", "", "")
				cells := append([]string{s.File, row.Step, c.Name, c.Row, row.Group, row.Want}, codes[:3]...)
				for _, name := range Metrics {
					right, asked := row.Right[name]
					cell := ""
					if asked {
						cell = map[bool]string{true: "right", false: "wrong"}[right]
					}
					cells = append(cells, cell)
				}
				rows = append(rows, append(cells, row.Confidence, row.Why))
			}
		}
	}
	for i, cells := range rows {
		for j, cell := range cells {
			if i > 0 {
				cells[j] = noFormula(cell)
			}
		}
	}
	return out.WriteAll(rows)
}

// mostRows is how many rows that fell short a page shows.
const mostRows = 200

// ShortRows are the rows of a scenario that fell short in a score, for a page: how many, and
// the first of them.
type ShortRows struct {
	All  int
	Rows []ShortRow
}

// ShortRow is one of them: its case, the code that was wanted, those that came, and why it
// fell short.
type ShortRow struct{ Case, Want, Codes, Why string }

// Short is nil where no row fell short.
func (s Scenario) Short() *ShortRows {
	var out ShortRows
	for _, c := range s.Cases {
		for _, row := range c.Scores {
			if !row.short() {
				continue
			}
			if out.All++; len(out.Rows) == mostRows {
				continue
			}
			var wrong []string
			for _, name := range Metrics {
				if right, asked := row.Right[name]; asked && !right {
					wrong = append(wrong, name)
				}
			}
			why := strings.Join(wrong, ", ")
			if row.Why != "" {
				why = strings.TrimPrefix(why+": "+row.Why, ": ")
			}
			out.Rows = append(out.Rows, ShortRow{c.Name, row.Want, strings.Join(row.Got, ", "), why})
		}
	}
	if out.All == 0 {
		return nil
	}
	return &out
}
