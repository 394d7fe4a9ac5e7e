package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hsharness/hsharness/internal/hint/source"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/quota"
)

// BudgetJSON writes a report as one JSON object.
func BudgetJSON(w io.Writer, b Budget) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(b)
}

// BudgetCSV writes the groups of a dimension as CSV after RFC 4180, one line
// each, all of them. A name that a spreadsheet would take for a formula gets a
// quote in front.
func BudgetCSV(w io.Writer, b Budget, by Dimension) error {
	return csv.NewWriter(w).WriteAll(append([][]string{csvHead(by)}, b.csvRows(by)...))
}

func csvHead(by Dimension) []string {
	return []string{string(by), "runs", "attempts", "spent", "refunded", "open", "unknown", "refused", "failed", "repeated", "retried", "wasted", "again", "answers", "replayed", "saved", "blocked", "lately", "before"}
}

func (b Budget) csvRows(by Dimension) (rows [][]string) {
	for _, g := range b.By(by) {
		row := []string{noFormula(g.Name)}
		for _, n := range []int64{g.Runs, g.Attempts, g.Spent, g.Refunded, g.Open, g.Unknown, g.Refused, g.Failed, g.Repeated, g.Retried, g.Wasted(), g.Again, g.Answers, g.Replayed, g.Saved, g.Blocked, g.Lately, g.Before} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, row)
	}
	return rows
}

// noFormula is a name that no spreadsheet takes for a formula.
func noFormula(name string) string {
	if name != "" && strings.Contains("=+-@\t\r", name[:1]) {
		return "'" + name
	}
	return name
}

// maxRows is how many groups a text for people lists.
const maxRows = 10

// BudgetText writes a report for a terminal, grouped by one dimension.
func BudgetText(w io.Writer, b Budget, by Dimension) error {
	p := &printer{w: w}
	p.line("allowance %s, ledger %s, entry %d, %s", cell(b.Allowance), b.ledger(), b.Seq, b.Made.Format("2006-01-02 15:04 UTC"))
	p.line("\n%s\n", b.Summary)
	for _, a := range b.Answers()[3:5] {
		p.line("%s", a.Text)
	}
	if next := b.Next(); next.Command != b.at(source.Report) {
		p.line("  next: %s", next.Command)
	}
	p.line("")
	for _, f := range b.Figures() {
		p.line("%s", strings.TrimRight(fmt.Sprintf("%-8s %9d  %s", f.Name, f.Units, f.Remark), " "))
	}
	if chart := sparkline(b.Days, 60); chart != "" {
		first, last := b.Days[0].Start, b.Days[len(b.Days)-1].Start
		p.line("\nspent from %s to %s, by day of UTC\n%s", first.Format(time.DateOnly), last.Format(time.DateOnly), chart)
	}
	p.table("runs left", []string{"suite", "per run", "runs", "at least"}, len(b.RunsLeft), func(i int) []any {
		r := b.RunsLeft[i]
		return []any{cell(r.Suite), fmt.Sprintf("%.1f", r.PerRun), r.Left, r.AtLeast}
	})
	p.groups(b, by)
	if by != ByTest {
		p.groups(b, ByTest)
	}
	p.line("\n%s", b.wastedLine())
	for _, w := range b.Waste {
		p.line("  %s %d: %s; %s\n    %s", w.Cause, w.Units, w.Why, w.Mend, w.Source)
	}
	if b.Total.Again > 0 {
		p.line("%s", b.againLine())
	}
	p.line("%s", b.savedLine())
	p.table("blocked", []string{"rule", "times", "units", "last", "suite"}, len(b.Blocked), func(i int) []any {
		r := b.Blocked[i]
		return []any{cell(RuleName(r)), r.Times, r.Units, r.Last.UTC().Format("2006-01-02 15:04"), cell(r.Suite)}
	})
	p.table("changes", []string{"time", "kind", "units", "note"}, len(b.Changes), func(i int) []any {
		e := b.Changes[i]
		return []any{e.Time.UTC().Format("2006-01-02 15:04"), e.Kind, fmt.Sprintf("%+d", e.Units), cell(ChangeNote(e))}
	})
	for _, warning := range b.Warnings {
		p.line("warning: %s", cell(warning))
	}
	return p.err
}

// ChangeNote is what was noted of a change. One that grants no unit has set the floor, which
// nothing else of it says.
func ChangeNote(e quota.Entry) string {
	if e.Kind != quota.KindGrant || e.Units != 0 {
		return e.Note
	}
	return strings.TrimSuffix(fmt.Sprintf("floor %d: %s", e.Floor, e.Note), ": ")
}

// Figure is one of the figures at the top of a report.
type Figure struct {
	Name   string
	Units  int64
	Remark string // what the word means here; may be empty
	Source string // what to type to see where it comes from
}

