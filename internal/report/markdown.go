package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// maxSummary is how long a summary may be, in bytes. GitHub drops one above 1 MiB
// as a whole.
const maxSummary = 1_000_000

// Markdown writes a run as a page of Markdown, for the summary of a CI job: the
// verdicts, the failures and the bill. What would make it longer than GitHub
// takes is cut off, and the page says so.
func Markdown(w io.Writer, r Run) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## hsharness: %s\n\n", markText(total(r)))
	fmt.Fprintf(&b, "%s, in %s. %s\n\n", r.Bill.Mode, r.Elapsed.Round(time.Millisecond), markText(r.Bill.Line()))
	if r.Bill.Reason != "" {
		fmt.Fprintf(&b, "**Exit %d:** %s\n\n", r.Bill.Exit, markText(r.Bill.Reason))
	}
	b.WriteString("| verdict | scenario | cases | calls | units | ms |\n|---|---|--:|--:|--:|--:|\n")
	for _, s := range r.Scenarios {
		verdict := string(s.Verdict)
		if s.Verdict.Failed() {
			verdict = "**" + verdict + "**"
		}
		fmt.Fprintf(&b, "| %s | %s<br>`%s` | %d | %d | %d | %d |\n", verdict, markText(s.Name), markCode(s.File), len(s.Cases), s.Calls, s.Spend, s.ElapsedMS)
	}
	for _, s := range r.Scenarios {
		for _, f := range s.Failures() {
			fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n%s\n</details>\n", htmlText(f.Place()+": "+f.Message), fenced(f.String()))
		}
		if s.Again != "" && s.Verdict.Failed() {
			fmt.Fprintf(&b, "\nAgain: `%s`\n", markCode(s.Again))
		}
	}
	text := b.String()
	if len(text) > maxSummary {
		const cut = "\n\n… cut here: a summary holds no more. The whole report is in the job's log.\n"
		text = text[:maxSummary-len(cut)-len("\n```\n</details>")]
		text = text[:strings.LastIndex(text, "\n")]
		if strings.Count(text, "<details>") > strings.Count(text, "</details>") {
			text += "\n```\n</details>"
		}
		text += cut
	}
	_, err := io.WriteString(w, text)
	return err
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
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "text\n" + s + "\n" + fence
}
