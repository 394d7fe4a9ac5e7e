package output

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
)

// Budget are the files that a report of allowances goes to, besides what it prints, and what
// it is about.
type Budget struct {
	HTML, Markdown, JSON, CSV, Since string
	// By is the dimension that it groups by, and Also the ledgers of further allowances.
	By   string
	Also []string
}

// Flags adds a flag for each.
func (o *Budget) Flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.HTML, "html", "", "also write the report to this `file` as one HTML page with charts")
	flags.StringVar(&o.Markdown, "md", "", "also write the report to this `file` as Markdown")
	flags.StringVar(&o.JSON, "json", "", "also write the report to this `file` as JSON")
	flags.StringVar(&o.CSV, "csv", "", "also write the groups of --by to this `file` as CSV, all of them")
	flags.StringVar(&o.Since, "since", "", "only what happened since this `time`: a day such as 2026-05-03, or an age such as 30d or 12h")
	flags.StringVar(&o.By, "by", string(report.BySuite), "the `dimension` to group by: "+typed.Listed(report.Dimensions()))
	typed.Values(flags, "by", report.Dimensions()...)
	flags.StringArrayVar(&o.Also, "also", nil, "report on the allowance of this `ledger` too, such as sqlite:PATH (repeatable)")
}

// Check says what is wrong with the flags, or where the report begins.
func (o *Budget) Check(now time.Time) (since time.Time, err error) {
	if !slices.Contains(report.Dimensions(), report.Dimension(o.By)) {
		return since, fmt.Errorf("--by %q is none of %s", o.By, typed.Listed(report.Dimensions()))
	}
	if since, err = typed.Since("--since", o.Since, now); err != nil {
		return since, err
	}
	return since, Check(o.Reports()...)
}

// Reports are those that were asked for.
func (o *Budget) Reports() []Report[report.Several] {
	by := report.Dimension(o.By)
	tables := []string{"allowance,ledger,"}
	for _, d := range report.Dimensions() {
		tables = append(tables, string(d)+",runs,")
	}
	return []Report[report.Several]{
		{Flag: "--html", To: o.HTML, Begins: page, Write: pages.Several},
		{Flag: "--md", To: o.Markdown, Begins: []string{"## Allowance"}, Write: func(w io.Writer, all report.Several) error { return all.Markdown(w, by) }},
		{Flag: "--json", To: o.JSON, Begins: []string{`{"made":`}, Write: func(w io.Writer, all report.Several) error { return all.JSON(w) }},
		{Flag: "--csv", To: o.CSV, Begins: tables, Write: func(w io.Writer, all report.Several) error { return all.CSV(w, by) }},
	}
}

// Print prints what no file takes, as JSON or as text.
func (o *Budget) Print(w io.Writer, asJSON bool, all report.Several) error {
	if asJSON {
		return all.JSON(w)
	}
	return all.Text(w, report.Dimension(o.By))
}
