// Package comment says on a change request what it costs: one comment, on a pull
// request of GitHub or a merge request of GitLab, that is kept up to date. It may touch
// the system's API, git for what the request's base had, recordings, and the bills of
// runs; it knows neither a project nor a ledger.
package comment

import (
	"crypto/sha256"
	"fmt"
	"html"
	"strings"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
)

// Costs are what a comment tells.
type Costs struct {
	// Name tells the comments of several jobs on one request apart.
	Name string
	// Base is the name of the branch that the request wants to change.
	Base string
	// Before is the bill of the latest run there, nil where none is known, and After
	// that of the request.
	Before, After *report.Bill
	// Changes are what became of the recordings; nil where those of the base could not
	// be had, and NoChanges says why.
	Changes   *Changes
	NoChanges string
	// Left says in a sentence what ordinary runs may still spend, and how long that
	// lasts; empty where the ledger was not asked.
	Left string
}

// settled tells whether there is nothing to say: the price is what it was, nothing
// would be bought, and no answer changed.
func (c Costs) settled() bool {
	return c.Before != nil && c.Before.Price() == c.After.Price() && c.Before.Missed == c.After.Missed && c.After.Missed == 0 &&
		c.Changes != nil && c.Changes.none()
}

// mostCodes is how many changed codes a comment lists.
const mostCodes = 25

// body is the comment in Markdown, without its mark.
func (c Costs) body() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### hsharness: what this change costs\n\n")
	was := func(figure func(*report.Bill) int) string {
		if c.Before == nil {
			return "not known"
		}
		return fmt.Sprint(figure(c.Before))
	}
	fmt.Fprintf(&b, "| | %s | this change |\n|---|--:|--:|\n", cell(c.base()))
	fmt.Fprintf(&b, "| price of the suite, in units | %s | %s |\n", was((*report.Bill).Price), c.grown())
	missing := fmt.Sprint(c.After.Missed)
	if c.After.Missed > 0 {
		missing += fmt.Sprintf(", which cost at most %s", units(c.After.MissedUnits))
	}
	fmt.Fprintf(&b, "| requests without a recording | %s | %s |\n", was(func(b *report.Bill) int { return b.Missed }), missing)
	if c.After.Spent > 0 {
		fmt.Fprintf(&b, "| units bought by this run | | %d |\n", c.After.Spent)
	}
	b.WriteByte('\n')
	if c.Changes == nil {
		fmt.Fprintf(&b, "What changed in the recordings is not known: %s\n", cell(c.NoChanges))
	} else {
		c.Changes.write(&b)
	}
	if c.After.Verdict != "ok" {
		why, _, _ := strings.Cut(c.After.Reason, "\n") // further lines have paths of the job's machine
		fmt.Fprintf(&b, "\nThe run ended with the verdict %s: %s\n", cell(c.After.Verdict), cell(why))
	}
	return b.String()
}

func (c Costs) base() string {
	if c.Base == "" {
		return "before"
	}
	return c.Base
}

// grown is the price now, and by how much it is another one.
func (c Costs) grown() string {
	now := c.After.Price()
	if c.Before == nil || c.Before.Price() == now {
		return fmt.Sprint(now)
	}
	return fmt.Sprintf("**%d** (%+d)", now, now-c.Before.Price())
}

// mark begins the first line of each comment of that name.
func mark(name string) string { return "<!-- hsharness " + markName(name) + " " }

// markName is a name that can't end the mark it stands in.
func markName(name string) string {
	return strings.NewReplacer("-", "_", ">", "_", "<", "_", " ", "_").Replace(plain.Line(name))
}

// Text is the whole comment, with its mark. What is left changes all the time, and alone is no
// reason to write again: it is not in the digest.
func (c Costs) Text() string {
	body := c.body()
	text := fmt.Sprintf("%s%x -->\n%s", mark(c.Name), sha256.Sum256([]byte(body)), body)
	if c.Left != "" {
		text += "\n" + c.Left + "\n"
	}
	return text
}

// firstLine is that of a comment, with its mark.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimRight(line, "\r")
}

// longestCell is how much of a text a comment shows, in letters. The systems take no comment
// of more than 65,536, and what is said of recordings that can't be read has no end.
const longestCell = 500

// cell is a text of others within a line of Markdown, as code: there it can't end a
// cell, be markup, or mention anybody.
func cell(text string) string {
	if letters := []rune(text); len(letters) > longestCell {
		text = string(letters[:longestCell]) + "…"
	}
	text = html.EscapeString(plain.Line(text))
	text = strings.NewReplacer(`\`, "&#92;", "|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "~", "&#126;").Replace(text)
	return "<code>" + text + "</code>"
}

func units(n int) string {
	if n == 1 {
		return "1 unit"
	}
	return fmt.Sprintf("%d units", n)
}
