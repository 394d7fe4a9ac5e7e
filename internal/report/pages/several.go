package pages

import (
	_ "embed"
	"html/template"
	"io"
	"sync"

	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/report"
)

//go:embed several.html.tmpl
var severalText string

var severalTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(Parts().New("several").Funcs(template.FuncMap{
		"minute": minute, "charts": charts,
		"sort":   func() template.JS { return template.JS(sorts) }, //nolint:gosec // it is ours
		"policy": func() string { return Policy() + "; script-src " + hashed(sorts) },
	}).Parse(severalText))
})

// Several writes the reports of several allowances as one page: how all of them stand, and
// the sentence, the figures and the charts of each. One alone has the page of [Budget].
func Several(w io.Writer, all report.Several) error {
	if len(all) == 1 {
		return Budget(w, all[0])
	}
	return severalTemplate().Execute(w, all)
}

// figureID is the id of a chart, which stands once on a page.
var figureID = pattern.New(`^<figure id="[a-z-]+"`)

// charts are those of one of several allowances.
func charts(b report.Budget) ([]template.HTML, error) {
	var all []template.HTML
	for _, draw := range []func(report.Budget) (template.HTML, error){BurnDown, PerDay, by(report.BySuite)} {
		chart, err := draw(b)
		if err != nil {
			return nil, err
		}
		all = append(all, template.HTML(figureID.ReplaceAllString(string(chart), "<figure"))) //nolint:gosec // the template of the figure escaped it
	}
	return all, nil
}
