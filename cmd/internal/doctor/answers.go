package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/project"
)

// examineAnswers says of each operation what the mock's answers rest on: what is
// verified, what was learned, and what is taken on trust.
func examineAnswers(pr *project.Project) []Diagnosis {
	set, err := pr.Learned()
	if err != nil {
		return []Diagnosis{wrong("answers", err.Error(), hint.For(err))}
	}
	var all []Diagnosis
	known := map[string]bool{}
	var alike []string // operations of which nothing was learned, with the same facts
	facts := avalara.Operations()
	for i, fact := range facts {
		operation := fact.Method + " " + fact.Path
		known[operation] = true
		verified := fact.Known + ": " + fact.Source
		op := set.Of(operation)
		if op != nil {
			all = append(all, answers(operation, verified, learnedOf(op), op.Assumed))
		} else {
			alike = append(alike, operation)
		}
		if last := i == len(facts)-1 || facts[i+1].Known != fact.Known; last && len(alike) > 0 {
			learned := "nothing; " + string(hint.LearnShapes)
			if fact.Published {
				learned = "nothing: the published shape is kept"
			}
			all = append(all, answers(strings.Join(alike, ", "), verified, learned, []string{fact.Unknown}))
			alike = nil
		}
	}
	for _, op := range set.Operations() {
		if !known[op.Operation] {
			all = append(all, answers(op.Operation, "nothing: no public source names it", learnedOf(op), op.Assumed))
		}
	}
	return all
}

// codes is what no recording can tell.
const codes = "which code goods get that were not bought"

func answers(operations, verified, learned string, trusted []string) Diagnosis {
	line := func(name, text string) string { return fmt.Sprintf("\n%-19s %-9s %s", "", name, text) }
	return fine("answers", "%s", operations+line("verified", verified)+line("learned", learned)+line("assumed", strings.Join(append([]string{codes}, trusted...), "; ")))
}

// learnedOf says from how many recordings of which days, and which cases they show.
func learnedOf(op *shape.Operation) string {
	n, plural := len(op.Learned.Recordings), "s"
	if n == 1 {
		plural = ""
	}
	days := op.Learned.From.Format(time.DateOnly)
	if to := op.Learned.To.Format(time.DateOnly); to != days {
		days += " to " + to
	}
	var cases []string
	for _, a := range op.Answers {
		cases = append(cases, fmt.Sprintf("%s (%d)", a.When, a.Status))
	}
	text := fmt.Sprintf("from %d recording%s of %s: %s", n, plural, days, strings.Join(cases, ", "))
	if e := op.Elapsed; e != nil {
		text += fmt.Sprintf("; answers took %d ms, 95 %% of them at most %d", e.Median, e.P95)
	}
	return text
}
