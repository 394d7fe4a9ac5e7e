package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Baseline is an earlier run whose scores a run is compared with.
type Baseline struct {
	// Name is the file that it was read from.
	Name string
	// Tolerance is by how much a share may fall, from 0 to 1. Nil is not at all.
	Tolerance *big.Rat

	scenarios []Scenario
}

// ReadBaseline reads what [JSON] wrote of an earlier run.
func ReadBaseline(name string, data []byte) (*Baseline, error) {
	b := &Baseline{Name: name}
	var err error
	if b.scenarios, _, err = ReadJSON(name, data); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(b.scenarios, func(s Scenario) bool { return len(s.Scores) > 0 }) {
		return nil, fmt.Errorf("%s:1:1: there is no score in it: a baseline is the JSON of a run of scenarios with a score", name)
	}
	return b, nil
}

// ReadJSON reads what [JSON] wrote of a run, or of several one after the other. What ends
// without a bill was cut.
func ReadJSON(name string, data []byte) (scenarios []Scenario, bills []Bill, err error) {
	line, ended := 0, false
	for text := range bytes.Lines(data) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var s struct {
			Scenario
			Exit *int `json:"exit"` // a bill has one
		}
		err := json.Unmarshal(text, &s)
		if ended = s.Exit != nil; err == nil && ended {
			bills = append(bills, Bill{})
			err = json.Unmarshal(text, &bills[len(bills)-1])
		}
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("%s:%d:1: no line of a run's JSON: %w", name, line, inWords(err))
		case !ended && s.File != "":
			scenarios = append(scenarios, s.Scenario)
		}
	}
	if !ended {
		return nil, nil, fmt.Errorf("%s:%d:1: it ends without a bill, so it is no run's JSON, or a part of it", name, max(1, line))
	}
	return scenarios, bills, nil
}

// inWords is an error of the decoder without the names of Go's types.
func inWords(err error) error {
	var is *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &is):
		return err
	case is.Field == "":
		return fmt.Errorf("it is a JSON %s, and an object is wanted", is.Value)
	}
	return fmt.Errorf("%s can't be a JSON %s", strings.TrimPrefix(is.Field, "Scenario."), is.Value)
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
		old := b.of(*s)
		for j := range s.Scores {
			score := &s.Scores[j]
			k := -1
			if old != nil {
				k = slices.IndexFunc(old.Scores, func(o Score) bool { return o.Step == score.Step })
			}
			if k < 0 {
				score.Compared = &Comparison{Baseline: b.Name, NotJudged: "it has no score of this step"}
				continue
			}
			c := changes(*old, *s, score.Step)
			c.Baseline, c.NotJudged = b.Name, score.notComparable("")
			if c.NotJudged == "" {
				c.NotJudged = old.Scores[k].notComparable("in the baseline, ")
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
			default:
				b.falls(s, *score, old.Scores[k])
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
	var named []*Scenario
	for i := range b.scenarios {
		o := &b.scenarios[i]
		if o.Name != s.Name {
			continue
		}
		if o.File == s.File {
			return o
		}
		named = append(named, o)
	}
	if len(named) == 1 {
		return named[0]
	}
	return nil
}

// changes compares the codes of a step, by what was asked.
func changes(old, now Scenario, step string) *Comparison {
	out := &Comparison{}
	was := make(map[string]ScoreRow)
	for _, c := range old.Cases {
		for _, row := range c.Scores {
			if row.Step == step && row.Request != "" {
				was[row.Request] = row
			}
		}
	}
	seen := make(map[string]bool)
	for _, c := range now.Cases {
		for _, row := range c.Scores {
			if row.Step != step || row.Request == "" {
				continue
			}
			before, ok := was[row.Request]
			seen[row.Request] = true
			switch {
			case !ok:
				out.New++
				continue
			}
			switch out.same++; {
			case before.code() == row.code():
				continue
			}
			change := Change{Case: c.Name, Row: c.Row, Want: row.Want, Was: before.code(), Is: row.code(), What: verdict(before.Right, row.Right)}
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

// falls fails a scenario for each share that fell too far.
func (b *Baseline) falls(s *Scenario, now, old Score) {
	tolerance := b.Tolerance
	if tolerance == nil {
		tolerance = new(big.Rat)
	}
	for _, g := range now.Groups {
		i := slices.IndexFunc(old.Groups, func(o ScoreGroup) bool { return o.All == g.All && o.Name == g.Name })
		if i < 0 {
			continue
		}
		for _, m := range g.Metrics {
			j := slices.IndexFunc(old.Groups[i].Metrics, func(o Metric) bool { return o.Name == m.Name })
			if j < 0 {
				continue
			}
			before := old.Groups[i].Metrics[j]
			if before.Of == 0 || m.Of == 0 {
				continue
			}
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
}
