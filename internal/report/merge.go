package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Merge puts the shards of a run together: the scenarios of all, each whole again, with their
// scores judged over all cases, and one bill. A scenario that is not whole, is there twice, or
// was not judged, is an error.
func Merge(scenarios []Scenario, bills []Bill) (Run, error) {
	var out Run
	var elapsed int64 // in milliseconds
	at, parts := make(map[[2]string]int), make(map[int][]string)
	for _, s := range scenarios {
		if s.Verdict == "" || slices.ContainsFunc(s.Cases, func(c Case) bool { return c.Verdict == "" }) {
			return Run{}, fmt.Errorf("%s has no verdict, or one of its cases has none, and would count as passed: name the JSON that a run wrote", strings.TrimSpace(s.File+" "+s.Part))
		}
		key := [2]string{s.File, s.Name}
		i, there := at[key]
		if !there {
			at[key], parts[len(out.Scenarios)] = len(out.Scenarios), []string{s.Part}
			s.Cases = slices.Clone(s.Cases)
			out.Scenarios = append(out.Scenarios, s)
			continue
		}
		with := &out.Scenarios[i]
		if with.Part == "" || s.Part == "" {
			return Run{}, fmt.Errorf("%s is there twice, and is no shard: name the JSON of each shard once", s.File)
		}
		if with.Of != s.Of {
			return Run{}, fmt.Errorf("%s: %s is of %d cases, and %s of %d: name the JSON of shards of one run", s.File, with.Part, with.Of, s.Part, s.Of)
		}
		with.Cases = append(with.Cases, s.Cases...)
		with.Spend, with.Calls, with.ElapsedMS = with.Spend+s.Spend, with.Calls+s.Calls, with.ElapsedMS+s.ElapsedMS
		if s.Verdict.Graver(with.Verdict) {
			with.Verdict = s.Verdict
		}
		parts[i] = append(parts[i], s.Part)
	}
	for i := range out.Scenarios {
		s := &out.Scenarios[i]
		s.Part = together(parts[i])
		if s.Part != "" {
			if err := s.whole(); err != nil {
				return Run{}, err
			}
		}
		elapsed += s.ElapsedMS
	}
	out.Elapsed = time.Duration(min(elapsed, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
	out.Bill = sum(bills)
	return out, nil
}

// mostParts is how many parts of a scenario are named.
const mostParts = 20

// together names the parts of a scenario.
func together(parts []string) string {
	if more := len(parts) - mostParts; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(parts[:mostParts], ", "), more)
	}
	return strings.Join(parts, ", ")
}

// verdicts are all, the gravest last.
var verdicts = []Verdict{Skipped, Mocked, Replayed, Stale, Unbought, Bought, Missed, Blocked, Failed}

// Graver tells whether a scenario with cases of both has v: what is no verdict is less than
// all.
func (v Verdict) Graver(than Verdict) bool {
	return slices.Index(verdicts, v) > slices.Index(verdicts, than)
}

// whole makes a scenario of its parts one that ran whole.
func (s *Scenario) whole() error {
	slices.SortStableFunc(s.Cases, func(a, b Case) int { return natural(a.Name, b.Name) })
	for i := 1; i < len(s.Cases); i++ {
		if s.Cases[i-1].Name == s.Cases[i].Name {
			return fmt.Errorf("%s: case %s is there twice (%s): name the JSON of each shard once", s.File, s.Cases[i].Name, s.Part)
		}
	}
	if len(s.Cases) != s.Of {
		return fmt.Errorf("%s: %d of its %d cases are there (%s): name the JSON of every shard, of the same files", s.File, len(s.Cases), s.Of, s.Part)
	}
	scores := s.Scores
	s.Part, s.Of, s.Again, s.Scores, s.Unmet = "", 0, "", nil, nil
	for _, score := range scores {
		if len(score.Groups) == 0 {
			return fmt.Errorf("%s: the score of %s has no figures", s.File, score.Step)
		}
		var gates []Gate
		for _, m := range score.Groups[0].Metrics {
			g, err := ParseGate(m.Name, m.Gate)
			if err != nil {
				return fmt.Errorf("%s: %w", s.File, err)
			}
			g.Line, g.Column = score.Line, score.Column
			gates = append(gates, g)
		}
		s.Judge(Score{Step: score.Step, By: score.By, Line: score.Line, Column: score.Column}, gates)
	}
	return nil
}

// natural compares names as people order them: titles.csv:9 stands before titles.csv:10.
func natural(a, b string) int {
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0") // of any length: no integer holds all of them
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(i, j)); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits a text begins with.
func digits(text string) int { return len(text) - len(strings.TrimLeft(text, "0123456789")) }

// sum is the bill of several runs. Its exit code is for the caller to say.
func sum(bills []Bill) Bill {
	var out Bill
	for i, b := range bills {
		if i == 0 {
			out.Mode, out.Begun, out.Suite, out.Branch, out.Commit = b.Mode, b.Begun, b.Suite, b.Branch, b.Commit
		} else if out.Mode != b.Mode {
			out.Mode = "several"
		}
		if b.Begun.Before(out.Begun) {
			out.Begun = b.Begun
		}
		for _, same := range [][2]*string{{&out.Suite, &b.Suite}, {&out.Branch, &b.Branch}, {&out.Commit, &b.Commit}} {
			if *same[0] != *same[1] {
				*same[0] = ""
			}
		}
		out.MaxSpend, out.Requests, out.Spent, out.Unknown = out.MaxSpend+b.MaxSpend, out.Requests+b.Requests, out.Spent+b.Spent, out.Unknown+b.Unknown
		out.Replayed, out.Mocked, out.Missed, out.Refused = out.Replayed+b.Replayed, out.Mocked+b.Mocked, out.Missed+b.Missed, out.Refused+b.Refused
		out.WouldHaveSpent, out.MissedUnits = out.WouldHaveSpent+b.WouldHaveSpent, out.MissedUnits+b.MissedUnits
		out.Unbought, out.UnboughtUnits, out.AskedAgain = out.Unbought+b.Unbought, out.UnboughtUnits+b.UnboughtUnits, out.AskedAgain+b.AskedAgain
	}
	out.NotLeft = "of several runs"
	return out
}
