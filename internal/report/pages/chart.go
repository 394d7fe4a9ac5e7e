// Package pages writes what became of an allowance as HTML: charts as inline SVG
// ([BurnDown], [PerDay], [Bars], [Savings]) and the whole report as one page that
// needs nothing else ([Budget]).
//
// It may touch package report, the types of package quota, and the writer that it
// is given. The charts are drawn by templates, in whole units and real days; they
// take their colours from the page around them, see [Style].
package pages

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// PerDay is what was spent on each day, or in each month where there are many, and
// how much of it was wasted. It is empty where there is no day.
func PerDay(b report.Budget) (template.HTML, error) {
	if len(b.Days) == 0 {
		return "", nil
	}
	p, all, monthly := perDayPlot(b)
	today := float64(len(all)) - 0.5
	p.today(today)
	for _, n := range labelled(len(all), 5) {
		p.named(float64(n)+0.5, today, all[n].name(monthly))
	}
	width := (p.right - p.left) / p.places
	for i, s := range all {
		x, w := p.x(float64(i))+width*0.1, width*0.8
		said := s.name(monthly) + ": " + spentText(s.Tally)
		below := int64(0)
		for _, part := range parts(s.Tally) {
			if part.units > 0 {
				y := p.y(below + part.units)
				p.Shapes = append(p.Shapes, shape{Class: part.class, Path: rect(x, y, w, p.y(below)-y), Title: said, Days: s.days()})
			}
			below += part.units
		}
	}
	p.Legend = spentLegend(b)
	p.Desc = fmt.Sprintf("%d units were spent from %s to %s, %d of them wasted.",
		b.Total.Spent, b.Days[0].Start.Format(time.DateOnly), b.Days[len(b.Days)-1].Start.Format(time.DateOnly), b.Wasted)
	return p.html()
}

// perDayPlot is the axes of it, and its bars: of days, or of months.
func perDayPlot(b report.Budget) (p *plot, all []span, monthly bool) {
	all, monthly = spans(b.Days)
	most := int64(0)
	for _, s := range all {
		most = max(most, s.Spent)
	}
	title := "Spent, by day"
	if monthly {
		title = "Spent, by month"
	}
	// A few days are no wall of colour.
	places := max(float64(len(all)), 7)
	p = newPlot("per-day", title, newScale(0, most), places)
	return p, all, monthly
}

// maxBars is how many groups a chart shows.
const maxBars = 8

// Bars is what the groups of a dimension spent that spent most. It is empty where
// there are none.
func Bars(b report.Budget, by report.Dimension) (template.HTML, error) {
	groups := b.By(by)
	var all []bar
	for _, g := range groups[:min(len(groups), maxBars)] {
		all = append(all, bar{named(g.Name), g.Tally})
	}
	title := "Spent, by " + string(by)
	if more := len(groups) - len(all); more > 0 {
		title += fmt.Sprintf(": the first %d of %d", len(all), len(groups))
	}
	return bars("spent-by-"+string(by), title, all, spentLegend(b))
}

// Savings is what was bought beside what recordings saved. It is empty where there
// was neither.
func Savings(b report.Budget) (template.HTML, error) {
	if b.Total.Spent == 0 && b.Saved.Units == 0 {
		return "", nil
	}
	return bars("savings", "Bought, and saved by recordings", []bar{{"bought", b.Total}, {"saved", quota.Tally{Spent: b.Saved.Units}}}, spentLegend(b))
}

// part is one of those that a bar is made of.
type part struct {
	class, name string
	units       int64
}

// parts are what was spent: for something new, again on purpose, and for nothing.
func parts(t quota.Tally) []part {
	return []part{
		{"useful", "for something new", t.Spent - t.Again - t.Wasted()},
		{"again", "again on purpose", t.Again},
		{"wasted", "wasted", t.Wasted()},
	}
}

// spentLegend names the parts that there are.
func spentLegend(b report.Budget) (all []key) {
	for _, p := range parts(b.Total) {
		if p.units > 0 || p.class == "useful" {
			all = append(all, key{Class: p.class, Name: p.name})
		}
	}
	return all
}

// spentText says what a bar shows.
func spentText(t quota.Tally) string {
	text := fmt.Sprint(t.Spent)
	for _, p := range parts(t)[1:] {
		if p.units > 0 {
			text += fmt.Sprintf(", %d of them %s", p.units, p.name)
		}
	}
	return text
}

// bar is one that goes to the right.
type bar struct {
	name string
	quota.Tally
}

// bars has the name of each above it, so that it has room.
func bars(id, title string, all []bar, legend []key) (template.HTML, error) {
	if len(all) == 0 {
		return "", nil
	}
	const width, row, left, right = 400, 34, 4, 396
	f := figure{ID: id, Title: title, Width: width, Height: row*len(all) + 6, Legend: legend}
	most := int64(1)
	for _, b := range all {
		most = max(most, b.Spent)
	}
	long := func(units int64) float64 { return (right - left) * float64(units) / float64(most) }
	var said []string
	for i, b := range all {
		y := float64(i * row)
		f.Texts = append(f.Texts, text{"", left, y + 14, shortened(b.name, 40)}, text{"end", right, y + 14, report.Number(b.Spent)})
		f.Rules = append(f.Rules, shape{Class: "track", Path: rect(left, y+19, right-left, 10)})
		line := b.name + " " + spentText(b.Tally)
		x := float64(left)
		for _, part := range parts(b.Tally) {
			if part.units > 0 {
				f.Shapes = append(f.Shapes, shape{Class: part.class, Path: rect(x, y+19, long(part.units), 10), Title: line})
				x += long(part.units)
			}
		}
		said = append(said, line)
	}
	f.Desc = strings.Join(said, "; ")
	return f.html()
}
