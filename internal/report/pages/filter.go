package pages

import (
	"time"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// data is what the script filters by suite and time. Suites are known by their place, and
// days by theirs among all days.
type data struct {
	// Days is how many days there are, and Bands how far back those of cells reach.
	Days  int                    `json:"days"`
	Bands [tally.Bands - 1]int64 `json:"bands"`
	// From is the day on which each choice of days begins, as commands have it; none is
	// with the report or before.
	From map[int64]string `json:"from"`
	// Words are the names of suites as a shell takes them.
	Words []string `json:"words"`
	// Suites has for each suite the days on which something happened: the place of the day,
	// and [dayFigures].
	Suites [][][]int64 `json:"suites"`
	// Tables has the cells of each: the row, -1 for that of the others; the suite; what was
	// spent lately and before; and for each band in which something happened its number,
	// runs, spent, wasted, refunded and again.
	Tables map[report.Dimension][][]int64 `json:"tables"`
	// Blocked has for each row of that table and each band: the row, the band, how often,
	// and how many units.
	Blocked [][]int64 `json:"blocked"`
	// Bars is the plot of what was spent by day, and Left that of what is left.
	Bars, Left *area
}

// area is where a plot is in its figure, and how far its axes go.
type area struct {
	Left, Right, Top, Bottom, Places float64
	High                             int64
	// Spans are the bars: the places of the first and the last day, and the name.
	Spans [][3]any
}

// dayFigures are those of a day of a suite, in the order in which the script knows them.
func dayFigures(d quota.Day) []int64 {
	return []int64{d.Spent, d.Repeated, d.Refused, d.Failed, d.Unknown, d.Refunded, d.Again, d.Saved, d.Replayed, d.Retried, d.Blocked}
}

// maxCells is how many cells of a table the page keeps: a table that has more is left
// whole, so that a page stays small enough to be sent.
const maxCells = 5000

// place is that of a day among all of them.
func place(b report.Budget, at time.Time) int {
	if len(b.Days) == 0 {
		return 0
	}
	return int(at.Sub(b.Days[0].Start) / (24 * time.Hour))
}

func newData(b report.Budget, tables []table) data {
	d := data{Days: len(b.Days), Bands: tally.BandDays(), From: map[int64]string{}, Suites: [][][]int64{}, Words: []string{}, Tables: map[report.Dimension][][]int64{}, Blocked: [][]int64{}}
	if len(b.Days) == 0 {
		return d
	}
	for _, n := range d.Bands {
		if from := b.Made.Truncate(24*time.Hour).AddDate(0, 0, 1-int(n)); from.After(b.Since) && from.After(b.Days[0].Start) {
			d.From[n] = from.Format(time.DateOnly)
		}
	}
	for _, g := range b.Suites {
		days := [][]int64{}
		for _, one := range b.SuiteDays[g.Name] {
			days = append(days, append([]int64{int64(place(b, one.Start))}, dayFigures(one)...))
		}
		d.Suites, d.Words = append(d.Suites, days), append(d.Words, plain.Word(g.Name))
	}
	suites := places(b.Suites)
	of := map[report.Dimension][]tally.Cell{
		report.BySuite: b.Cells.Suites, report.ByBranch: b.Cells.Branches, report.ByActor: b.Cells.Actors, report.ByKey: b.Cells.Keys,
		report.ByTest: b.Cells.Tests, report.ByOperation: b.Cells.Operations,
	}
	for i := range tables {
		t := &tables[i]
		if t.By == report.ByDay {
			continue
		}
		if cells := t.cells(of[t.By], suites); len(of[t.By]) > 0 && len(cells) <= maxCells {
			d.Tables[t.By] = cells
		} else {
			t.Whole = true
		}
	}
	d.Blocked = blockedCells(b)
	bars, all, monthly := perDayPlot(b)
	d.Bars, d.Left = bars.area(), burnDownPlot(b).area()
	for _, s := range all {
		d.Bars.Spans = append(d.Bars.Spans, [3]any{s.from, s.to, s.name(monthly)})
	}
	return d
}

// area is that of a plot.
func (p *plot) area() *area {
	return &area{Left: p.left, Right: p.right, Top: p.top, Bottom: p.bottom, Places: p.places, High: p.units.high}
}

// cells are those of a table's rows, and of the others together, by suite.
func (t *table) cells(all []tally.Cell, suite func(string) int) [][]int64 {
	rows := map[string]int{}
	for n, r := range t.Rows {
		rows[r.Group.Name] = n
	}
	cells, others := [][]int64{}, map[string]*tally.Cell{}
	for i := range all {
		c := &all[i]
		if n, ok := rows[c.Name]; ok {
			cells = append(cells, flat(n, suite(c.Suite), c))
			continue
		}
		o := others[c.Suite]
		if o == nil {
			o = &tally.Cell{}
			others[c.Suite] = o
		}
		o.Merge(c)
	}
	for name, c := range others {
		cells = append(cells, flat(-1, suite(name), c))
	}
	return cells
}

func flat(row, suite int, c *tally.Cell) []int64 {
	all := []int64{int64(row), int64(suite), c.Lately, c.Before}
	for band, s := range c.Bands {
		if s != (tally.Sums{}) {
			all = append(all, int64(band), s.Runs, s.Spent, s.Wasted, s.Refunded, s.Again)
		}
	}
	return all
}

func blockedCells(b report.Budget) [][]int64 {
	type refusal struct {
		rule   string
		budget int
		suite  string
	}
	rows := map[refusal]int{}
	for n, r := range b.Blocked {
		rows[refusal{r.Rule, r.Budget, r.Suite}] = n
	}
	all := [][]int64{}
	for _, r := range b.Cells.Blocked {
		n, ok := rows[refusal{r.Rule, r.Budget, r.Suite}]
		for band, times := range r.Times {
			if ok && times > 0 {
				all = append(all, []int64{int64(n), int64(band), times, r.Units[band]})
			}
		}
	}
	return all
}
