package pages

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/plain"
)

// figure is a chart: an SVG with a title and a description for those who can't see
// it, and what its colours mean. Its colours are classes, for which [Style] has
// those of light, dark and paper.
type figure struct {
	ID, Title, Desc string
	Width, Height   int
	// Rules are behind the Shapes, and Texts before them.
	Rules, Shapes []shape
	Texts         []text
	Legend        []key
}

// shape is a path of an SVG; Title is shown to who points at it, Days are the places of
// the first and the last day that it stands for, nil for none.
type shape struct {
	Class, Path, Title string
	Days               *[2]int
}

type text struct {
	Class string
	X, Y  float64
	Text  string
}

// key says what a class means, by its colour or by a sign.
type key struct{ Class, Sign, Name string }

//go:embed figure.html.tmpl
var figureText string

var figureTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("figure").Parse(figureText))
})

// html draws the figure. What others wrote in it is text.
func (f figure) html() (template.HTML, error) {
	f.Desc = plain.Line(f.Desc)
	for i := range f.Shapes {
		f.Shapes[i].Title = plain.Line(f.Shapes[i].Title)
	}
	var out strings.Builder
	if err := figureTemplate().Execute(&out, f); err != nil {
		return "", fmt.Errorf("chart %q: %w", f.Title, err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // the template escaped it
}

// plot is the place of a chart's values within its figure.
type plot struct {
	figure
	left, right, top, bottom float64
	units                    scale
	// places is how far the axis of time goes, in days or bars.
	places float64
}

// newPlot has an axis of whole units, with a line at each step.
func newPlot(id, title string, units scale, places float64) *plot {
	p := &plot{figure: figure{ID: id, Title: title, Width: 400, Height: 220}, left: 44, right: 392, top: 12, bottom: 192, units: units, places: max(places, 1)}
	for _, n := range units.ticks() {
		class := "grid"
		if n == 0 {
			class = "axis"
		}
		p.Rules = append(p.Rules, shape{Class: class, Path: fmt.Sprintf("M%s %sH%s", at(p.left), at(p.y(n)), at(p.right))})
		p.Texts = append(p.Texts, text{"end", p.left - 6, round(p.y(n) + 4), label(n)})
	}
	return p
}

func (p *plot) x(place float64) float64 { return p.left + (p.right-p.left)*place/p.places }

func (p *plot) y(units int64) float64 { return p.yOf(float64(units)) }

func (p *plot) yOf(units float64) float64 {
	return p.bottom - (p.bottom-p.top)*(units-float64(p.units.low))/float64(p.units.high-p.units.low)
}

// named writes along the axis of time, unless the name would run into that of today,
// which is at a place of its own, or out of the figure.
func (p *plot) named(place, today float64, name string) {
	const room = 52
	x := p.x(place)
	if math.Abs(x-p.x(today)) < room || x > p.right-room/2+10 {
		return
	}
	p.Texts = append(p.Texts, text{"middle", round(max(x, room/2)), p.bottom + 20, name})
}

// today marks the place of today.
func (p *plot) today(place float64) {
	x := p.x(place)
	p.Rules = append(p.Rules, shape{Class: "today", Path: fmt.Sprintf("M%s %sV%s", at(x), at(p.top), at(p.bottom+5))})
	p.Texts = append(p.Texts, text{"middle strong", round(min(max(x, 26), p.right-14)), p.bottom + 20, "today"})
}

// at is a place in an SVG, to a tenth.
func at(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }

func round(f float64) float64 { return math.Round(f*10) / 10 }

// path goes from point to point.
func path(points [][2]float64) string {
	var out strings.Builder
	for i, p := range points {
		out.WriteByte("ML"[min(i, 1)])
		out.WriteString(at(p[0]) + " " + at(p[1]))
	}
	return out.String()
}

// rect is a path too.
func rect(x, y, width, height float64) string {
	return fmt.Sprintf("M%s %sh%sv%sh%sz", at(x), at(y), at(width), at(height), at(-width))
}

// shortened keeps a name within so many places, of which signs of the East and
// pictures take two.
func shortened(name string, most int) string {
	places, cut := 0, 0
	for i, r := range name {
		places++
		if r >= 0x1100 {
			places++
		}
		if places < most {
			cut = i + len(string(r))
		}
		if places > most {
			return strings.TrimRight(name[:cut], " \u200d\ufe0f") + "…"
		}
	}
	return name
}

// named is the name of a group, "none" for those without.
func named(name string) string {
	if name = plain.Short(strings.Join(strings.Fields(name), " ")); name == "" {
		return "none"
	}
	return name
}
