package report

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed run.html.tmpl
var runPage string

var runTemplate = template.Must(template.New("run").Funcs(template.FuncMap{
	"total": total, "plural": plural, "percent": percent, "short": Scenario.short,
	"title": Score.title, "state": Score.state, "shown": Comparison.shown, "share": Metric.percent, "of": Metric.of,
}).Parse(runPage))

// HTML writes a run as one page that needs nothing else: no network and no
// script. It is readable on a phone, in light and dark.
func HTML(w io.Writer, r Run) error { return runTemplate.Execute(w, r) }
