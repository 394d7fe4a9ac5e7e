package report

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Gate is the least share of the cases that must be right.
type Gate struct {
	// Metric is one of [Metrics], and Text how the file asks for it, such as ">= 90%".
	Metric, Text string
	// Min is the share, from 0 to 1; Lower asks it of the lower end of the 95 % interval.
	Min   *big.Rat
	Lower bool
	// Line and Column are where the file asks for it.
	Line, Column int
}

// gateText is how the text of a gate ends.
var gateText = pattern.New(`>= ([0-9]{1,3}(\.[0-9]{1,3})?)%( \(lower end\))?$`)

// ParseGate reads what [Gate.Text] says.
func ParseGate(metric, text string) (Gate, error) {
	m := gateText.FindStringSubmatch(text)
	if m == nil || !slices.Contains(Metrics, metric) {
		return Gate{}, fmt.Errorf("%q is no gate of %q", text, metric)
	}
	g := Gate{Metric: metric, Text: text, Lower: m[3] != ""}
	g.Min, _ = new(big.Rat).SetString(m[1])
	g.Min.Quo(g.Min, big.NewRat(100, 1))
	return g, nil
}

// meets tells whether so many right ones of all pass the gate.
func (g Gate) meets(m Metric) bool {
	if m.Of == 0 {
		return false
	}
	if g.Lower {
		least, _ := g.Min.Float64()
		return m.Low >= least
	}
	return big.NewRat(int64(m.Right), int64(m.Of)).Cmp(g.Min) >= 0
}

// Judge adds a score of the scenario's cases up, each of which has a row of it, and fails the
// scenario for each gate that is not met. What was left out is told and is neither right nor
// wrong. The score comes with all but its groups.
func (s *Scenario) Judge(score Score, gates []Gate) {
	rows := make(map[string][]ScoreRow)
	var all []ScoreRow
	for _, c := range s.Cases {
		for _, row := range c.Scores {
			if row.Step == score.Step {
				all, rows[row.Group] = append(all, row), append(rows[row.Group], row)
			}
		}
	}
	groups := []ScoreGroup{{All: true, Metrics: metrics(all, gates)}}
	if score.By != "" {
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			groups = append(groups, ScoreGroup{Name: name, Metrics: metrics(rows[name], gates)})
		}
	}
	score.Groups = groups
	for _, row := range all {
		if row.LeftOut {
			score.LeftOut++
		}
	}
	if score.LeftOut > 0 && score.LeftOut == len(all) && score.NotJudged == "" {
		score.NotJudged = "none was bought"
	}
	if score.NotJudged == "" {
		s.unmet(score, gates)
	}
	s.Scores = append(s.Scores, score)
}

// metrics adds rows up, a metric a gate.
func metrics(rows []ScoreRow, gates []Gate) []Metric {
	out := make([]Metric, len(gates))
	for i, g := range gates {
		right, missing, leftOut := 0, 0, 0
		for _, r := range rows {
			switch {
			case r.LeftOut:
				leftOut++
			case r.Right == nil:
				missing++
			case r.Right[g.Metric]:
				right++
			}
		}
		out[i] = Count(g.Metric, right, len(rows)-leftOut, missing)
		out[i].LeftOut = leftOut
		out[i].Gate, out[i].Met = g.Text, out[i].Of == 0 && leftOut > 0 || g.meets(out[i])
	}
	return out
}

// unmet notes the gates that a score does not pass.
func (s *Scenario) unmet(score Score, gates []Gate) {
	for _, group := range score.Groups {
		for i, m := range group.Metrics {
			if m.Met {
				continue
			}
			of := ""
			if !group.All {
				of = " of " + score.Title(group)
			}
			s.Verdict = Failed
			s.Unmet = append(s.Unmet, Failure{
				File: s.File, Line: gates[i].Line, Column: gates[i].Column, Step: score.Step,
				Message: "the score " + m.Name + of + " is too low", Want: m.Gate, Got: m.String(),
			})
		}
	}
}

// Asked is of how many a metric is, and how many were left out.
func (m Metric) Asked() string {
	if m.LeftOut == 0 {
		return fmt.Sprint(m.Of)
	}
	return fmt.Sprintf("%d (%d left out)", m.Of, m.LeftOut)
}
