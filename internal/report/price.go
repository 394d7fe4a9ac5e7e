package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/quota"
)

// By puts into the bill when the run began and on whose behalf it was.
func (b *Bill) By(begun time.Time, who quota.Attribution) {
	b.Begun = begun.UTC().Truncate(time.Second)
	b.Suite, b.Branch, b.Commit = who.Suite, who.Branch, who.Commit
}

// Price is what the requests of a run cost, in units: what was bought, what was not sent
// because something else answered, and what has no recording.
func (b Bill) Price() int { return b.WouldHaveSpent + b.Spent + b.MissedUnits }

// saved is the part of the price that recordings saved, and mocked the part that the mock
// API answered for: nothing that anybody would have bought.
func (b Bill) saved() (saved, mocked int) {
	if b.Mode == "offline" {
		return 0, b.WouldHaveSpent
	}
	return b.WouldHaveSpent - b.UnboughtUnits, b.UnboughtUnits
}

// PriceText says in a sentence what a run's requests cost: asked, bought and saved.
func (b Bill) PriceText() string {
	if b.Price() == 0 {
		return "The requests of this run cost nothing."
	}
	saved, mocked := b.saved()
	if b.Mode == "offline" {
		return fmt.Sprintf("The requests of this run would cost %s: the mock API answered, and nothing was bought.", units(int64(mocked)))
	}
	text := fmt.Sprintf("The requests of this run cost %s: %s bought and %s saved", units(int64(b.Price())), Number(int64(b.Spent)), Number(int64(saved)))
	if mocked > 0 {
		text += fmt.Sprintf(", %s never bought", Number(int64(mocked)))
	}
	if b.MissedUnits > 0 {
		text += fmt.Sprintf(", %s without a recording", Number(int64(b.MissedUnits)))
	}
	return text + "."
}

// Figures are those of a run's price, in order: what was asked for, and what became of it.
func (b Bill) Figures() []Figure {
	saved, mocked := b.saved()
	bought := fmt.Sprintf("of at most %s", Number(int64(b.MaxSpend)))
	if b.MaxSpend == 0 {
		bought = "this run may buy nothing"
	}
	if b.Unknown > 0 {
		bought += fmt.Sprintf("; of %s nobody knows what became: they count", Number(int64(b.Unknown)))
	}
	all := []Figure{
		{Name: "asked", Units: int64(b.Price()), Remark: "what " + count(int64(b.Requests), "request") + " cost, whoever answered"},
		{Name: "bought", Units: int64(b.Spent), Remark: bought},
		{Name: "saved", Units: int64(saved), Remark: count(int64(b.Replayed), "request") + " answered by recordings"},
	}
	if mocked > 0 || b.Mode == "offline" {
		all = append(all, Figure{Name: "mocked", Units: int64(mocked), Remark: b.mockedText()})
	}
	if b.Missed > 0 {
		all = append(all, Figure{Name: "missing", Units: int64(b.MissedUnits), Remark: count(int64(b.Missed), "request") + " without a recording"})
	}
	return all
}

func (b Bill) mockedText() string {
	if b.Mode == "offline" {
		return "answered by the mock API, which costs nothing"
	}
	return count(int64(b.Unbought), "answer") + " of the mock API in place of what was never bought"
}

// Answers say what a run was: when, of what, and what is left where the allowance does not
// say it.
func (r Run) Answers() []Answer {
	when := "it took " + r.Elapsed.Round(time.Millisecond).String()
	if b := r.Bill.Begun; !b.IsZero() {
		when = b.UTC().Format("2 January 2006, 15:04 UTC") + "; " + when
	}
	all := []Answer{{ID: "when", Question: "When?", Text: when}, {ID: "of", Question: "Of what?", Text: r.Bill.of()}}
	if r.Allowance == nil {
		all = append(all, Answer{ID: "left", Question: "What is left?", Text: plain.Line(r.Bill.Remaining())})
	}
	return all
}

// of says which suite, branch and commit ran, and in which mode.
func (b Bill) of() string {
	const shortHash = 12
	var parts []string
	for _, part := range [][2]string{{"suite", b.Suite}, {"branch", b.Branch}, {"commit", b.Commit[:min(len(b.Commit), shortHash)]}, {"mode", b.Mode}} {
		if part[1] != "" {
			parts = append(parts, part[0]+" "+Name(part[1]))
		}
	}
	text := strings.Join(parts, ", ")
	if b.ModeLimitedBy != "" && !strings.HasPrefix(b.ModeLimitedBy, "-") {
		text += ", by " + Name(b.ModeLimitedBy)
	}
	return text
}

// Next is what to type after a run: what failed again, what was never bought, or what the
// allowance needs. It is empty where there is nothing.
func (r Run) Next() string {
	for _, s := range r.Scenarios {
		if s.Verdict.Failed() && s.Again != "" {
			return s.Again
		}
	}
	switch {
	case r.Bill.Buy != "":
		return r.Bill.Buy
	case r.Allowance != nil:
		return r.Allowance.Next().Command
	}
	return r.Bill.Next
}
