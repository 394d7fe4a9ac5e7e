package plan

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
)

// nameWidth is how much of a scenario's name a line shows.
const nameWidth = 56

// Print writes a line a scenario, their sum, and what to do next.
func (made *Plan) Print(w io.Writer) {
	width := len("scenario")
	for _, s := range made.Scenarios {
		width = max(width, min(utf8.RuneCountInString(show.Plain(s.Name)), nameWidth))
	}
	line := func(name string, figures ...any) {
		if r := []rune(name); len(r) > nameWidth {
			name = string(r[:nameWidth-1]) + "…"
		}
		fmt.Fprintf(w, "%s%s", name, strings.Repeat(" ", width-utf8.RuneCountInString(name)))
		fmt.Fprintf(w, "  %5v  %8v  %8v  %5v  %5v  %s\n", figures...)
	}
	line("scenario", "cases", "expected", "recorded", "sure", "worst", "file")
	var notes []string
	expected, recorded, open := 0, 0, false
	for _, s := range made.Scenarios {
		worst, file := fmt.Sprint(s.Worst), show.Plain(s.File)
		if s.Price.Open {
			worst += "+"
		}
		if s.Ceiling != "" {
			file += " (" + s.Ceiling + ")"
		}
		line(show.Plain(s.Name), s.Cases, s.Price.Expected, s.Recorded, s.Sure, worst, file)
		expected += s.Price.Expected
		recorded += s.Recorded
		open = open || s.Price.Open
		for _, u := range s.Price.Unpriced {
			notes = append(notes, fmt.Sprintf("%s:%d:%d: %s", s.File, u.Pos.Line, u.Pos.Column, u.Why))
		}
	}
	for _, note := range notes {
		fmt.Fprintln(w, show.Plain(note))
	}
	scenarios := fmt.Sprintf("all of %d scenarios", len(made.Scenarios))
	if len(made.Scenarios) == 1 {
		scenarios = "1 scenario"
	}
	worst := fmt.Sprint(made.Worst)
	if open {
		worst += " or more"
	}
	fmt.Fprintf(w, "\n%s: expected %d, sure %d, worst %s units with --mode %s; requests recorded: %d\n", scenarios, expected, made.Sure, worst, made.Mode, recorded)
	if made.Again > 0 {
		fmt.Fprintf(w, "asked again, because what came before is kept as evidence and is no answer: %d\n", made.Again)
	}
	if made.Refused != "" && made.Fits {
		fmt.Fprintf(w, "a run that buys this is refused: %s\n", show.Plain(made.Refused))
	} else {
		made.printFit(w, open)
	}
	if made.Unsealed != "" {
		fmt.Fprintln(w, show.Plain(made.Unsealed))
	}
}

// printFit says whether the ledger lets the worst case in.
func (made *Plan) printFit(w io.Writer, open bool) {
	switch {
	case !made.Fits:
		fmt.Fprintf(w, "blocked: %d left, refused by %s\n", max(*made.Usable, 0), strings.Join(made.Rules, ", "))
		fmt.Fprintln(w, hint.FreeUnits)
	case made.Shipped:
		fmt.Fprintln(w, "fits: the shipped scenarios run offline and buy nothing")
	case made.Worst == 0 && !open:
		fmt.Fprintln(w, "fits: there is nothing to buy")
	case made.Usable == nil:
		fmt.Fprintf(w, "nothing can be bought yet: there is no ledger (%s)\n", hint.FirstLedger)
	case open:
		fmt.Fprintf(w, "fits as far as it is known: %d left; %s\n", max(*made.Usable, 0), hint.BoundRest)
	default:
		fmt.Fprintf(w, "fits: %d left; %s\n", max(*made.Usable, 0), hint.RunWith(made.Mode.String(), made.Worst))
	}
}
