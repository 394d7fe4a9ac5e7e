package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/plain"
)

// BudgetMarkdown writes a report as Markdown, for the summary of a CI job or a
// page: the figures, the groups of one dimension, and what was wasted.
func BudgetMarkdown(w io.Writer, b Budget, by Dimension) error {
	var out strings.Builder
	fmt.Fprintf(&out, "## Allowance %s\n\n%s, ledger `%s`, entry %d; days are those of UTC\n\n%s\n\n", markText(cell(b.Allowance)), b.Made.Format("2006-01-02 15:04 UTC"), markCode(b.ledger()), b.Seq, b.SummaryMarkdown())
	table := func(title string, head []string, rows int, row func(int) []any) {
		if rows == 0 {
			return
		}
		if title != "" {
			fmt.Fprintf(&out, "\n### %s\n\n", title)
		}
		fmt.Fprintf(&out, "| %s |\n|---%s\n", strings.Join(head, " | "), strings.Repeat("|--:", len(head)-1)+"|")
		for i := range min(rows, maxRows) {
			for _, value := range row(i) {
				fmt.Fprintf(&out, "| %s ", markText(plain.Short(fmt.Sprint(value))))
			}
			out.WriteString("|\n")
		}
		if rows > maxRows {
			fmt.Fprintf(&out, "\n… and %d more\n", rows-maxRows)
		}
	}
	figures := b.Figures()
	table("", []string{"figure", "units", "remark"}, len(figures), func(i int) []any {
		return []any{figures[i].Name, figures[i].Units, figures[i].Remark}
	})
	fmt.Fprintf(&out, "\n%s\n", markText(b.wastedLine()))
	for i, w := range b.Waste {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "- %s: %s; `%s`\n", markText(fmt.Sprintf("%s %d: %s", w.Cause, w.Units, w.Why)), markText(w.Mend), markCode(w.Source))
	}
	if b.Total.Again > 0 {
		fmt.Fprintf(&out, "\n%s\n", markText(b.againLine()))
	}
	fmt.Fprintf(&out, "\n%s\n", markText(b.savedLine()))
	table("Runs left", []string{"suite", "per run", "runs", "at least"}, len(b.RunsLeft), func(i int) []any {
		r := b.RunsLeft[i]
		return []any{cell(r.Suite), fmt.Sprintf("%.1f", r.PerRun), r.Left, r.AtLeast}
	})
	groups := b.By(by)
	table("By "+string(by), b.heads(by), len(groups), func(i int) []any { return b.cells(by, groups[i]) })
	table("Blocked", []string{"rule", "times", "units", "last", "suite"}, len(b.Blocked), func(i int) []any {
		r := b.Blocked[i]
		return []any{RuleName(r), r.Times, r.Units, r.Last.UTC().Format(time.DateOnly), cell(r.Suite)}
	})
	for i, warning := range b.Warnings {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "- warning: %s\n", markText(cell(warning)))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// mention keeps a name with an at sign from calling somebody.
func mention(text string) string { return strings.ReplaceAll(text, "@", "@\u200b") }

// SummaryMarkdown is the summary of a report within a page of Markdown.
func (b Budget) SummaryMarkdown() string { return mention(markText(b.Summary)) }
