package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxAnnotations is how many errors of one step GitHub shows; it drops those
// that come later.
const maxAnnotations = 10

// GitHub writes the failures of a run as annotations of GitHub Actions, one
// "::error" line each. At most ten, the worst first: what was blocked, what was
// never recorded, and then what failed.
func GitHub(w io.Writer, r Run) error {
	r = r.legible()
	type found struct {
		worst int
		title string
		Failure
	}
	var all []found
	for _, s := range r.Scenarios {
		for _, c := range s.Cases {
			for _, f := range c.Failures {
				worst := slices.Index([]Verdict{Blocked, Missed, Failed}, c.Verdict)
				all = append(all, found{worst, s.Name, f})
			}
		}
		for _, f := range s.Unmet {
			all = append(all, found{0, s.Name, f}) // it is about all cases
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(a.worst, b.worst) })
	for i, f := range all {
		message := f.Message
		if f.Want != "" || f.Got != "" {
			message += "\nwant " + f.Want + "\ngot  " + f.Got
		}
		if i == maxAnnotations-1 && len(all) > maxAnnotations {
			message += fmt.Sprintf("\nand %d more: see the summary", len(all)-maxAnnotations)
		}
		_, err := fmt.Fprintf(w, "::error file=%s,line=%d,col=%d,title=%s::%s\n",
			property(f.File), max(1, f.Line), max(1, f.Column), property(f.title), commandText(message))
		if err != nil || i == maxAnnotations-1 {
			return err
		}
	}
	return nil
}

// commandText escapes the text of a workflow command, as
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts does.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
