package report

import (
	"fmt"
	"slices"

	"github.com/hsharness/hsharness/quota"
)

// possible says which of what a scenario was found to be no run can have, nil for nothing:
// it would be compared, and the baseline pass whatever came, or be added up and wrap around.
func (s *Scenario) possible() error {
	for _, score := range s.Scores {
		for _, g := range score.Groups {
			for _, m := range g.Metrics {
				if m.Right < 0 || m.Of < m.Right {
					return fmt.Errorf("the score %s of step %s has %d right of %d", m.Name, score.Step, m.Right, m.Of)
				}
			}
		}
	}
	if err := s.Verdict.possible(); err != nil {
		return err
	}
	for i := range s.Cases {
		if err := s.Cases[i].Verdict.possible(); err != nil {
			return err
		}
	}
	if s.ElapsedMS < 0 || s.ElapsedMS > quota.MaxUnits {
		return fmt.Errorf("elapsed_ms is %d, want 0 to %d", s.ElapsedMS, int64(quota.MaxUnits))
	}
	return possible(figure{"spend", s.Spend}, figure{"calls", s.Calls})
}

// possible refuses a word that is no verdict, such as one of a later version: it would count
// as passed.
func (v Verdict) possible() error {
	if v != "" && !slices.Contains(verdicts, v) {
		return fmt.Errorf("the verdict %q is none of %v", v, verdicts)
	}
	return nil
}

// figure is a number of a run by the name that it has in JSON.
type figure struct {
	name string
	n    int
}

// figures are those of a bill that are added up.
func (b *Bill) figures() []figure {
	return []figure{
		{"max_spend", b.MaxSpend}, {"requests", b.Requests}, {"spent", b.Spent}, {"unknown", b.Unknown}, {"replayed", b.Replayed}, {"mocked", b.Mocked},
		{"missed", b.Missed}, {"refused", b.Refused}, {"would_have_spent", b.WouldHaveSpent}, {"missed_units", b.MissedUnits},
		{"unbought", b.Unbought}, {"unbought_units", b.UnboughtUnits}, {"asked_again", b.AskedAgain},
	}
}

// possible refuses what is below zero, and what wraps around when as many lines as are read
// have it.
func possible(figures ...figure) error {
	for _, f := range figures {
		if f.n < 0 || int64(f.n) > quota.MaxUnits {
			return fmt.Errorf("%s is %d, want 0 to %d", f.name, f.n, int64(quota.MaxUnits))
		}
	}
	return nil
}
