package check

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
)

// Correlation is what becomes of codes in the next edition.
type Correlation struct{ *nomenclature.Correlation }

// ReadCorrelation reads a user's table.
func ReadCorrelation(name string, r io.Reader) (Correlation, error) {
	c, err := nomenclature.ReadCorrelation(name, r)
	return Correlation{c}, err
}

func (c Correlation) edition() string { return fmt.Sprintf("HS %d", c.To) }

// holds refuses a day on which the newer edition does not hold yet. Editions enter
// into force on the first of January.
func (c Correlation) holds(day time.Time) error {
	if day.Year() < c.To {
		return fmt.Errorf("on %s HS %d still holds: the table is of %s, from %d-01-01 on", day.Format(time.DateOnly), c.From, c.edition(), c.To)
	}
	return nil
}

// Change is a code that is another one in the next edition.
type Change struct {
	// Where is the recording with the place in its answer, or the scenario with line
	// and column.
	Where string `json:"where"`
	Code  string `json:"code"`
	// What is moves, splits or vanishes, and Becomes the new subheadings.
	What    string   `json:"what"`
	Becomes []string `json:"becomes"`
}

// Changes is what changes, of all that was looked at.
type Changes struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Codes   int      `json:"codes"`
	Changed []Change `json:"changed"`
}

// Changes finds the codes of recordings and scenarios that change.
func (c Correlation) Changes(all iter.Seq[*recording.Recording], scenarios []selection.Source) Changes {
	r := Changes{From: fmt.Sprintf("HS %d", c.From), To: c.edition(), Changed: []Change{}}
	add := func(where, code, digits, edition string) {
		if len(digits) < 6 || strings.Contains(edition, c.edition()) { // it is of the newer one
			return
		}
		r.Codes++
		change := Change{Where: where, Code: code, Becomes: c.Becomes(digits[:6])}
		switch {
		case len(change.Becomes) == 0:
			change.What = "vanishes"
		case len(change.Becomes) > 1:
			change.What = "splits"
		case change.Becomes[0] != digits[:6]:
			change.What = "moves"
		default:
			return
		}
		r.Changed = append(r.Changed, change)
	}
	for _, code := range codes(all, new(int)) {
		add(code.place(), code.Code, code.digits, code.of)
	}
	for _, s := range scenarios {
		edition := ""
		if parsed, err := scenario.ParseFile(s.Name, s.Data); err == nil {
			edition = parsed.Edition
		}
		for i, line := range strings.Split(string(s.Data), "\n") {
			for _, m := range inScenario.FindAllStringSubmatchIndex(line, -1) {
				code := line[m[2]:m[3]]
				if digits := nomenclature.Digits(code); nomenclature.Exists(digits[:min(6, len(digits))]) {
					add(fmt.Sprintf("%s:%d:%d", show.Plain(s.Name), i+1, m[2]+1), code, digits, edition)
				}
			}
		}
	}
	return r
}

// inScenario is a code that a scenario sends or expects: the value of a member named
// for one, alone or at the beginning of a pattern.
var inScenario = pattern.New(`(?i)(?:hs_?6|hs_?codes?|codes?|tariff|hts|cn8|taric|sub_?heading)["']?\s*:\s*["']?(?:/\^|\$eq )?(\d{4}\.?\d{2}(?:[. ]?\d{2}){0,3})\b`)

// Print lists them.
func (r Changes) Print(w io.Writer) {
	for _, c := range r.Changed {
		text := c.Code + " " + c.What
		switch c.What {
		case "moves":
			text += " to " + c.Becomes[0]
		case "splits":
			text += " into " + strings.Join(c.Becomes, ", ")
		}
		fmt.Fprintf(w, "%s: %s\n", c.Where, show.Plain(text))
	}
	fmt.Fprintf(w, "%d of %d codes change from %s to %s\n", len(r.Changed), r.Codes, r.From, r.To)
}
