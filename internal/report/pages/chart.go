// Package pages writes what became of an allowance as HTML: charts as inline SVG
// ([BurnDown], [PerDay], [Bars]) and the whole report as one page that needs
// nothing else ([Budget]).
//
// It may touch package report, the types of package quota, and the writer that it
// is given.
//
// It is apart from package report because it links a chart library, which those
// who only test have no use for. The charts take their colours from the page
// around them, see [Style].
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/go-analyze/charts"

	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// The size of a chart in its own units; a page scales it. It is small enough for
// its text to be read on a phone.
const width, height = 480, 260

// A chart is drawn in colours that nobody would choose, and each of them is then
// replaced by the page's, which are others in light and in dark.
var colors = []struct {
	drawn charts.Color
	page  string
}{
	{charts.Color{R: 1, G: 2, B: 3, A: 255}, "var(--ink)"},
	{charts.Color{R: 2, G: 3, B: 4, A: 255}, "var(--line)"},
	{charts.Color{R: 3, G: 4, B: 5, A: 255}, "var(--one)"},
	{charts.Color{R: 4, G: 5, B: 6, A: 255}, "var(--two)"},
	{charts.Color{R: 5, G: 6, B: 7, A: 255}, "var(--three)"},
}

func theme() charts.ColorPalette {
	ink, line := colors[0].drawn, colors[1].drawn
	return charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: line, AxisSplitLineColor: line, BackgroundColor: charts.ColorTransparent, TextColor: ink,
		SeriesColors: []charts.Color{colors[2].drawn, colors[3].drawn, colors[4].drawn},
	})
}

// maxPoints is how many days a chart shows; more are put together.
const maxPoints = 60

// chunks puts days together so that a chart has room for them, and names each
// chunk by its first day.
func chunks(days []quota.Day) (all [][]quota.Day, names []string) {
	for chunk := range slices.Chunk(days, max((len(days)+maxPoints-1)/maxPoints, 1)) {
		all = append(all, chunk)
		names = append(names, chunk[0].Start.Format("2 Jan"))
	}
	return all, names
}

// BurnDown is what was left at the end of each day, the floor, and how it goes
// on at the rate of the forecast. It is empty where there is no day.
func BurnDown(b report.Budget) (template.HTML, error) {
	all, names := chunks(b.Days)
	if len(all) == 0 {
		return "", nil
	}
	var left, floor, ahead []float64
	for _, chunk := range all {
		left = append(left, float64(chunk[len(chunk)-1].Left))
		floor = append(floor, float64(b.Floor))
		ahead = append(ahead, charts.GetNullValue())
	}
	last := left[len(left)-1]
	ahead[len(ahead)-1] = last
	end := b.Days[len(b.Days)-1].Start
	for step := range max(len(all)/2, 5) {
		days := (step + 1) * len(all[0])
		names = append(names, end.AddDate(0, 0, days).Format("2 Jan"))
		left = append(left, charts.GetNullValue())
		floor = append(floor, float64(b.Floor))
		ahead = append(ahead, max(last-b.Forecast.PerDay*float64(days), 0))
	}
	opt := charts.NewLineChartOptionWithData([][]float64{left, ahead, floor})
	opt.Theme = theme()
	opt.XAxis.Labels, opt.XAxis.LabelCount = names, 4
	opt.XAxis.BoundaryGap = charts.Ptr(false)
	opt.YAxis[0].Min = charts.Ptr(0.0)
	opt.Legend.SeriesNames = []string{"left", "forecast", "floor"}
	opt.Symbol.Shape = charts.SymbolNone
	opt.ValueFormatter = whole
	desc := fmt.Sprintf("%d of %d granted units are left on %s, the floor is %d. %s",
		int64(last), b.Granted, end.Format(time.DateOnly), b.Floor, b.Forecast)
	return draw("What is left, by day", desc, func(p *charts.Painter) error { return p.LineChart(opt) })
}