// Figures are those of the allowance, in order: left first, and then what it is made
// of: granted, spent, held and floor.
func (b Budget) Figures() []Figure {
	remark := func(n int64, format string, args ...any) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(format, args...)
	}
	kind := func(kinds string) string { return b.at(source.History(source.Filter{Flag: "kind", Value: kinds})) }
	left := "granted − spent − held − floor: what ordinary runs may still spend"
	switch {
	case b.Exhausted:
		left += "; none of it now, because every run is blocked"
	case b.Usable < 0:
		left += fmt.Sprintf("; that would be %d", b.Usable)
	}
	return []Figure{
		{"left", b.Left, left, b.at(source.Status)},
		{"granted", b.Granted, "", kind("grant")},
		{"spent", b.Spent, b.spentRemark(), kind("spend,refund,reconcile")},
		{"held", b.Held, remark(b.Held, "by runs that have not ended: what they do not spend comes back"), b.at(source.Runs)},
		{"floor", b.Floor, remark(b.Floor, "kept back: only runs that a budget lets may spend it"), kind("grant")},
	}
}

// spentRemark says what the groups do not have, which are of what runs spent, and what
// nobody knows the outcome of.
func (b Budget) spentRemark() string {
	var all []string
	if added := b.Spent - b.Total.Spent; added != 0 && b.Since.IsZero() && !b.Begun.IsZero() {
		all = append(all, fmt.Sprintf("%d by runs, %+d by reconciliations", b.Total.Spent, added))
	}
	if b.Unknown != 0 {
		all = append(all, fmt.Sprintf("with %d of which nobody knows what became of them: they count", b.Unknown))
	}
	return strings.Join(all, "; ")
}

// RuleName names the rule that refused.
func RuleName(b quota.Blocked) string {
	if b.Budget == 0 {
		return b.Rule
	}
	return fmt.Sprintf("%s of budget %d", b.Rule, b.Budget)
}

// againLine is what was bought again on purpose.
func (b Budget) againLine() string {
	return fmt.Sprintf("bought again on purpose %d, by verify, refresh or mode live: no waste", b.Total.Again)
}

func (b Budget) wastedLine() string {
	return fmt.Sprintf("wasted %d of %d; second tries of one run %d", b.Wasted, b.Total.Spent, b.Total.Retried)
}

func (b Budget) savedLine() string {
	return fmt.Sprintf("saved %d: %d requests replayed in %s, %d without a recording", b.Saved.Units, b.Saved.Replayed, plural(int(b.Saved.Runs), "run"), b.Saved.Missed)
}

// cell is text on one line, "-" for none.
func cell(s string) string {
	if s = plain.Short(strings.Join(strings.Fields(s), " ")); s == "" {
		return "-"
	}
	return s
}

// groups lists those of a dimension that spent most; the days of the latest.
func (p *printer) groups(b Budget, by Dimension) {
	all := b.By(by)
	if by == ByDay {
		slices.Reverse(all)
	}
	p.table("by "+string(by), b.heads(by), len(all), func(i int) []any { return b.cells(by, all[i]) })
	if len(all) > 0 && by != ByDay {
		p.line("  each: %s", b.Source(by, "NAME"))
	}
}

// heads are those of a table of groups: with what was spent lately and before, where
// there was a time before.
func (b Budget) heads(by Dimension) []string {
	heads := []string{string(by), "runs", "spent", "wasted", "share"}
	if b.Compared() && by != ByDay {
		heads = append(heads, "lately", "before")
	}
	return heads
}

func (b Budget) cells(by Dimension, g quota.Group) []any {
	cells := []any{cell(g.Name), RunsOf(by, g), g.Spent, g.Wasted(), share(g.Spent, b.Total.Spent)}
	if b.Compared() && by != ByDay {
		cells = append(cells, g.Lately, g.Before)
	}
	return cells
}

// RunsOf is how many runs a group has, "-" where that has no meaning.
func RunsOf(by Dimension, g quota.Group) string {
	if by == ByTest || by == ByOperation || by == ByRequest || by == ByDay {
		return "-"
	}
	return strconv.FormatInt(g.Runs, 10)
}

// share is a part of a whole in percent.
func share(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(whole))
}

// table writes the first rows of a table, unless it has none.
func (p *printer) table(title string, head []string, rows int, row func(int) []any) {
	if rows == 0 || p.err != nil {
		return
	}
	p.line("\n%s", title)
	w := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  "+strings.ToUpper(strings.Join(head, "\t")))
	for i := range min(rows, maxRows) {
		for n, value := range row(i) {
			if n == 0 {
				fmt.Fprintf(w, "  %v", value)
				continue
			}
			fmt.Fprintf(w, "\t%v", value)
		}
		fmt.Fprintln(w)
	}
	p.err = w.Flush()
	if rows > maxRows {
		p.line("  … and %d more", rows-maxRows)
	}
}

// sparkline draws what was spent a day, at most width places for all of them.
// It is empty when nothing was.
func sparkline(days []quota.Day, width int) string {
	each := max((len(days)+width-1)/width, 1)
	var sums []int64
	for chunk := range slices.Chunk(days, each) {
		sum := int64(0)
		for _, d := range chunk {
			sum += d.Spent
		}
		sums = append(sums, sum)
	}
	if len(sums) == 0 || slices.Max(sums) == 0 {
		return ""
	}
	steps := []rune("▁▂▃▄▅▆▇█")
	most := slices.Max(sums)
	var chart strings.Builder
	for _, sum := range sums {
		if sum == 0 {
			chart.WriteRune('·')
			continue
		}
		chart.WriteRune(steps[(sum*int64(len(steps))-1)/most])
	}
	unit := "day"
	if each > 1 {
		unit = fmt.Sprintf("%d days", each)
	}
	return fmt.Sprintf("%s  at most %d in a %s", chart.String(), most, unit)
}
