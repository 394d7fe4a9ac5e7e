package pages

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"

	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
)

//go:embed run.html.tmpl
var runText string

var runTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(Parts().New("run").Funcs(template.FuncMap{
		"percent": report.Percent, "lines": plain.Lines, "named": named, "count": counted,
		"sort":   func() template.JS { return template.JS(sorts) }, //nolint:gosec // it is ours
		"policy": func() string { return Policy() + "; script-src " + hashed(sorts) },
	}).Parse(runText))
})

// cases are those of a scenario that has several.
type cases struct {
	Name string
	Rows []report.Case
	More int
}

// Run writes a run as one page that asks no network for anything: what it was, what it
// cost and saved, how the allowance stands, and what failed. What somebody else wrote is
// text.
func Run(w io.Writer, r report.Run) error {
	var all []cases
	for _, s := range r.Scenarios {
		if len(s.Cases) > 1 {
			shown := s.Cases[:min(len(s.Cases), maxRows)]
			all = append(all, cases{s.Name, shown, len(s.Cases) - len(shown)})
		}
	}
	return runTemplate().Execute(w, struct {
		report.Run
		Cases []cases
	}{r, all})
}

// counted is a number of things.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
