package plan

import (
	"fmt"
	"io"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/show"
)

// Print writes a line for each case to buy with what it covers anew, what is covered then,
// and what is left out.
func (p *Purchase) Print(w io.Writer) {
	fmt.Fprintln(w, "  sum  units  case")
	sum := 0
	for _, b := range p.Buy {
		sum += b.Units
		gain := "nothing new"
		if len(b.New) > 0 {
			gain = strings.Join(b.New, ", ")
		}
		fmt.Fprintf(w, "%5d  %5d  %s: %s\n", sum, b.Units, show.Plain(caseOf(b.File, b.Case)), show.Plain(gain))
	}
	fmt.Fprintf(w, "\n%d of %d units with --mode %s buy %d cases, at least %d %% of the best choice; cases that cost nothing: %d\n", p.Price, p.Units, p.Mode, len(p.Buy), p.OfBest, p.Free)
	for _, c := range p.Covers {
		fmt.Fprintf(w, "%-9s  %d of %d covered, %d new\n", c.Axis, c.Before+c.New, c.All, c.New)
	}
	if len(p.Left) == 0 {
		fmt.Fprintln(w, "left out: nothing")
		return
	}
	cases, units := map[string]int{}, map[string]int{}
	var files []string
	for _, l := range p.Left {
		if cases[l.File] == 0 {
			files = append(files, l.File)
		}
		cases[l.File]++
		units[l.File] += l.Units
	}
	fmt.Fprintf(w, "left out: %d cases\n", len(p.Left))
	for _, file := range files {
		fmt.Fprintf(w, "  %s: %d cases, %d units\n", show.Plain(file), cases[file], units[file])
	}
}

// caseOf is a case as it is shown.
func caseOf(file, name string) string {
	if name == "" {
		return file
	}
	return file + " (" + name + ")"
}
