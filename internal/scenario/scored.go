package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/report"
)

// Scored are the scores that the scenarios ask for.
func Scored(all []*Scenario) (names []report.ScoreName) {
	for _, s := range all {
		for st := range s.all() {
			if st.Score != nil {
				names = append(names, report.ScoreName{File: s.File, Name: s.Name, Step: st.called()})
			}
		}
	}
	return names
}

// scored is what an answer is worth to the step's score. An answer that the step did not
// expect is worth nothing.
func (run *caseRun) scored(step *Step, env Env, got *exchange) {
	if step.Score == nil || got == nil {
		return
	}
	row := step.Score.row(env, step.Request)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", got.method, strings.TrimPrefix(got.url, run.base(got.url)), got.request))
	row.Step, row.Request = step.called(), hex.EncodeToString(sum[:8])
	for i, code := range row.Got {
		row.Got[i] = run.mask(code)
	}
	row.Want, row.Why = run.mask(row.Want), run.mask(row.Why)
	run.scores = append(run.scores, row)
}

// base is the part of a URL that is this run's alone: the port of a guard.
func (run *caseRun) base(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// What is kept of an answer for a score: so many codes, of which three are compared, and so
// many bytes of why it is wrong. There may be 100,000 answers, and as many codes in each.
const (
	maxCodes = 100
	maxWhy   = 2000
)

// row judges an answer.
func (s *Score) row(env Env, r *Request) report.ScoreRow {
	out := report.ScoreRow{Right: map[string]bool{}}
	var why []string
	for _, at := range s.At {
		codes, problem := codesAt(env.Res.JSON, at, maxCodes-len(out.Got))
		if problem != "" {
			why = append(why, problem)
		}
		out.Got = append(out.Got, codes...)
	}
	if s.Want != nil {
		var err error
		if out.Want, err = s.Want.Render(env); err != nil {
			why = append(why, err.Error())
		} else if n := s.digits(); len(nomenclature.Digits(out.Want)) < n {
			why = append(why, wanted(out.Want, n))
		}
	}
	first := append(slices.Clone(out.Got), "")[0]
	for _, g := range s.Gates {
		right := false
		switch g.Metric {
		case "heading":
			right = alike(out.Want, first, 4)
		case "six":
			right = alike(out.Want, first, 6)
		case "among3":
			right = slices.ContainsFunc(out.Got[:min(3, len(out.Got))], func(code string) bool { return alike(out.Want, code, 6) })
		case "legal":
			err := s.legal(env, r, first)
			if right = err == nil; !right && first != "" {
				why = append(why, err.Error())
			}
		case "confidence":
			number, ok := exactOf(pointed(env.Res.JSON, g.At))
			if right = ok && number.compare(g.Over) > 0; ok {
				out.Confidence = show(pointed(env.Res.JSON, g.At))
			} else {
				why = append(why, "the answer has no number at "+g.At)
			}
		}
		out.Right[g.Metric] = right
	}
	out.Why = cutOff(strings.Join(why, "; "), maxWhy)
	return out
}

// legal tells why a code can't be declared where the goods go.
func (s *Score) legal(env Env, r *Request, code string) error {
	var country string
	var err error
	if s.Country != nil {
		country, err = s.Country.Render(env)
	} else {
		i := slices.IndexFunc(r.Body.Members, func(m Member) bool { return m.Name == countryOfDestination })
		var v any
		if v, err = r.Body.Members[i].Value.Render(env); err == nil {
			country, err = inText(v)
		}
	}
	if err != nil {
		return err
	}
	if !nomenclature.IsCountry(strings.ToUpper(strings.TrimSpace(country))) {
		return fmt.Errorf("%q is no country", country)
	}
	return env.Schedules.Legal(country, code)
}

// alike compares the first digits of two codes; dots and spaces do not matter.
func alike(want, got string, digits int) bool {
	want, got = nomenclature.Digits(want), nomenclature.Digits(got)
	return len(want) >= digits && len(got) >= digits && want[:digits] == got[:digits]
}

// pointed is the value at an RFC 6901 pointer, nil where there is none.
func pointed(v any, at string) any {
	for _, name := range strings.Split(at, "/")[1:] {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch within := v.(type) {
		case map[string]any:
			v = within[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(within) || strconv.Itoa(i) != name {
				return nil
			}
			v = within[i]
		default:
			return nil
		}
	}
	return v
}

// codesAt are the first codes at a pointer, so many at most: a text, a number, or a list of
// these.
func codesAt(answer any, at string, most int) (codes []string, problem string) {
	found := pointed(answer, at)
	items, list := found.([]any)
	if !list {
		items = []any{found}
	}
	for _, item := range items[:min(len(items), most)] {
		switch item.(type) {
		case nil, bool, []any, map[string]any:
			return codes, "the answer has no code at " + at
		}
		text, err := inText(item)
		if err != nil {
			return codes, err.Error()
		}
		codes = append(codes, text)
	}
	return codes, ""
}

// judge adds the scores of a scenario up, over all cases: one without an answer is wrong,
// unless it was left out. What mask hides stands in no row, whatever its table has.
func judge(s *Scenario, out *report.Scenario, mask func(string) string) {
	var cases []Case
	left := maxAllSteps
	for st := range s.all() {
		if st.Score == nil {
			continue
		}
		if cases == nil {
			cases = s.Cases()
		}
		for i := range out.Cases {
			complete(&out.Cases[i], st, cases[i], &left, mask)
		}
		gates := make([]report.Gate, len(st.Score.Gates))
		for i, g := range st.Score.Gates {
			gates[i] = g.Gate
		}
		out.Judge(report.Score{Step: st.called(), By: st.Score.By, NotJudged: s.Partial, Line: st.Score.Pos.Line, Column: st.Score.Pos.Column}, gates)
	}
}

// complete gives a case its row of a step's score, with its group.
func complete(c *report.Case, st *Step, of Case, left *int, mask func(string) string) {
	i := slices.IndexFunc(c.Scores, func(r report.ScoreRow) bool { return r.Step == st.called() })
	if i < 0 {
		i = len(c.Scores)
		row := report.ScoreRow{Step: st.called(), Why: "no answer: the case is " + string(c.Verdict)}
		if c.Verdict == report.Skipped {
			row.Why, row.LeftOut = c.Why, true
		}
		c.Scores = append(c.Scores, row)
	}
	row := &c.Scores[i]
	row.Group = mask(st.Score.group(of))
	if row.Want == "" && st.Score.Want != nil { // of a case that did not get so far, as far as it is known
		want, _ := st.Score.Want.Render(Env{Matrix: of.Values, Row: of.Row, left: left})
		row.Want = mask(want)
	}
}
