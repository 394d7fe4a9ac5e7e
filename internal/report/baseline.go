package report

import (
	"fmt"
	"io"
	"math/big"
	"slices"
)

// Baseline is an earlier run whose scores a run is compared with.
type Baseline struct {
	// Name is the file that it was read from.
	Name string
	// Tolerance is by how much a share may fall, from 0 to 1. Nil is not at all.
	Tolerance *big.Rat

	scenarios []Scenario
	at        map[[2]string]int // the first of a file and a name
	named     map[string][]int  // those of a name
}

// ReadBaseline reads what [JSON] wrote of an earlier run, within the bounds of [ReadJSON].
// It keeps what scores are compared by.
func ReadBaseline(name string, from io.Reader) (*Baseline, error) {
	b := &Baseline{Name: name, at: map[[2]string]int{}, named: map[string][]int{}}
	scored := false
	err := new(Parts).read(name, from, func(s Scenario) {
		scored = scored || len(s.Scores) > 0
		kept := Scenario{File: s.File, Name: s.Name, Scores: s.Scores}
		for _, c := range s.Cases {
			if len(c.Scores) > 0 {
				kept.Cases = append(kept.Cases, Case{Scores: c.Scores})
			}
		}
		key := [2]string{s.File, s.Name}
		if _, there := b.at[key]; !there {
			b.at[key] = len(b.scenarios)
		}
		b.named[s.Name] = append(b.named[s.Name], len(b.scenarios))
		b.scenarios = append(b.scenarios, kept)
	}, func(Bill) {})
	if err == nil && !scored {
		err = fmt.Errorf("%s:1:1: there is no score in it: a baseline is the JSON of a run of scenarios with a score", name)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// ScoreName tells the scores of a run apart: by the scenario's file and name, and the step.
type ScoreName struct{ File, Name, Step string }

// Has tells whether there is that score.
func (b *Baseline) Has(n ScoreName) bool {
	s := b.of(Scenario{File: n.File, Name: n.Name})
	return s != nil && slices.ContainsFunc(s.Scores, func(o Score) bool { return o.Step == n.Step })
}

// Scored are the scores of a run.
func (r Run) Scored() (names []ScoreName) {
	for _, s := range r.Scenarios {
		for _, score := range s.Scores {
			names = append(names, ScoreName{s.File, s.Name, score.Step})
		}
	}
	return names
}

// Compare tells each score of a run what became of the baseline's codes, and fails a
// scenario of which a share fell by more than the tolerance. A nil Baseline does nothing.
func (b *Baseline) Compare(r *Run) {
	if b == nil {
		return
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		var before map[string]Score
		var was, is map[string][]answer
		if old := b.of(*s); old != nil && len(s.Scores) > 0 {
			before, was, is = old.byStep(), old.answers(), s.answers()
		}
		for j := range s.Scores {
			score := &s.Scores[j]
			old, there := before[score.Step]
			if !there {
				score.Compared = &Comparison{Baseline: b.Name, NotJudged: "it has no score of this step"}
				continue
			}
			c := changes(was[score.Step], is[score.Step])
			c.Baseline, c.NotJudged = b.Name, score.notComparable("")
			if c.NotJudged == "" {
				c.NotJudged = old.notComparable("in the baseline, ")
			}
			score.Compared = c
			switch {
			case c.NotJudged != "":
			case c.same == 0 && c.New > 0 && c.Gone > 0:
				s.Verdict = Failed
				s.Unmet = append(s.Unmet, Failure{
					File: s.File, Line: score.Line, Column: score.Column, Step: score.Step,
					Message: fmt.Sprintf("%s says nothing of this score: none of what it asked is asked now", b.Name),
					Want:    fmt.Sprintf("some of its %s", plural(c.Gone, "answer")), Got: fmt.Sprintf("%d others", c.New),
				})
			case !b.falls(s, *score, old):
				c.NotJudged = "it has no figure of this score"
			}
		}
	}
}

// notComparable says why the share of a score is not one of all cases, empty where it is.
func (s Score) notComparable(where string) string {
	switch {
	case s.NotJudged != "":
		return where + s.NotJudged
	case s.LeftOut > 0:
		return fmt.Sprintf("%s%d cases are left out", where, s.LeftOut)
	}
	return ""
}

// of finds the scenario of the baseline: by its file, or where that has another path by
// its name, if no other has that name.
func (b *Baseline) of(s Scenario) *Scenario {
	if i, ok := b.at[[2]string{s.File, s.Name}]; ok {
		return &b.scenarios[i]
	}
	if named := b.named[s.Name]; len(named) == 1 {
		return &b.scenarios[named[0]]
	}
	return nil
}

// byStep are the scores of a scenario by their steps.
func (s *Scenario) byStep() map[string]Score {
	out := make(map[string]Score, len(s.Scores))
	for _, score := range s.Scores {
		if _, there := out[score.Step]; !there {
			out[score.Step] = score
		}
	}
	return out
}

// answer is a row of a case, with that.
type answer struct {
	of *Case
	ScoreRow
}

// answers are those of a scenario by their steps.
func (s *Scenario) answers() map[string][]answer {
	out := make(map[string][]answer)
	for i := range s.Cases {
		for _, row := range s.Cases[i].Scores {
			if row.Request != "" {
				out[row.Step] = append(out[row.Step], answer{&s.Cases[i], row})
			}
		}
	}
	return out
}

// changes compares the codes of a step, by what was asked.
func changes(old, now []answer) *Comparison {
	out := &Comparison{}
	was := make(map[string]ScoreRow, len(old))
	for _, a := range old {
		was[a.Request] = a.ScoreRow
	}
	seen := make(map[string]bool)
	for _, a := range now {
		before, ok := was[a.Request]
		seen[a.Request] = true
		if !ok {
			out.New++
			continue
		}
		if out.same++; before.code() == a.code() {
			continue
		}
		change := Change{Case: a.of.Name, Row: a.of.Row, Want: a.Want, Was: before.code(), Is: a.code(), What: verdict(before.Right, a.Right)}
		switch change.What {
		case "better":
			out.Better++
		case "worse":
			out.Worse++
		default:
			out.Other++
		}
		out.Changed = append(out.Changed, change)
	}
	for request := range was {
		if !seen[request] {
			out.Gone++
		}
	}
	return out
}

// verdict says whether more or less is right than was.
func verdict(was, is map[string]bool) string {
	gained, lost := false, false
	for name, right := range is {
		before, ok := was[name]
		gained = gained || ok && right && !before
		lost = lost || ok && !right && before
	}
	switch {
	case gained && !lost:
		return "better"
	case lost && !gained:
		return "worse"
	}
	return "other"
}

// falls fails a scenario for each share that fell too far. It tells whether any could be
// compared, where there is one.
func (b *Baseline) falls(s *Scenario, now, old Score) (compared bool) {
	tolerance := b.Tolerance
	if tolerance == nil {
		tolerance = new(big.Rat)
	}
	type share struct {
		all           bool
		group, metric string
	}
	shares := make(map[share]Metric)
	for _, g := range old.Groups {
		for _, m := range g.Metrics {
			if at := (share{g.All, g.Name, m.Name}); shares[at].Of == 0 { // the first that has any
				shares[at] = m
			}
		}
	}
	none := true
	for _, g := range now.Groups {
		for _, m := range g.Metrics {
			before := shares[share{g.All, g.Name, m.Name}]
			none = none && m.Of == 0
			if before.Of == 0 || m.Of == 0 {
				continue
			}
			compared = true
			fall := new(big.Rat).Sub(big.NewRat(int64(before.Right), int64(before.Of)), big.NewRat(int64(m.Right), int64(m.Of)))
			if fall.Cmp(tolerance) <= 0 {
				continue
			}
			of := ""
			if !g.All {
				of = " of " + now.Title(g)
			}
			points, _ := new(big.Rat).Mul(fall, big.NewRat(100, 1)).Float64()
			least, _ := new(big.Rat).Mul(tolerance, big.NewRat(100, 1)).Float64()
			s.Verdict = Failed
			s.Unmet = append(s.Unmet, Failure{
				File: s.File, Line: now.Line, Column: now.Column, Step: now.Step,
				Message: fmt.Sprintf("the score %s%s fell by %.4g points since %s, and may fall by %.4g", m.Name, of, points, b.Name, least),
				Want:    before.String(), Got: m.String(),
			})
		}
	}
	return compared || none
}
