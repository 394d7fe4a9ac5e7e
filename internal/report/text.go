package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Style says how text is written. The zero Style is plain.
type Style struct {
	// Color marks verdicts with ANSI colours.
	Color bool
	// Verbose shows each case of a matrix and the exchange of a failure.
	Verbose bool
}

const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return color + text + reset
}

// Text writes a run: one line a scenario, the failures, and the bill.
func Text(w io.Writer, r Run, style Style) error {
	r = r.legible()
	p := &printer{w: w, style: style, width: nameWidth(r.Scenarios)}
	for _, s := range r.Scenarios {
		p.scenario(s)
	}
	for _, s := range r.Scenarios {
		p.failures(s)
	}
	p.line("")
	p.line("%s in %s%s", p.total(r), r.Elapsed.Round(time.Millisecond), seeded(r))
	p.line("%s", r.Bill.Line())
	return p.err
}

// nameWidth is how wide the column of names is.
func nameWidth(scenarios []Scenario) int {
	const most = 80
	width := 0
	for _, s := range scenarios {
		width = max(width, utf8.RuneCountInString(s.Name))
	}
	return min(width, most)
}

// printer writes lines and keeps the first error.
type printer struct {
	w     io.Writer
	style Style
	width int
	err   error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) verdict(v Verdict) string {
	padded := fmt.Sprintf("%-8s", v)
	switch {
	case v.Failed():
		return p.style.paint(red, padded)
	case v == Stale, v == Unbought, v == Skipped:
		return p.style.paint(yellow, padded)
	}
	return p.style.paint(green, padded)
}

func (p *printer) scenario(s Scenario) {
	var notes []string
	if len(s.Cases) > 1 {
		notes = append(notes, plural(len(s.Cases), "case"))
	}
	if left := s.LeftOut(); left != "" {
		notes = append(notes, left)
	}
	notes = append(notes, plural(s.Calls, "call"), plural(s.Spend, "unit"))
	p.line("%s %-*s  %s", p.verdict(s.Verdict), p.width, s.Name, p.style.paint(faint, strings.Join(notes, ", ")))
	for _, score := range s.Scores {
		p.score(score)
	}
	if !p.style.Verbose || len(s.Cases) < 2 {
		return
	}
	for _, c := range s.Cases {
		note := plural(c.Spend, "unit")
		if c.Verdict == Skipped {
			note = c.Why
		}
		p.line("  %s %-*s  %s", p.verdict(c.Verdict), max(0, p.width-2), c.Name, note)
	}
}

// score shows a score's figures, a line a metric of all cases and of each group that falls
// short; verbose shows all groups.
func (p *printer) score(s Score) {
	for _, g := range s.Groups {
		for _, m := range g.Metrics {
			if !g.All && !p.style.Verbose && (m.Met || s.NotJudged != "") {
				continue
			}
			state := s.State(m)
			switch {
			case state == "":
			case s.NotJudged != "":
				state = p.style.paint(yellow, state)
			case m.Met:
				state = p.style.paint(green, state)
			default:
				state = p.style.paint(red, state)
			}
			p.line("  %s", strings.TrimRight(fmt.Sprintf("%s, %s: %s  %s", m.Name, s.Title(g), m, state), " "))
		}
	}
	if s.Compared != nil {
		p.compared(*s.Compared)
	}
}

// compared shows which codes changed; of many the first, but for verbose.
func (p *printer) compared(c Comparison) {
	p.line("  %s", c)
	shown := c.Shown()
	if p.style.Verbose {
		shown = c.Changed
	}
	for _, change := range shown {
		color := map[string]string{"better": green, "worse": red, "other": yellow}[change.What]
		p.line("    %s", p.style.paint(color, change.String()))
	}
	if left := len(c.Changed) - len(shown); left > 0 {
		p.line("    and %d more, in the JSON", left)
	}
}

// failures shows what failed in a scenario. Several that were found in one
// answer are told one after the other, and the exchange once.
func (p *printer) failures(s Scenario) {
	all := s.Failures()
	for i, f := range all {
		if i == 0 || f.Exchange == "" || f.Exchange != all[i-1].Exchange {
			p.line("")
		}
		if i+1 < len(all) && all[i+1].Exchange == f.Exchange {
			f.Exchange = ""
		}
		p.failure(f)
	}
	if len(all) > 0 && s.Again != "" {
		p.line("again: %s", s.Again)
	}
}

func (p *printer) failure(f Failure) {
	p.line("%s: %s", f.Place(), f.Message)
	if f.Want != "" {
		p.line("  %s", p.style.paint(green, "- want "+indented(f.Want)))
	}
	if f.Got != "" {
		p.line("  %s", p.style.paint(red, "+ got  "+indented(f.Got)))
	}
	if f.Exchange != "" {
		p.line("  %s", p.style.paint(faint, indented(f.Exchange)))
	}
}

// String is the failure as text: its place and message, what was wanted and
// what came, and the exchange. It ends without a line break.
func (f Failure) String() string {
	var b strings.Builder
	p := &printer{w: &b}
	p.failure(f.legible())
	return strings.TrimSuffix(b.String(), "\n")
}

func indented(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ")
}

// Place is where a failure is: file:line:column, and the case and step in it.
func (f Failure) Place() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	var in []string
	if f.Case != "" {
		in = append(in, f.Case)
	}
	if f.Step != "" {
		in = append(in, "step "+f.Step)
	}
	if len(in) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(in, ", "))
	}
	return b.String()
}

// Total says how many scenarios there were and how many failed.
func (r Run) Total() string {
	p := &printer{}
	return p.total(r)
}

func (p *printer) total(r Run) string {
	failed := r.Failed()
	text := plural(len(r.Scenarios), "scenario") + ", "
	switch {
	case len(r.Scenarios) == 0:
		return "no scenario in this shard"
	case failed == 0:
		return text + p.style.paint(green, "all passed") + r.leftOut()
	}
	return text + p.style.paint(red, strconv.Itoa(failed)+" failed") + r.leftOut()
}

// leftOut says how many cases were left out in all, and why the first was.
func (r Run) leftOut() string {
	n, why := 0, ""
	for _, s := range r.Scenarios {
		for _, c := range s.Cases {
			if c.Verdict == Skipped {
				n, why = n+1, cmp.Or(why, c.Why)
			}
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s skipped: %s", plural(n, "case"), why)
}

func seeded(r Run) string {
	if r.Seed == 0 {
		return ""
	}
	return fmt.Sprintf(" · seed %d", r.Seed)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