// PerDay is what was spent on each day, and how much of it was wasted. It is
// empty where there is no day.
func PerDay(b report.Budget) (template.HTML, error) {
	all, names := chunks(b.Days)
	if len(all) == 0 {
		return "", nil
	}
	var useful, wasted []float64
	for _, chunk := range all {
		spent, waste := int64(0), int64(0)
		for _, d := range chunk {
			spent += d.Spent
			waste += d.Wasted()
		}
		useful, wasted = append(useful, float64(spent-waste)), append(wasted, float64(waste))
	}
	opt := charts.NewBarChartOptionWithData([][]float64{useful, wasted})
	opt.Theme = theme()
	opt.StackSeries = charts.Ptr(true)
	opt.CategoryAxis.Labels, opt.CategoryAxis.LabelCount = names, 4
	opt.ValueAxis[0].Min = charts.Ptr(0.0)
	opt.Legend.SeriesNames = []string{"useful", "wasted"}
	opt.ValueFormatter = whole
	desc := fmt.Sprintf("%d units were spent from %s to %s, %d of them wasted.",
		b.Total.Spent, b.Days[0].Start.Format(time.DateOnly), b.Days[len(b.Days)-1].Start.Format(time.DateOnly), b.Wasted)
	return draw("Spent, by day", desc, func(p *charts.Painter) error { return p.BarChart(opt) })
}

// maxBars is how many groups a chart shows.
const maxBars = 8

// Bars is what the groups of a dimension spent that spent most. It is empty where
// there are none.
func Bars(b report.Budget, by report.Dimension) (template.HTML, error) {
	groups := b.By(by)
	if len(groups) == 0 {
		return "", nil
	}
	groups = groups[:min(len(groups), maxBars)]
	var names []string
	var values []float64
	var said []string
	for _, g := range slices.Backward(groups) { // the axis goes up
		names = append(names, shortened(named(g.Name)))
		values = append(values, float64(g.Spent))
	}
	for _, g := range groups {
		said = append(said, fmt.Sprintf("%s %d", named(g.Name), g.Spent))
	}
	opt := charts.NewBarChartOptionWithData([][]float64{values})
	opt.Horizontal = true
	opt.Theme = theme()
	opt.CategoryAxis.Labels = names
	opt.ValueAxis[0].Min = charts.Ptr(0.0)
	opt.ValueAxis[0].LabelCount = 5
	opt.ValueFormatter = whole
	return draw("Spent, by "+string(by), strings.Join(said, ", "), func(p *charts.Painter) error { return p.BarChart(opt) })
}

// named is the name of a group, "none" for those without.
func named(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// shortened keeps a name from taking the room of the bars. It drops what an SVG
// may not hold.
func shortened(name string) string {
	const most = 18
	runes := []rune(strings.ToValidUTF8(strings.Join(strings.Fields(name), " "), "?"))
	if len(runes) > most {
		runes = append(runes[:most-1], '…')
	}
	return string(runes)
}

func whole(f float64) string { return charts.FormatValueHumanizeShort(f, 1, false) }

var namespace = pattern.New(` xmlns(:\w+)?="[^"]*"`)

// draw makes a figure of an inline SVG with a title and a description for those who can't
// see it.
func draw(title, desc string, chart func(*charts.Painter) error) (template.HTML, error) {
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height})
	if err := chart(p); err != nil {
		return "", fmt.Errorf("chart %q: %w", title, err)
	}
	svg, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("chart %q: %w", title, err)
	}
	open, rest, ok := bytes.Cut(svg, []byte(">"))
	if !ok || !bytes.HasPrefix(open, []byte("<svg ")) {
		return "", fmt.Errorf("chart %q: no SVG was made", title)
	}
	// Names of namespaces are for files; a page has them built in.
	open = namespace.Regexp().ReplaceAll(open, nil)
	// The page's own letters are wider than those that the library measured.
	replace := []string{"'Roboto Medium',sans-serif", "inherit", "font-size:16px", "font-size:14px"}
	for _, c := range colors {
		replace = append(replace, fmt.Sprintf("rgb(%d,%d,%d)", c.drawn.R, c.drawn.G, c.drawn.B), c.page)
	}
	title, desc = template.HTMLEscapeString(title), template.HTMLEscapeString(desc)
	return template.HTML(fmt.Sprintf(`<figure><figcaption>%s</figcaption>%s role="img"><title>%s</title><desc>%s</desc>%s</figure>`, //nolint:gosec // the library's, and escaped texts
		title, open, title, desc, strings.NewReplacer(replace...).Replace(string(rest)))), nil
}
