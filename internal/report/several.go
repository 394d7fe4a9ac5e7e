package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Several are the reports of several allowances, each of a ledger of its own, in the order
// in which somebody asked for them. One alone is a report like any other.
type Several []Budget

// Summary says in a sentence or two how all of them stand: what is left in them together, and
// which need a decision.
func (all Several) Summary() string {
	var left, granted int64
	var needy []string
	for _, b := range all {
		left, granted = left+b.Left, granted+b.Granted
		if b.Next().Text != nothing {
			needy = append(needy, Name(b.Allowance))
		}
	}
	text := fmt.Sprintf("%s of %s are left for ordinary runs, in %s. ", Number(left), units(granted), count(int64(len(all)), "allowance"))
	switch len(needy) {
	case 0:
		return text + nothing
	case 1:
		return text + "One needs a decision: " + needy[0] + "."
	}
	last := len(needy) - 1
	return fmt.Sprintf("%s%d need a decision: %s and %s.", text, len(needy), strings.Join(needy[:last], ", "), needy[last])
}

// ledger names it by its id, and where it is, if that is to be said.
func (b Budget) ledger() string {
	if b.Ledger == "" {
		return cell(b.LedgerID)
	}
	return cell(b.LedgerID) + " (" + cell(b.Ledger) + ")"
}

// Until says in a few words how long what is left lasts.
func (b Budget) Until() string {
	f := b.Forecast
	switch {
	case b.Exhausted:
		return "none may be spent"
	case b.Left == 0:
		return "gone"
	case f.TooEarly:
		return "too early to tell"
	case f.RunsOut == "":
		return "no end in sight"
	case f.Latest == "":
		return fmt.Sprintf("%s (%s at the earliest)", date(f.RunsOut, b.Made), date(f.Earliest, b.Made))
	}
	return fmt.Sprintf("%s (%s to %s)", date(f.RunsOut, b.Made), date(f.Earliest, b.Made), date(f.Latest, b.Made))
}

// Text writes all of them for a terminal, each grouped by one dimension.
func (all Several) Text(w io.Writer, by Dimension) error {
	return all.each(w, all.Summary()+"\n", func(b Budget) error { return BudgetText(w, b, by) })
}

// Markdown writes all of them as Markdown.
func (all Several) Markdown(w io.Writer, by Dimension) error {
	return all.each(w, "## Allowances\n\n"+mention(markText(all.Summary()))+"\n", func(b Budget) error { return BudgetMarkdown(w, b, by) })
}

// JSON writes one object a line for each.
func (all Several) JSON(w io.Writer) error {
	for _, b := range all {
		if err := BudgetJSON(w, b); err != nil {
			return err
		}
	}
	return nil
}

// each writes the sentence of all first, and an empty line before each.
func (all Several) each(w io.Writer, sentence string, write func(Budget) error) error {
	if len(all) == 1 {
		return write(all[0])
	}
	if _, err := io.WriteString(w, sentence); err != nil {
		return err
	}
	for _, b := range all {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := write(b); err != nil {
			return err
		}
	}
	return nil
}

// CSV writes the groups of a dimension as [BudgetCSV] does; those of several allowances have
// the names of their allowance and ledger in front.
func (all Several) CSV(w io.Writer, by Dimension) error {
	if len(all) == 1 {
		return BudgetCSV(w, all[0], by)
	}
	rows := [][]string{append([]string{"allowance", "ledger"}, csvHead(by)...)}
	for _, b := range all {
		for _, row := range b.csvRows(by) {
			rows = append(rows, append([]string{noFormula(b.Allowance), noFormula(b.Ledger)}, row...))
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}
