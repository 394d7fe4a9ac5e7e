package report

import (
	"slices"

	"github.com/hsharness/hsharness/internal/plain"
)

// legible is the run for people: what others wrote in it can't command a terminal or
// a CI system. JSON and HTML have escapes of their own.
func (r Run) legible() Run {
	r.Scenarios = slices.Clone(r.Scenarios)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Name, s.File, s.Again = plain.Line(s.Name), plain.Line(s.File), plain.Line(s.Again)
		s.Cases = slices.Clone(s.Cases)
		for j := range s.Cases {
			c := &s.Cases[j]
			c.Name, c.Why = plain.Line(c.Name), plain.Line(c.Why)
			c.Failures = slices.Clone(c.Failures)
			for k := range c.Failures {
				c.Failures[k] = c.Failures[k].legible()
			}
		}
		s.Unmet = slices.Clone(s.Unmet)
		for j := range s.Unmet {
			s.Unmet[j] = s.Unmet[j].legible()
		}
		s.Scores = slices.Clone(s.Scores)
		for j := range s.Scores {
			s.Scores[j] = s.Scores[j].legible()
		}
	}
	r.Bill = r.Bill.legible()
	return r
}

func (s Score) legible() Score {
	s.Step, s.By, s.NotJudged = plain.Line(s.Step), plain.Line(s.By), plain.Line(s.NotJudged)
	s.Groups = slices.Clone(s.Groups)
	for i := range s.Groups {
		g := &s.Groups[i]
		g.Name, g.Metrics = plain.Line(g.Name), slices.Clone(g.Metrics)
		for j := range g.Metrics {
			m := &g.Metrics[j]
			m.Name, m.Gate = plain.Line(m.Name), plain.Line(m.Gate)
		}
	}
	if c := s.Compared; c != nil {
		clear := *c
		clear.Baseline, clear.NotJudged, clear.Changed = plain.Line(c.Baseline), plain.Line(c.NotJudged), slices.Clone(c.Changed)
		for i, change := range clear.Changed {
			clear.Changed[i] = Change{plain.Line(change.Case), plain.Line(change.Row), plain.Line(change.Want), plain.Line(change.Was), plain.Line(change.Is), change.What}
		}
		s.Compared = &clear
	}
	return s
}

func (f Failure) legible() Failure {
	f.File, f.Case, f.Step = plain.Line(f.File), plain.Line(f.Case), plain.Line(f.Step)
	f.Message, f.Want, f.Got, f.Exchange = plain.Lines(f.Message), plain.Lines(f.Want), plain.Lines(f.Got), plain.Lines(f.Exchange)
	return f
}

func (b Bill) legible() Bill {
	b.Asked, b.NotLeft = plain.Line(b.Asked), plain.Line(b.NotLeft)
	b.Mode, b.ModeLimitedBy, b.Proxy, b.Reason = plain.Line(b.Mode), plain.Line(b.ModeLimitedBy), plain.Line(b.Proxy), plain.Lines(b.Reason)
	b.AskedFor = slices.Clone(b.AskedFor)
	for i, host := range b.AskedFor {
		b.AskedFor[i] = plain.Line(host)
	}
	return b
}
