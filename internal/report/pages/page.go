package pages

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

//go:embed style.css
var style string

// Style is the style sheet for a page with charts: it has the colours they are
// drawn in, and those of the page, in light and dark.
func Style() template.CSS { return template.CSS(style) } //nolint:gosec // it is ours

// script lets a click on a table's head sort its rows.
//
//go:embed sort.js
var script string

// scriptHash allows the script in a Content-Security-Policy.
func scriptHash() string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

//go:embed budget.html.tmpl
var budgetPage string

var budgetTemplate = template.Must(template.New("budget").Funcs(template.FuncMap{
	"style": Style, "named": named, "rule": report.RuleName,
	"script": func() template.JS { return template.JS(script) }, //nolint:gosec // it is ours
	"hash":   scriptHash,
	"minute": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"day":    func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
	"one":    func(f float64) string { return fmt.Sprintf("%.1f", f) },
}).Parse(budgetPage))

// maxRows is how many rows a table of the page has. The other formats have all.
const maxRows = 500

// table is the groups of one dimension.
type table struct {
	By   report.Dimension
	Rows []row
	More int
}

type row struct {
	quota.Group
	Name, Runs string
}

// Budget writes a report as one page that asks no network for anything. Its
// figures are those of b, its tables can be sorted, and everything in it that
// somebody else wrote is shown as text.
func Budget(w io.Writer, b report.Budget) error {
	burnDown, err := BurnDown(b)
	if err != nil {
		return err
	}
	perDay, err := PerDay(b)
	if err != nil {
		return err
	}
	savings, err := Savings(b)
	if err != nil {
		return err
	}
	drawn := []template.HTML{burnDown, perDay, savings}
	var tables []table
	for _, by := range report.Dimensions() {
		if by == report.BySuite || by == report.ByTest {
			bars, err := Bars(b, by)
			if err != nil {
				return err
			}
			drawn = append(drawn, bars)
		}
		groups := b.By(by)
		t := table{By: by, More: max(len(groups)-maxRows, 0)}
		for _, g := range groups[:len(groups)-t.More] {
			t.Rows = append(t.Rows, row{g, named(g.Name), strings.ReplaceAll(report.RunsOf(by, g), "-", "–")})
		}
		if len(t.Rows) > 0 {
			tables = append(tables, t)
		}
	}
	return budgetTemplate.Execute(w, struct {
		report.Budget
		Charts []template.HTML
		Tables []table
	}{b, drawn, tables})
}
