package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/plain"
)

// maxSummary is how long a summary may be, in bytes. GitHub drops one above 1 MiB
// as a whole.
const maxSummary = 1_000_000

// maxShown is how much of one failure a summary has, and maxNamed of a name or a
// message, in bytes: a line of megabytes must not keep the others out.
const (
	maxShown = 16 << 10
	maxNamed = 500
)

// Markdown writes a run as a page of Markdown, for the summary of a CI job: the
// verdicts, the failures and the bill. What would make it longer than GitHub
// takes is left out, and the page says so.
func Markdown(w io.Writer, r Run) error {
	r = r.legible()
	p := &page{}
	p.add("## hsharness: %s\n\n", markText(r.Total()))
	p.add("%s, in %s. %s\n\n", r.Bill.Mode, r.Elapsed.Round(time.Millisecond), markText(r.Bill.Line()))
	if r.Bill.Reason != "" {
		p.add("**Exit %d:** %s\n\n", r.Bill.Exit, markText(clipped(r.Bill.Reason, maxShown)))
	}
	p.add("| verdict | scenario | cases | calls | units | ms |\n|---|---|--:|--:|--:|--:|\n")
	for _, s := range r.Scenarios {
		verdict := string(s.Verdict)
		if s.Verdict.Failed() {
			verdict = "**" + verdict + "**"
		}
		cases := strconv.Itoa(len(s.Cases))
		if left := s.LeftOut(); left != "" {
			cases += ", " + markText(left)
		}
		p.add("| %s | %s<br>`%s` | %s | %d | %d | %d |\n", verdict, markText(named(s.Name)), markCode(named(s.File)), cases, s.Calls, s.Spend, s.ElapsedMS)
	}
	for _, s := range r.Scenarios {
		p.scores(s)
	}
	for _, s := range r.Scenarios {
		for _, f := range s.Failures() {
			p.add("\n<details><summary>%s</summary>\n\n%s\n</details>\n", htmlText(named(f.Place()+": "+f.Message)), fenced(clipped(f.String(), maxShown)))
		}
		if s.Again != "" && s.Verdict.Failed() {
			p.add("\nAgain: `%s`\n", markCode(clipped(s.Again, maxShown)))
		}
	}
	if p.left > 0 {
		p.text.WriteString(leftOut)
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// scores adds a table of a scenario's scores.
func (p *page) scores(s Scenario) {
	for _, score := range s.Scores {
		p.add("\n**%s**: the score of step %s\n\n| | right | of | share | with 95 %% certainty | no answer | gate |\n|---|--:|--:|--:|--:|--:|---|\n",
			markText(named(s.Name)), markText(named(score.Step)))
		for _, g := range score.Groups {
			for _, m := range g.Metrics {
				p.add("| %s, %s | %d | %s | %s | %s to %s | %d | %s |\n", m.Name, markText(named(score.Title(g))), m.Right, m.Asked(), m.Percent(), Percent(m.Low), Percent(m.High), m.Missing, markText(score.State(m)))
			}
		}
		if c := score.Compared; c != nil {
			p.add("\n%s\n", markText(c.String()))
			for _, change := range c.Shown() {
				p.add("- %s\n", markText(named(change.String())))
			}
		}
	}
}

const leftOut = "\n\n… cut here: a summary holds no more. The whole report is in the job's log.\n"

// page is a summary in the making. Of what no longer fits nothing is begun.
type page struct {
	text strings.Builder
	left int // how many parts were left out
}

func (p *page) add(format string, args ...any) {
	part := fmt.Sprintf(format, args...)
	if p.left > 0 || p.text.Len()+len(part) > maxSummary-len(leftOut) {
		p.left++
		return
	}
	p.text.WriteString(part)
}

// clipped is the beginning of a text that is longer than so many bytes.
func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " …"
}

// named is a name or a message on one line.
func named(s string) string {
	return clipped(plain.Line(strings.Join(strings.Fields(clipped(s, maxShown)), " ")), maxNamed)
}

// markText makes text what it says in Markdown, on one line of a table.
func markText(s string) string {
	s = htmlText(strings.Join(strings.Fields(s), " "))
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`).Replace(s)
}

// markCode is text within backticks, which no escape is known for.
func markCode(s string) string { return strings.NewReplacer("`", "'", "|", "¦", "\n", " ").Replace(s) }

func htmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// fenced is a block of code. Its fence is longer than any in the text.
func fenced(s string) string {
	longest, here := 2, 0
	for _, c := range []byte(s) {
		if here++; c != '`' {
			here = 0
		}
		longest = max(longest, here)
	}
	fence := strings.Repeat("`", longest+1)
	return fence + "text\n" + s + "\n" + fence
}
