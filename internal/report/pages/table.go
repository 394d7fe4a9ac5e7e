package pages

import (
	"strings"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// maxRows is how many rows a table of the page has. The other formats have all.
const maxRows = 500

// table is the groups of one dimension.
type table struct {
	By   report.Dimension
	Rows []row
	// Others are the groups that have no row, More of them, as one.
	Others row
	More   int
	// Each is what to type for each of them; empty for days, which stand in order.
	Each string
	// Before tells whether there is a time before to compare with.
	Before bool
	// Whole tells that the filter leaves the table as it is.
	Whole bool
}

// IsDays tells whether the rows are days.
func (t table) IsDays() bool { return t.By == report.ByDay }

// IsSuites tells whether they are suites.
func (t table) IsSuites() bool { return t.By == report.BySuite }

type row struct {
	quota.Group
	Name, Runs string
	// Place is that of a day among all of them.
	Place int
}

func newTables(b report.Budget) (all []table) {
	for _, by := range report.Dimensions() {
		groups := b.By(by)
		if len(groups) == 0 {
			continue
		}
		t := table{By: by, More: max(len(groups)-maxRows, 0)}
		from, to := 0, len(groups)-t.More
		if by == report.ByDay { // the latest
			from, to = t.More, len(groups)
		} else {
			t.Each, t.Before = b.Source(by, "NAME"), b.Compared()
		}
		for n, g := range groups {
			if n >= from && n < to {
				t.Rows = append(t.Rows, newRow(by, g, n))
				continue
			}
			o := &t.Others.Group
			tally.Add(&o.Tally, &g.Tally)
			o.Runs, o.Lately, o.Before = o.Runs+g.Runs, o.Lately+g.Lately, o.Before+g.Before
		}
		t.Others.Group.Name = report.Number(int64(t.More)) + " more, in the CSV"
		t.Others = newRow(by, t.Others.Group, 0)
		all = append(all, t)
	}
	return all
}

func newRow(by report.Dimension, g quota.Group, n int) row {
	return row{g, named(g.Name), strings.ReplaceAll(report.RunsOf(by, g), "-", "–"), n}
}
