package pages

import (
	"fmt"
	"html/template"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// maxPoints is how many points a line has, and maxMarks how many marks.
const maxPoints, maxMarks = 370, 60

// BurnDown is what was left for ordinary runs day by day, with the grants and
// corrections, and how the forecast goes on: to the day on which that is gone, and the
// range of that day. It is empty where there is no day.
func BurnDown(b report.Budget) (template.HTML, error) {
	if len(b.Days) == 0 {
		return "", nil
	}
	origin := b.Days[0].Start
	place := placed(b)
	today, ahead := place(b.Made), newAhead(b, place)
	p := burnDownPlot(b)
	layout := "2 Jan"
	if ahead.end > 300 { // or a day would be in two years
		layout = "Jan 2006"
	}
	for _, n := range labelled(int(ahead.end)+1, 5) {
		p.named(float64(n), today, origin.AddDate(0, 0, n).Format(layout))
	}
	p.today(today)
	p.Legend = []key{{Class: "left", Name: "left"}}
	ahead.draw(p, b, today)
	p.Shapes = append(p.Shapes, shape{Class: "left", Path: path(leftLine(p, b, today))})
	p.marks(b, place)
	p.Desc = fmt.Sprintf("%d of %d granted units are left for ordinary runs on %s. %s.", b.Left, b.Granted, b.Made.Format(time.DateOnly), b.Forecast)
	return p.html()
}

// placed is where a time is, in days from the first one on.
func placed(b report.Budget) func(time.Time) float64 {
	return func(at time.Time) float64 { return at.Sub(b.Days[0].Start).Hours() / 24 }
}

// burnDownPlot is the axes of it.
func burnDownPlot(b report.Budget) *plot {
	high := b.Left
	for _, d := range b.Days {
		high = max(high, d.Left)
	}
	high = max(high, begun(b.Days[0]))
	return newPlot("burn-down", "Left for ordinary runs, by day", newScale(0, high), newAhead(b, placed(b)).end)
}

// begun is what was left when a day began, with what was granted on it.
func begun(d quota.Day) int64 { return d.Left + d.Spent + d.Corrected }

// firstPlace is where the line begins: with the ledger, if that began on the first day.
func firstPlace(b report.Budget) float64 {
	if at := b.Begun.Sub(b.Days[0].Start); at > 0 && at < 24*time.Hour {
		return at.Hours() / 24
	}
	return 0
}

// leftLine goes from the end of one day to that of the next; a grant lifts it at once.
// It ends now, at what is left now.
func leftLine(p *plot, b report.Budget, today float64) [][2]float64 {
	all := [][2]float64{{p.x(firstPlace(b)), p.y(begun(b.Days[0]))}}
	for i, d := range b.Days {
		if i > 0 && d.Granted > 0 && d.Left > 0 {
			all = append(all, [2]float64{p.x(float64(i)), p.y(min(begun(d), p.units.high))})
		}
		all = append(all, [2]float64{p.x(min(float64(i+1), max(today, float64(i)))), p.y(d.Left)})
	}
	return append(thinned(all, maxPoints), [2]float64{p.x(today), p.y(b.Left)})
}

// ahead is where the forecast says that the usable is gone, in places of the plot;
// a negative one is never.
type ahead struct{ end, gone, early, late float64 }

func newAhead(b report.Budget, place func(time.Time) float64) ahead {
	day := func(s string) float64 {
		at, err := time.ParseInLocation(time.DateOnly, s, b.Made.Location())
		if err != nil {
			return -1
		}
		return place(at) + 0.5
	}
	a := ahead{gone: day(b.Forecast.RunsOut), early: day(b.Forecast.Earliest), late: day(b.Forecast.Latest)}
	if b.Left <= 0 {
		a.gone = -1
	}
	// The past keeps a good part of the picture, whatever lies ahead.
	past := max(place(b.Made), 1)
	a.end = past + min(max((max(a.gone, a.late)-past)*1.05, 3, past/10), max(past, 14))
	return a
}

// draw adds the line of the forecast and its range, as far as the plot goes.
func (a ahead) draw(p *plot, b report.Budget, today float64) {
	if a.gone < 0 {
		return
	}
	left := float64(b.Left)
	// end is where the way to a day of exhaustion ends, or the plot.
	end := func(gone float64) [2]float64 {
		switch {
		case gone < 0:
			return [2]float64{p.right, p.yOf(left)}
		case gone > a.end:
			return [2]float64{p.right, p.yOf(left - left*(a.end-today)/(gone-today))}
		}
		return [2]float64{p.x(max(gone, today)), p.bottom}
	}
	now := [2]float64{p.x(today), p.yOf(left)}
	area := [][2]float64{now, end(a.early)}
	if a.early <= a.end && (a.late < 0 || a.late > a.end) {
		area = append(area, [2]float64{p.right, p.bottom})
	}
	p.Shapes = append(p.Shapes,
		shape{Class: "range", Path: path(append(area, end(a.late))) + "z"},
		shape{Class: "ahead", Path: path([][2]float64{now, end(a.gone)}), Title: b.Forecast.String()})
	p.Legend = append(p.Legend, key{Class: "ahead", Name: "forecast"}, key{Class: "range", Name: "its range"})
	if a.early <= a.end {
		to := p.right
		if a.late >= 0 {
			to = min(p.x(a.late), p.right)
		}
		p.Shapes = append(p.Shapes, shape{Class: "gone", Path: fmt.Sprintf("M%s %sH%s", at(p.x(max(a.early, today))), at(p.bottom), at(to)), Title: "gone between " + b.Forecast.Earliest + " and " + b.Forecast.Latest})
		p.Legend = append(p.Legend, key{Class: "gone", Name: "gone in these days"})
	}
}

// marks are the latest grants, reconciliations and exhaustions, each at its day.
func (p *plot) marks(b report.Budget, place func(time.Time) float64) {
	named := map[string]bool{}
	for _, e := range b.Changes[max(len(b.Changes)-maxMarks, 0):] {
		i := int(place(e.Time))
		if e.Time.Before(b.Days[0].Start) || i >= len(b.Days) {
			continue
		}
		x, y := p.x(place(e.Time)), p.y(b.Days[i].Left)
		if i == 0 && !e.Time.After(b.Begun) {
			y = p.y(begun(b.Days[0]))
		}
		m, name, sign := shape{Class: "mark"}, "", ""
		switch {
		case e.Kind == quota.KindGrant && e.Units != 0:
			name, sign = "grant", "▲"
			m.Path = path([][2]float64{{x, y - 6}, {x + 5, y + 3}, {x - 5, y + 3}}) + "z"
		case e.Kind == quota.KindReconcile:
			name, sign = "reconciliation", "◆"
			m.Path = path([][2]float64{{x, y - 5}, {x + 5, y}, {x, y + 5}, {x - 5, y}}) + "z"
		case e.Kind == quota.KindExhaust:
			name, sign = "exhausted", "✕"
			m.Class = "mark cross"
			m.Path = path([][2]float64{{x - 4, y - 4}, {x + 4, y + 4}}) + path([][2]float64{{x - 4, y + 4}, {x + 4, y - 4}})
		default:
			continue
		}
		m.Title = fmt.Sprintf("%s: %s", e.Time.In(b.Made.Location()).Format("2 Jan 2006"), name)
		if e.Units != 0 {
			m.Title += fmt.Sprintf(" of %+d", e.Units)
		}
		if e.Note != "" {
			m.Title += ": " + e.Note
		}
		p.Shapes = append(p.Shapes, m)
		if !named[name] {
			named[name] = true
			p.Legend = append(p.Legend, key{Class: "sign", Sign: sign, Name: name})
		}
	}
}
